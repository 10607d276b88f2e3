"""Pretrained word vectors in text files: those of GloVe, word2vec and fastText, plain or gzipped."""

from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqgen.data.text_file import TextFile
from seqgen.errors import InputError


class WordVectors(NamedTuple):
    """Words and their (words, size) vectors."""

    words: list[str]
    vectors: np.ndarray


def vector_size(place: str) -> int:
    """Return the number of values of each vector in a file.

    Raises:
        InputError: it is not there, or its first lines are not those of word vectors.
    """
    file = _file(place)
    for number, line in _rows(file):
        values = line.split()[1:]
        if not values:
            raise InputError(f"{file.at(number)}: a line of vectors must have a word and its values, not {line[:60]!r}")
        _vector(values, len(values), file.at(number))
        return len(values)
    raise InputError(f"{place} must hold a word and its vector in each line, but it holds none")


def read_vectors(place: str, wanted: Container[str]) -> WordVectors:
    """Return the vectors of the wanted words that a file has; its other lines are skipped, one at a time.

    Args:
        place: the file: a word and its values in each line, after a line with their counts in those of word2vec and
            fastText. Of a word that is there twice, the first vector is taken.
        wanted: the words.

    Raises:
        InputError: the file is not there or is damaged, or a vector has another size than the first, or values that are
            not finite numbers.
    """
    size, file = vector_size(place), _file(place)
    found: dict[str, np.ndarray] = {}
    for number, line in _rows(file):
        if not line.strip() or line.split(" ", 1)[0] not in wanted:
            continue
        word, *values = line.rstrip().rsplit(" ", size)  # some files have words with spaces
        if word in wanted and word not in found:
            found[word] = _vector(values, size, file.at(number))
    return WordVectors(list(found), np.stack([*found.values()]) if found else np.zeros((0, size), np.float32))


def first_words(place: str, count: int) -> list[str]:
    """Return the first words of a file of word vectors, at most `count` of them; these files begin with frequent ones.

    Raises:
        InputError: the file is not there, or its first lines are not those of word vectors.
    """
    size, words = vector_size(place), list[str]()
    for _, line in _rows(_file(place)):
        if len(words) >= count:
            break
        word = line.rstrip().rsplit(" ", size)[0]
        if len(word.split()) == 1:  # words with spaces are none of a text
            words.append(word)
    return list(dict.fromkeys(words))


def _file(place: str) -> TextFile:
    if not Path(place).is_file():
        raise InputError(f"vectors must be a text file of word vectors, but {place!r} is not a file")
    return TextFile(Path(place), place)


def _rows(file: TextFile) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers, but for a first one that has the numbers of words and values."""
    for number, line in enumerate(file.lines(), start=1):
        counts = line.split() if number == 1 else []
        if len(counts) != 2 or not all(count.isdecimal() for count in counts):
            yield number, line


def _vector(values: list[str], size: int, place: str) -> np.ndarray:
    if len(values) != size:
        raise InputError(f"{place}: a vector must have {size} values as the first one has, not {len(values)}")
    try:
        vector = np.array(values, dtype=np.float32)
    except ValueError as error:
        raise InputError(f"{place}: a vector must have numbers after its word, but: {error}") from None
    if not np.isfinite(vector).all():
        raise InputError(f"{place}: a vector must have finite values, but it holds NaN or infinity")
    return vector
