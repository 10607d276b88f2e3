"""Text from files, folders, globs, standard input, Python's own library, or a benchmark."""

import hashlib
from collections.abc import Iterator
from functools import cached_property

from seqgen.data.paths import find_files, kept
from seqgen.data.sets.benchmark_texts import BENCHMARK_TEXTS, Part, benchmark_text
from seqgen.data.sets.python_library import python_docs, python_source
from seqgen.data.text_file import TextFile
from seqgen.files import filling_cache, write_text


class Corpus:
    """Text in one or more files, read in blocks so that it may be larger than memory.

    Args:
        text_files: with the text.
        name: as `find` takes it again; that of a copy for a pipe, which can be read only once.
    """

    def __init__(self, text_files: list[TextFile], name: str):
        self.text_files, self.name = text_files, name

    @classmethod
    def find(cls, data: str, encoding: str = "utf-8", part: Part = "train") -> "Corpus":
        """Return the text that `--data` names: a named set, or what `find_files` finds.

        Args:
            data: "python-source", "python-docs", "ptb", "wikitext2", or the value of an option.
            encoding: of files.
            part: of a benchmark.

        Raises:
            InputError: it does not exist, is empty, or is not text.
        """
        if data == "python-source":
            return cls([TextFile(path, str(path)) for _, path in python_source()], data)
        if data == "python-docs":
            return cls([_kept_docs()], data)
        if data in BENCHMARK_TEXTS:
            return cls([benchmark_text(data, part)], data)
        data = kept(data)
        return cls(find_files(data, encoding), data)

    def files(self) -> Iterator[Iterator[str]]:
        """Yield each file as an iterator over its blocks."""
        for file in self.text_files:
            yield file.blocks()

    def blocks(self) -> Iterator[str]:
        """Yield the whole text in blocks that end at a line end, or else at a space."""
        for file in self.files():
            yield from file

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the content."""
        return hashlib.sha256("".join(file.fingerprint for file in self.text_files).encode()).hexdigest()


def _kept_docs() -> TextFile:
    text = python_docs()
    with filling_cache() as cache:
        path = cache / f"python-docs-{hashlib.sha256(text.encode()).hexdigest()[:16]}.txt"
        write_text(path, text)
    return TextFile(path, "python-docs")
