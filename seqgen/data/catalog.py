"""Data that `--data` can name: a set that is generated or downloaded once, or the user's own files and folders."""

from pathlib import Path
from typing import Literal

import numpy as np

from seqgen.data.captioned import Captioned, read_captioned
from seqgen.data.images import SUFFIXES
from seqgen.data.labelled import Labelled, files_by_class, read_texts, require_numbers
from seqgen.data.parallel import Parallel, read_pairs, read_parallel, sound
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

Files = tuple[str | None, str | None]  # of source sentences, and of their translations


def labelled_texts(
    data: str, valid: str | None, test: str | None, *, label_column: str, text_column: str, seed: int
) -> LabelledSplits:
    """Return labelled texts: "python-packages", or files and folders as `read_texts` reads them.

    Args:
        data: to train on, and to hold back from.
        valid: to validate on; by default held back.
        test: to test on; by default held back.
        label_column: name or number of the column with the label.
        text_column: name or number of the column with the text.
        seed: random seed of the split.
    """
    if data == "python-packages":
        passages, files = python_passages()
        return split_labelled(passages, None, None, seed, groups=list(map(str, files)))
    held_back = [read_texts(path, label_column, text_column) if path else None for path in (valid, test)]
    return split_labelled(read_texts(data, label_column, text_column), held_back[0], held_back[1], seed)


def conditioned_texts(
    data: str, *, label_column: str, text_column: str, conditions: Literal["categories", "numbers"], seed: int
) -> LabelledSplits:
    """Return texts with a category or numbers as their label: "function-names", or a file.

    Raises:
        InputError: for numbers, a label of anything else, or of fewer or more than the first; or too few texts.
    """
    texts = function_names() if data == "function-names" else read_texts(data, label_column, text_column)
    if conditions == "categories":
        return split_labelled(texts, None, None, seed)
    require_numbers(texts)
    if len(texts) < 20:
        raise InputError(f"there must be at least 20 texts to split, not {len(texts)}")
    order = np.random.default_rng(seed).permutation(len(texts))
    valid, test, train = np.split(order, [len(texts) // 10, len(texts) // 5])
    return LabelledSplits(texts.chosen(train), texts.chosen(valid), texts.chosen(test), [])


def tagged_texts(data: str, valid: str | None, test: str | None, *, column: str, seed: int) -> TaggedSplits:
    """Return tagged sequences: "python-source", or files as `read_tagged` reads them.

    Args:
        data: to train on, and to hold back from.
        valid: to validate on; by default held back.
        test: to test on; by default held back.
        column: name or number of a column of CoNLL-U.
        seed: random seed of the split.
    """
    if data == "python-source":
        return split_tagged(*highlighted_python(seed), seed)
    held_back = [read_tagged(path, column) if path else None for path in (valid, test)]
    return split_tagged(read_tagged(data, column), held_back[0], held_back[1], seed)


def parallel_texts(
    data: str, files: Files, valid: tuple[str | None, Files], test: tuple[str | None, Files], *, drop: bool, seed: int
) -> Splits[Parallel]:
    """Return pairs of sentences: "dates", Multi30k by name, a table, or two files.

    Args:
        data: a named set or a table, unless there are files.
        files: of sentences and of their translations.
        valid: the same to validate on; by default held back.
        test: the same to test on; by default held back.
        drop: whether to leave out malformed pairs, as `sound` does.
        seed: random seed of the split.

    Raises:
        InputError: a file without the other, files of splits for a set that has its own, or malformed pairs.
    """
    own = files != (None, None)
    for prefix, pair in (("", files), ("valid_", valid[1]), ("test_", test[1])):
        if (pair[0] is None) != (pair[1] is None):
            given, other = ("source", "target") if pair[1] is None else ("target", "source")
            raise InputError(f"--{prefix}{given} must come with --{prefix}{other}, which is missing")
    if own and data != "dates":
        raise InputError(f"--source must be without --data, which is {data!r}")
    if data == "dates" and not own:
        for name, part in (("valid", valid), ("test", test)):
            if part != (None, (None, None)):
                option = name if part[0] is not None else f"{name}_source"
                raise InputError(f"--{option} must come with --data or --source, as dates have their own parts")
        return Splits(*date_pairs(seed))
    train, *held_back = (
        _pairs(data, own, name, path, of_part)
        for name, path, of_part in (("train", data, files), ("valid", *valid), ("test", *test))
    )
    assert train is not None
    return split_parallel(sound(train, drop=drop), held_back[0], held_back[1], seed)


def _pairs(data: str, own: bool, part: str, path: str | None, files: Files) -> Parallel | None:
    """Return a split from its own file; None where it is to be held back."""
    source, target = files
    if source is not None and target is not None:
        return read_parallel(source, target)
    if not own and data in PAIRS and path in (None, data):
        return find_multi30k(data, part)
    return None if path is None else read_pairs(path)


def captioned_images(
    data: str, captions: str | None, valid: str | None, test: str | None, *, strays: Literal["skip", "error"], seed: int
) -> Splits[Captioned]:
    """Return images with captions: "scenes", or a folder of images and files of captions.

    Args:
        data: the folder.
        captions: file of captions to train on, and to hold back from.
        valid: file of captions to validate on; by default held back.
        test: file of captions to test on; by default held back.
        strays: for captions without an image, and images without captions: "skip" or "error".
        seed: random seed of scenes, or of the split.
    """
    if (data == "scenes") != (captions is None):
        raise InputError("--captions must come with --data, a folder of images, and that with --captions")
    if captions is None:
        return Splits(*(scenes(part, seed) for part in ("train", "valid", "test")))
    files = {"train": captions, "valid": valid, "test": test}
    return split_captioned(read_captioned(data, files, strays=strays), seed)


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
