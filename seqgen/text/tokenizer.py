"""What every tokenizer offers, and how one is found by name."""

import pkgutil
from collections.abc import Iterable
from typing import Any, Protocol, Self

import numpy as np

from seqgen.errors import InputError, nearest

KINDS = {
    "char": "seqgen.text.characters:CharacterTokenizer",
    "byte": "seqgen.text.bytes:ByteTokenizer",
    "word": "seqgen.text.words:WordTokenizer",
    "subword": "seqgen.text.subwords:SubwordTokenizer",
    "bpe": "seqgen.text.subwords:BytePairTokenizer",
    "lowercase-word": "seqgen.text.words:LowercaseWordTokenizer",
}


class Detokenizer(Protocol):
    """Turns tokens into text one by one, so that text can be shown as it is written."""

    def push(self, token: int) -> str:
        """Return the text that this token completes, maybe none."""
        ...

    def flush(self) -> str:
        """Return what is still held back."""
        ...


class Tokenizer(Protocol):
    """Text to token numbers and back; the first four numbers are those of `seqgen.symbols`."""

    kind: str

    @property
    def vocab_size(self) -> int:
        """How many tokens there are, the special ones included."""
        ...

    @classmethod
    def fit(cls, text: str | Iterable[str], *, largest: int = ...) -> Self:
        """Learn the vocabulary, of `largest` symbols at most, from a text, whole or in blocks."""
        ...

    def encode(self, text: str) -> np.ndarray:
        """Return the int64 token numbers of a text; what is not in the vocabulary becomes UNK."""
        ...

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of these tokens."""
        ...

    def detokenizer(self) -> Detokenizer:
        """Return an object that decodes token by token."""
        ...

    def unseen(self, text: str) -> list[str]:
        """Return the pieces of a text that are not in the vocabulary, each once, in order."""
        ...

    def to_data(self) -> dict[str, Any]:
        """Return all that `from_data` needs, as plain JSON data."""
        ...

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """Return the tokenizer that `to_data` described."""
        ...


def tokenizer_class(kind: str) -> type[Tokenizer]:
    """Return the class of a kind: one of `KINDS`.

    Raises:
        InputError: there is no such kind.
    """
    if kind not in KINDS:
        raise InputError(f"tokenizer must be one of {', '.join(KINDS)}, not {kind!r}{nearest(kind, KINDS)}")
    found: type[Tokenizer] = pkgutil.resolve_name(KINDS[kind])
    return found


def fit_tokenizer(kind: str, text: str | Iterable[str], largest: int | None = None) -> Tokenizer:
    """Return a tokenizer of a kind, learned from a text; `largest` is the most symbols, by default as the kind has it.

    Raises:
        InputError: there is no such kind, or nothing to learn from the text.
    """
    return tokenizer_class(kind).fit(text, **({} if largest is None else {"largest": largest}))


def tokenizer_data(tokenizer: Tokenizer) -> dict[str, Any]:
    """Return a tokenizer of any kind as plain JSON data."""
    return {"kind": tokenizer.kind, **tokenizer.to_data()}


def tokenizer_from_data(data: dict[str, Any]) -> Tokenizer:
    """Return the tokenizer that `tokenizer_data` described."""
    return tokenizer_class(data["kind"]).from_data(data)


def in_blocks(text: str | Iterable[str]) -> Iterable[str]:
    """Return the blocks of a text, which may be a single one."""
    return [text] if isinstance(text, str) else text


def decode_all(detokenizer: Detokenizer, tokens: Iterable[int]) -> str:
    """Return the text of these tokens by way of a detokenizer."""
    return "".join(detokenizer.push(int(token)) for token in tokens) + detokenizer.flush()
