"""Images with their captions, read from files and checked."""

import logging
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from seqgen.arguments import checked
from seqgen.data.columns import Columns
from seqgen.data.format import Format, first_lines, format_of
from seqgen.data.images import image_files
from seqgen.data.paths import find_files
from seqgen.data.store import fingerprint
from seqgen.data.table import first_row, lower_names, read_table
from seqgen.data.text_file import TextFile
from seqgen.errors import InputError
from seqgen.files import read_json

logger = logging.getLogger(__name__)

PARTS = {
    "train": "train",
    "restval": "train",
    "valid": "valid",
    "val": "valid",
    "dev": "valid",
    "validation": "valid",
    "test": "test",
}
COLUMNS = {"the column of images": "image", "the column of captions": "caption"}
TOKEN_LINE = re.compile(r"(\S.*?)#\d+\t(.*)")  # Flickr8k's: image.jpg#0, a tab, the caption


@checked
@dataclass(frozen=True)
class Captioned(Columns):
    """Images (paths, or what else `read_image` takes), the captions of each, and the images' names."""

    images: list[Any]
    captions: list[list[str]]
    names: list[str]

    @property
    def fingerprint(self) -> str:
        """A hash of the images' names and their captions."""
        return fingerprint([self.names, self.captions])

    def known_truth(self, captions: list[str]) -> dict[str, float]:
        """Return metrics of captions, one for each image, by what is known of the images: here none."""
        return {}


class CaptionRow(NamedTuple):
    """One caption of one image, its split ("" where the file has none), and its file and line."""

    image: str
    caption: str
    part: str
    where: str


def read_captioned(
    folder: str,
    files: dict[str, str | None],
    *,
    strays: Literal["skip", "error"] = "skip",
    encoding: str = "utf-8",
) -> dict[str, Captioned]:
    """Return the splits "train", "valid" and "test", as far as the files have them.

    Args:
        folder: of the images, and of folders of images.
        files: files of captions for these splits, as `find_files` finds them; those of "train" may have a column with
            the split of each row. A file has columns or keys image, caption and optionally split in one of the formats
            of `format_of`, or is Flickr8k's token file, or COCO's JSON.
        strays: for captions without an image, and images without captions: "skip" with a warning, or "error".
        encoding: of the files of captions.

    Raises:
        InputError: a file or folder does not exist or is malformed, or there are no captions to train on.
    """
    paths = _Paths(folder)
    rows = []
    for part, data in files.items():
        for file in find_files(data, encoding) if data is not None else []:
            found = list(_rows(file))
            rows += found if part == "train" else [row._replace(part=part) for row in found]
    parts: dict[str, dict[str, list[str]]] = {"train": {}, "valid": {}, "test": {}}
    missing: list[CaptionRow] = []
    part_of: dict[str, str] = {}
    for row in rows:
        if row.image not in paths:
            missing.append(row)
            continue
        part = _part(row)
        if part_of.setdefault(row.image, part) != part:
            raise InputError(f"{row.where}: {row.image} must be in one part, but it is in {part_of[row.image]}, too")
        parts[part].setdefault(row.image, []).append(row.caption)
    _report(missing, paths.others({path for name in part_of for path in [paths[name]]}), strays)
    if not parts["train"]:
        raise InputError(f"there must be captions of images in {folder} to train on, but there are none")
    return {
        part: Captioned([paths[name] for name in named], list(named.values()), list(named))
        for part, named in parts.items()
        if named
    }


class _Paths:
    """The image files of a folder, by their paths inside of it, or by their names alone where these are unique."""

    def __init__(self, folder: str):
        if not Path(folder).is_dir():
            raise InputError(f"--data must be a folder of images, but {folder!r} is not a folder")
        files = image_files(folder)
        self._files = {path.relative_to(folder).as_posix(): path for path in files}
        self._named: dict[str, list[Path]] = {}
        for path in files:
            self._named.setdefault(path.name, []).append(path)

    def __contains__(self, name: str) -> bool:
        return name in self._files or name in self._named

    def __getitem__(self, name: str) -> Path:
        if name in self._files:
            return self._files[name]
        first, *others = self._named[name]
        if others:
            raise InputError(f"the name of an image must be unique, but {name} is both {first} and {others[0]}")
        return first

    def others(self, used: set[Path]) -> list[Path]:
        """Return the files that are not among those used."""
        return [path for path in self._files.values() if path not in used]


def _part(row: CaptionRow) -> str:
    part = row.part.strip().lower() or "train"
    if part not in PARTS:
        raise InputError(f"{row.where}: a split must be one of {', '.join(PARTS)}, not {row.part!r}")
    return PARTS[part]


def _report(missing: list[CaptionRow], bare: list[Path], strays: str) -> None:
    found = []
    if missing:
        names = list(dict.fromkeys(row.image for row in missing))
        found.append(f"{missing[0].where}: {len(missing):,} captions have no image ({_some(names)})")
    if bare:
        found.append(f"{len(bare):,} images have no caption ({_some([str(path) for path in bare])})")
    if found and strays == "error":
        raise InputError("; ".join(found) + "; --strays skip leaves them out")
    for sentence in found:
        logger.warning(f"left out: {sentence}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _rows(file: TextFile) -> Iterator[CaptionRow]:
    """Yield the captions of a file of any kind."""
    form = format_of(file, COLUMNS.values())
    first = next(iter(first_lines(file)), "")
    if first.startswith("{") and file.ending != ".jsonl" and not _has_caption(first):
        rows = _coco(file)
    elif form.kind == "plain" or TOKEN_LINE.fullmatch(first):
        rows = _token_file(file, form)
    else:
        rows = _table(file, form)
    for row in rows:
        if not row.caption.strip():
            raise InputError(f"{row.where}: a caption must not be empty")
        yield row


def _has_caption(line: str) -> bool:
    """Return whether a line is a JSON object with a caption, and not the beginning of COCO's."""
    with suppress(ValueError):
        return "caption" in read_json(line)
    return False


def _table(file: TextFile, form: Format) -> Iterator[CaptionRow]:
    columns = COLUMNS | ({"the column of splits": "split"} if "split" in lower_names(first_row(file, form)) else {})
    for cells, where in read_table(file, form, columns):
        yield CaptionRow(cells[0].strip(), cells[1], cells[2] if len(cells) > 2 else "", where)


def _token_file(file: TextFile, form: Format) -> Iterator[CaptionRow]:
    for number, line in enumerate(file.lines(), start=1):
        if not line.strip():
            continue
        found = TOKEN_LINE.fullmatch(line)
        where = file.at(number)
        if found is None:
            raise InputError(f"{where}: a line must be an image, #0, a tab and a caption, not {line[:80]!r} ({form})")
        yield CaptionRow(found[1], found[2], "", where)


def _coco(file: TextFile) -> Iterator[CaptionRow]:
    try:
        data = read_json("\n".join(file.lines()))
        images = [(_number(one["id"]), str(one["file_name"])) for one in data["images"]]
        captions = [(_number(one["image_id"]), str(one["caption"])) for one in data["annotations"]]
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise InputError(
            f"{file.name} must be JSON with images and annotations as COCO has them, but {reason}"
        ) from None
    for values in zip(*images, strict=True):  # numbers, and names
        if again := [value for value, count in Counter(values).items() if count > 1]:
            raise InputError(f"{file.name}: an image must be listed once, but {again[0]} is listed again")
    names = dict(images)
    for number, (image, caption) in enumerate(captions, start=1):
        if image not in names:
            raise InputError(f"{file.name}, annotation {number}: its image must be listed, but there is no {image}")
        yield CaptionRow(names[image], caption, "", f"{file.name}, annotation {number}")


def _number(value: Any) -> int | str:
    """Return the number of an image; TypeError where it is none: true equals 1, and a list cannot be looked up."""
    if type(value) not in (int, str):
        raise TypeError(f"a number of an image is {str(value)[:80]}")
    return cast("int | str", value)
