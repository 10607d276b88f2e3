"""A corpus as token numbers, in memory or in a memory-mapped file."""

import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from seqgen.data.corpus import Corpus
from seqgen.files import cache_directory, writing
from seqgen.symbols import EOS
from seqgen.text.tokenizer import Tokenizer

logger = logging.getLogger(__name__)

STRETCH = 1 << 24  # tokens

DocumentKind = Literal["none", "lines", "blank-lines", "files"]


def encode_corpus(corpus: Corpus, tokenizer: Tokenizer, documents: DocumentKind = "none") -> np.ndarray:
    """Return the tokens of a corpus as a read-only memory map, encoding it only where the cache lacks it.

    Args:
        corpus: the text.
        tokenizer: what reads it.
        documents: what ends a document, and so is replaced by EOS; with "none" the text is one stream.

    Returns:
        (tokens,) numbers of the smallest unsigned type that holds the vocabulary.
    """
    described = [corpus.fingerprint, tokenizer.kind, tokenizer.to_data(), documents]
    key = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:32]
    dtype = np.min_scalar_type(tokenizer.vocab_size - 1)
    path = cache_directory() / f"{key}.{dtype.name}"
    if not path.exists():
        _encode_to(path, dtype, _encoded_blocks(corpus, tokenizer, documents))
    if path.stat().st_size == 0:
        return np.zeros(0, dtype)
    return np.memmap(path, dtype=dtype, mode="r")


def _encode_to(path: Path, dtype: np.dtype, blocks: Iterator[np.ndarray]) -> None:
    with writing(path) as file:
        for block in blocks:
            file.write(block.astype(dtype).tobytes())


def _encoded_blocks(corpus: Corpus, tokenizer: Tokenizer, documents: DocumentKind) -> Iterator[np.ndarray]:
    if documents == "none":
        yield from map(tokenizer.encode, corpus.blocks())
        return
    end = np.array([EOS])
    for document in read_documents(corpus, documents):
        yield np.concatenate([tokenizer.encode(document), end])


def read_documents(corpus: Corpus, documents: DocumentKind) -> Iterator[str]:
    """Yield the documents of a corpus, without the line ends around them; empty ones are left out.

    Args:
        corpus: the text.
        documents: "lines" (each line is one), "blank-lines" (they stand between them) or "files".
    """
    for file in corpus.files():
        if documents == "files":
            pieces: Iterator[str] = iter(["".join(file)])
        else:
            pieces = _paragraphs(file) if documents == "blank-lines" else _lines(file)
        for piece in pieces:
            if document := piece.strip("\n"):
                yield document


def _lines(blocks: Iterator[str]) -> Iterator[str]:
    rest = ""
    for block in blocks:
        *lines, rest = (rest + block).split("\n")
        yield from (line for line in lines if line.strip())
    yield from [rest] if rest.strip() else []


def _paragraphs(blocks: Iterator[str]) -> Iterator[str]:
    lines: list[str] = []
    rest = ""
    for block in blocks:
        *whole, rest = (rest + block).split("\n")
        for line in whole:
            if line.strip():
                lines.append(line)
            elif lines:
                yield "\n".join(lines)
                lines = []
    if rest.strip():
        lines.append(rest)
    yield "\n".join(lines)


def document_ends(tokens: np.ndarray) -> np.ndarray:
    """Return the position after each document's EOS, looked for in stretches because the tokens may not fit memory."""
    begins = range(0, len(tokens), STRETCH)
    found = [np.flatnonzero(tokens[begin : begin + STRETCH] == EOS) + begin + 1 for begin in begins]
    return np.concatenate([np.zeros(0, dtype=np.int64), *found])
