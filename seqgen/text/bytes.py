"""One token for each byte of UTF-8: no text has unknown tokens, and the vocabulary need not be learned."""

import codecs
from collections.abc import Iterable
from typing import Any

import numpy as np

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.symbols import SYMBOLS
from seqgen.text.tokenizer import decode_all, in_blocks


@checked
class ByteTokenizer:
    """The 256 bytes, after the special tokens."""

    kind = "byte"
    vocab_size = 256 + len(SYMBOLS)

    @classmethod
    def fit(cls, text: str | Iterable[str], *, largest: int = 0) -> "ByteTokenizer":
        """Return the tokenizer, which is the same for every text, and of the same size.

        Raises:
            InputError: the text has fewer than two different characters.
        """
        seen: set[str] = set()
        for block in in_blocks(text):
            seen.update(block)
            if len(seen) > 1:
                return cls()
        raise InputError(f"the text must hold at least two different characters, but it holds {len(seen)}")

    def encode(self, text: str) -> np.ndarray:
        """Return the token number of each byte of the text's UTF-8."""
        encoded = text.encode("utf-8", errors="surrogatepass")
        return np.frombuffer(encoded, dtype=np.uint8).astype(np.int64) + len(SYMBOLS)

    def decode(self, tokens: int | Iterable[int], **options: Any) -> str:
        """Return the text of these tokens, with U+FFFD where the bytes are not UTF-8."""
        return decode_all(self.detokenizer(), tokens)

    def detokenizer(self) -> "ByteDetokenizer":
        """Return an object that decodes token by token."""
        return ByteDetokenizer()

    def unseen(self, text: str) -> list[str]:
        """Return an empty list: every text consists of bytes."""
        return []

    def extended(self, text: str | Iterable[str]) -> "ByteTokenizer":
        """Return the same tokenizer: every text consists of bytes."""
        return self

    def to_data(self) -> dict[str, Any]:
        """Return an empty dictionary: every tokenizer of bytes is the same."""
        return {}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "ByteTokenizer":
        """Return the tokenizer."""
        return cls()


class ByteDetokenizer:
    """Buffers bytes until they form a character."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, token: int) -> str:
        """Return the character that this byte completes, or an empty text."""
        return "" if token < len(SYMBOLS) else self._decoder.decode(bytes([token - len(SYMBOLS)]))

    def __copy__(self) -> "ByteDetokenizer":
        other = ByteDetokenizer()
        other._decoder.setstate(self._decoder.getstate())
        return other

    def flush(self) -> str:
        """Return U+FFFD where a character was left incomplete."""
        return self._decoder.decode(b"", final=True)
