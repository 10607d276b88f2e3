"""The word-level benchmarks of language models, Penn Treebank and WikiText-2: read from `$SEQGEN_DATA`."""

import os
from pathlib import Path
from typing import Literal

from seqgen.data.text_file import TextFile
from seqgen.errors import InputError

Part = Literal["train", "valid", "test"]

# Of Mikolov's preprocessing, and of Merity et al. 2016: the files of a set by its name, plain or gzipped.
BENCHMARK_TEXTS = {"ptb": "ptb.{}.txt", "wikitext2": "{}.txt"}


def benchmark_text(name: str, part: Part) -> TextFile:
    """Return a part of "ptb" or "wikitext2", from the folder of this name in `$SEQGEN_DATA`.

    Raises:
        InputError: it is not there; it is never downloaded.
    """
    files = {one: BENCHMARK_TEXTS[name].format(one) for one in ("train", "valid", "test")}
    folder = os.environ.get("SEQGEN_DATA")
    for ending in (".gz", "") if folder else ():
        path = Path(folder or "", name, files[part] + ending)
        if path.is_file():
            return TextFile(path, str(path))
    where = f"but {folder} has none" if folder else "but SEQGEN_DATA is not set"
    raise InputError(
        f"{files[part]} of {name} must be in $SEQGEN_DATA/{name}, {where}: copy {', '.join(files.values())}, plain or "
        "gzipped (.gz), to that folder; they are not downloaded"
    )
