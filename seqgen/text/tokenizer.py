"""The protocol of tokenizers, and the functions that make one of a kind."""

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
    "whitespace": "seqgen.text.whitespace:WhitespaceTokenizer",
}
BACKWARD = "seqgen.text.backward:BackwardTokenizer"  # around one of these kinds


class Detokenizer(Protocol):
    """Decodes tokens one by one, so that text can be streamed; a copy (`copy.copy`) goes on by itself."""

    def push(self, token: int) -> str:
        """Return the text that this token completes, possibly an empty one."""
        ...

    def flush(self) -> str:
        """Return the text that is still buffered."""
        ...


class Tokenizer(Protocol):
    """Text to token numbers and back; the first four numbers are those of `seqgen.symbols`."""

    kind: str

    @property
    def vocab_size(self) -> int:
        """The number of tokens, the special ones included."""
        ...

    def encode(self, text: str) -> np.ndarray:
        """Return the int64 token numbers of a text; what is not in the vocabulary becomes UNK."""
        ...

    def decode(self, tokens: int | Iterable[int], **options: Any) -> str:
        """Return the text of these tokens, or of a single one.

        Special tokens have no text, so that options of `transformers`, such as `skip_special_tokens`, change nothing.
        """
        ...

    def detokenizer(self) -> Detokenizer:
        """Return an object that decodes token by token."""
        ...

    def unseen(self, text: str) -> list[str]:
        """Return the pieces of a text that are not in the vocabulary, each once, in order."""
        ...

    def extended(self, text: str | Iterable[str]) -> Self:
        """Return a tokenizer that also knows the symbols of a text; the tokens of this one keep their numbers."""
        ...

    def to_data(self) -> dict[str, Any]:
        """Return all that makes the tokenizer again, as plain JSON data."""
        ...


class LearnedTokenizer(Tokenizer, Protocol):
    """A tokenizer of one of `KINDS`, which is learned from a text."""

    @classmethod
    def fit(cls, text: str | Iterable[str], *, largest: int = ...) -> Self:
        """Learn a vocabulary of at most `largest` symbols from a text, whole or in blocks."""
        ...

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """Return the tokenizer that `to_data` described."""
        ...


def tokenizer_class(kind: str) -> type[LearnedTokenizer]:
    """Return the class of a kind: one of `KINDS`.

    Raises:
        InputError: an unknown kind.
    """
    if kind not in KINDS:
        raise InputError(f"tokenizer must be one of {', '.join(KINDS)}, not {kind!r}{nearest(kind, KINDS)}")
    found: type[LearnedTokenizer] = pkgutil.resolve_name(KINDS[kind])
    return found


def fit_tokenizer(kind: str, text: str | Iterable[str], largest: int | None = None) -> Tokenizer:
    """Return a tokenizer of a kind, fitted to a text, with at most `largest` symbols; by default the kind's own limit.

    Raises:
        InputError: an unknown kind, or a text with fewer than two different symbols.
    """
    return tokenizer_class(kind).fit(text, **({} if largest is None else {"largest": largest}))


def tokenizer_data(tokenizer: Tokenizer) -> dict[str, Any]:
    """Return a tokenizer of any kind as plain JSON data."""
    return {"kind": tokenizer.kind, **tokenizer.to_data()}


def tokenizer_from_data(data: dict[str, Any]) -> Tokenizer:
    """Return the tokenizer that `tokenizer_data` described."""
    learned = tokenizer_class(data["kind"]).from_data(data)
    found: Tokenizer = pkgutil.resolve_name(BACKWARD)(learned) if data.get("backward") else learned
    return found


def in_blocks(text: str | Iterable[str]) -> Iterable[str]:
    """Return the blocks of a text, which may be a single one."""
    return [text] if isinstance(text, str) else text


def decode_all(detokenizer: Detokenizer, tokens: int | Iterable[int]) -> str:
    """Return the text of these tokens, or of a single one, decoded by a detokenizer."""
    tokens = [tokens] if isinstance(tokens, int) else tokens
    return "".join(detokenizer.push(int(token)) for token in tokens) + detokenizer.flush()
