"""Data that `--data` can name: a set that is generated or downloaded once, or the user's own files and folders."""

from pathlib import Path
from typing import Literal

import numpy as np

from seqgen.data.captioned import Captioned, read_captioned
from seqgen.data.images import SUFFIXES
from seqgen.data.labelled import Labelled, TextColumns, files_by_class, read_texts, require_numbers
from seqgen.data.parallel import PairOptions, Parallel, read_pairs, read_parallel, sound
from seqgen.data.sets.dates import date_pairs
from seqgen.data.sets.function_names import function_names
from seqgen.data.sets.highlighting import highlighted_python
from seqgen.data.sets.multi30k import PAIRS, find_multi30k
from seqgen.data.sets.passages import python_passages
from seqgen.data.sets.scenes import scenes
from seqgen.data.sets.shapes import shape_pictures
from seqgen.data.sets.torchvision_sets import SETS, public_pictures
from seqgen.data.splits import (
    LabelledSplits,
    Splits,
    TaggedSplits,
    split_captioned,
    split_labelled,
    split_parallel,
    split_tagged,
)
from seqgen.data.tagged import read_tagged
from seqgen.errors import InputError, nearest


def labelled_texts(
    data: str, valid: str | None, test: str | None, columns: TextColumns, *, seed: int
) -> LabelledSplits:
    """Return labelled texts: "python-packages", or files and folders as `read_texts` reads them.

    Args:
        data: to train on, and to hold back from.
        valid: to validate on; by default held back.
        test: to test on; by default held back.
        columns: of label and text, and the encoding.
        seed: random seed of the split.
    """
    if data == "python-packages":
        passages, files = python_passages()
        return split_labelled(passages, None, None, seed, groups=list(map(str, files)))
    held_back = [read_texts(path, columns) if path else None for path in (valid, test)]
    return split_labelled(read_texts(data, columns), held_back[0], held_back[1], seed)


def conditioned_texts(
    data: str, columns: TextColumns, *, conditions: Literal["categories", "numbers"], seed: int
) -> LabelledSplits:
    """Return texts with a category or numbers as their label: "function-names", or files as `read_texts` reads them.

    Raises:
        InputError: for numbers, a label of anything else, or of fewer or more than the first; or too few texts.
    """
    texts = function_names() if data == "function-names" else read_texts(data, columns)
    if conditions == "categories":
        return split_labelled(texts, None, None, seed)
    require_numbers(texts)
    if len(texts) < 20:
        raise InputError(f"there must be at least 20 texts to split, not {len(texts)}")
    order = np.random.default_rng(seed).permutation(len(texts))
    valid, test, train = np.split(order, [len(texts) // 10, len(texts) // 5])
    return LabelledSplits(texts.chosen(train), texts.chosen(valid), texts.chosen(test), [])


def tagged_texts(
    data: str, valid: str | None, test: str | None, *, column: str, seed: int, encoding: str = "utf-8"
) -> TaggedSplits:
    """Return tagged sequences: "python-source", or files as `read_tagged` reads them.

    Args:
        data: to train on, and to hold back from.
        valid: to validate on; by default held back.
        test: to test on; by default held back.
        column: name or number of the column with the tags.
        seed: random seed of the split.
        encoding: of the files.
    """
    if data == "python-source":
        return split_tagged(*highlighted_python(seed), seed)
    held_back = [read_tagged(path, column, encoding) if path else None for path in (valid, test)]
    return split_tagged(read_tagged(data, column, encoding), held_back[0], held_back[1], seed)


def parallel_texts(options: PairOptions, *, seed: int) -> Splits[Parallel]:
    """Return pairs of sentences: "dates", Multi30k by name, files of pairs, or two files.

    Raises:
        InputError: a file without the other, files of splits for a set that has its own, or malformed pairs.
    """
    files = {part: _two_files(options, f"{part}_" if part else "") for part in ("", "valid", "test")}
    if files[""] and options.data != "dates":
        raise InputError(f"--source must be without --data, which is {options.data!r}")
    if options.data == "dates" and not files[""]:
        for part in ("valid", "test"):
            if getattr(options, part) is not None or files[part]:
                option = f"{part}_source" if getattr(options, part) is None else part
                raise InputError(f"--{option} must come with --data or --source, as dates have their own parts")
        return Splits(*date_pairs(seed))
    train = _pairs(options, "train", files[""], None if files[""] else options.data)
    valid, test = (_pairs(options, part, files[part], getattr(options, part)) for part in ("valid", "test"))
    assert train is not None
    return split_parallel(sound(train, drop=options.drop_strange), valid, test, seed)


def _two_files(options: PairOptions, prefix: str) -> tuple[str, str] | None:
    """Return the files of sentences and of their translations, if there are any."""
    source, target = (getattr(options, f"{prefix}{side}") for side in ("source", "target"))
    if (source is None) != (target is None):
        given, other = ("source", "target") if target is None else ("target", "source")
        raise InputError(f"--{prefix}{given} must come with --{prefix}{other}, which is missing")
    return None if source is None else (source, target)


def _pairs(options: PairOptions, part: str, files: tuple[str, str] | None, data: str | None) -> Parallel | None:
    """Return a split from its own files; None where it is to be held back."""
    if files:
        return read_parallel(*files, options.encoding)
    if options.data in PAIRS and options.source is None and data in (None, options.data):
        return find_multi30k(options.data, part)
    return None if data is None else read_pairs(data, options)


def captioned_images(
    data: str,
    captions: str | None,
    valid: str | None,
    test: str | None,
    *,
    strays: Literal["skip", "error"],
    seed: int,
    encoding: str = "utf-8",
) -> Splits[Captioned]:
    """Return images with captions: "scenes", or a folder of images and files of captions.

    Args:
        data: the folder.
        captions: file of captions to train on, and to hold back from.
        valid: file of captions to validate on; by default held back.
        test: file of captions to test on; by default held back.
        strays: for captions without an image, and images without captions: "skip" or "error".
        seed: random seed of scenes, or of the split.
        encoding: of the files of captions.
    """
    if (data == "scenes") != (captions is None):
        raise InputError("--captions must come with --data, a folder of images, and that with --captions")
    if captions is None:
        return Splits(*(scenes(part, seed) for part in ("train", "valid", "test")))
    files = {"train": captions, "valid": valid, "test": test}
    return split_captioned(read_captioned(data, files, strays=strays, encoding=encoding), seed)


def find_pictures(data: str, *, train: bool = True) -> Labelled:
    """Return the images that `--data` names: a folder of image files for each class, a torchvision set, or "shapes".

    Args:
        data: the folder, the set, or "shapes".
        train: whether to return a set's training split, or its test split.

    Raises:
        InputError: an unknown name, or a set that cannot be downloaded.
    """
    if data == "shapes":
        return shape_pictures()
    if data in SETS:
        return public_pictures(data, train)
    if not Path(data).is_dir():
        known = ("shapes", *SETS)
        raise InputError(
            f"--data must be a folder or one of {', '.join(known)}, but {data!r} is neither{nearest(data, known)}"
        )
    files = [(path, label) for path, label in files_by_class(Path(data)) if path.suffix.lower() in SUFFIXES]
    if not files:
        raise InputError(f"{data} must hold a folder of images for each class, but it holds no image")
    return Labelled([path for path, _ in files], [label for _, label in files], [str(path) for path, _ in files])
