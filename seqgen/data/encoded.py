"""A corpus as token numbers in cached files: as one stream, or as separate documents."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from seqgen.data.corpus import Corpus
from seqgen.data.numbers import Numbers
from seqgen.data.store import Ragged, stored
from seqgen.symbols import EOS
from seqgen.text.backward import BackwardTokenizer
from seqgen.text.tokenizer import Tokenizer, tokenizer_data

DocumentKind = Literal["none", "lines", "blank-lines", "files"]


def encode_stream(corpus: Corpus, tokenizer: Tokenizer) -> Numbers:
    """Return the (tokens,) numbers of a corpus, read from a file as they are needed."""
    return _blocks(corpus, tokenizer).values


def _blocks(corpus: Corpus, tokenizer: Tokenizer) -> Ragged:
    def rows() -> Iterator[tuple[np.ndarray]]:
        if isinstance(tokenizer, BackwardTokenizer):  # the last block comes first
            yield from ((block[::-1],) for block in reversed(_blocks(corpus, tokenizer.tokenizer)))
        else:
            yield from ((tokenizer.encode(block),) for block in corpus.blocks())

    [blocks] = stored(_identity(corpus, tokenizer), rows, [tokenizer.vocab_size])
    return blocks


def encode_documents(corpus: Corpus, tokenizer: Tokenizer, kind: DocumentKind) -> Ragged:
    """Return the token numbers of each document, EOS included.

    Args:
        corpus: the text.
        tokenizer: of the text.
        kind: "lines", "blank-lines" or "files", as in `read_documents`.
    """
    end = np.array([EOS])

    def rows() -> Iterator[tuple[np.ndarray]]:
        for document in read_documents(corpus, kind):
            yield (np.concatenate([tokenizer.encode(document), end]),)

    [documents] = stored([*_identity(corpus, tokenizer), kind], rows, [tokenizer.vocab_size])
    return documents


def token_counts(tokens: np.ndarray | Sequence[int], vocab_size: int) -> np.ndarray:
    """Return the (vocabulary,) frequencies of tokens, counted in blocks because they may not fit memory."""
    blocks = (tokens[begin : begin + (1 << 22)] for begin in range(0, len(tokens), 1 << 22))
    return sum((np.bincount(block, minlength=vocab_size) for block in blocks), np.zeros(vocab_size, np.int64))


def _identity(corpus: Corpus, tokenizer: Tokenizer) -> list[Any]:
    return ["corpus", corpus.fingerprint, tokenizer_data(tokenizer)]


def read_documents(corpus: Corpus, documents: DocumentKind) -> Iterator[str]:
    """Yield the documents of a corpus, without the line ends around them; empty ones are left out.

    Args:
        corpus: the text.
        documents: "lines" (each line is one), "blank-lines" (which separate them) or "files".
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
