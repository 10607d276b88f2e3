"""Multi30k, German and English descriptions of photographs: read from `$SEQGEN_DATA`, or else downloaded once."""

import hashlib
import os
import urllib.request
from http.client import HTTPException
from pathlib import Path

from seqgen.data.parallel import Parallel, read_parallel
from seqgen.errors import InputError
from seqgen.files import filling_cache, writing

# The public release at github.com/multi30k/dataset, folder data/task1/raw.
MULTI30K = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
MULTI30K_PARTS = {"train": "train", "valid": "val", "test": "test_2016_flickr"}
PAIRS = ("multi30k-de-en", "multi30k-en-de")


def find_multi30k(name: str, part: str) -> Parallel:
    """Return a split ("train", "valid" or "test") of Multi30k (Elliott et al. 2016), task 1, as it was released.

    It is read from `$SEQGEN_DATA/multi30k`, or else downloaded into the cache.

    Raises:
        InputError: it is in neither and cannot be downloaded.
    """
    source, target = name.split("-")[1:]
    return read_parallel(*(str(_multi30k_file(f"{MULTI30K_PARTS[part]}.{side}.gz")) for side in (source, target)))


# Checksums of the released files.
SHA256 = {
    "test_2016_flickr.de.gz": "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
    "test_2016_flickr.en.gz": "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
    "train.de.gz": "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
    "train.en.gz": "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
    "val.de.gz": "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
    "val.en.gz": "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
}


def _multi30k_file(name: str) -> Path:
    given = Path(os.environ.get("SEQGEN_DATA", "")) / "multi30k" / name
    if "SEQGEN_DATA" in os.environ and given.is_file():
        return given
    with filling_cache() as cache:
        path = cache / "multi30k" / name
    if path.is_file() and _digest(path.read_bytes()) == SHA256[name]:
        return path
    try:
        with urllib.request.urlopen(MULTI30K + name, timeout=30) as answer:
            content = answer.read()
    except (OSError, HTTPException) as error:
        raise InputError(
            f"{name} of Multi30k is neither in $SEQGEN_DATA/multi30k nor can it be downloaded from {MULTI30K} "
            f"({error}): copy it to that folder"
        ) from None
    if _digest(content) != SHA256[name]:
        raise InputError(f"{MULTI30K}{name} must be as it was released, but its checksum differs")
    with filling_cache(), writing(path) as file:
        file.write(content)
    return path


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
