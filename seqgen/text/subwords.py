"""Subword tokens, learned by sentencepiece; characters outside of the vocabulary are read as bytes."""

import base64
import codecs
import io
import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Self

import numpy as np
import sentencepiece

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.symbols import BOS, EOS, PAD, SYMBOLS, UNK
from seqgen.text.tokenizer import decode_all, in_blocks

SPACE = "\u2581"  # sentencepiece's mark for a space; in a text, the mark itself is decoded as a space, too
LONGEST = 4_000  # characters of a line to learn from
MOST_LINES = 200_000  # to learn from, sampled from all lines; a million take a GB of memory


@checked
class SubwordTokenizer:
    """Subwords with the spaces before them (Kudo and Richardson 2018, SentencePiece), by a unigram language model.

    Kudo 2018, Subword Regularization.

    Args:
        model: a serialized sentencepiece model.
    """

    kind = "subword"
    algorithm = "unigram"

    def __init__(self, model: bytes):
        self.model = model
        try:
            self.processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        except RuntimeError:
            raise InputError(f"model must be one of sentencepiece, not {len(model):,} other bytes") from None

    @classmethod
    def fit(cls, text: str | Iterable[str], *, largest: int = 8_000) -> Self:
        """Learn the subwords of a text.

        Args:
            text: whole or in blocks.
            largest: maximum number of tokens, the 4 special ones and the 256 bytes included; a small text has fewer.

        Raises:
            InputError: the text has fewer than two different characters, or the vocabulary is too small for it.
        """
        lines = (part for block in in_blocks(text) for line in block.splitlines() for part in _parts(line))
        first, seen = [], set[str]()
        for line in lines:
            first.append(line)
            seen.update(line)
            if len(seen) > 1:
                break
        else:
            raise InputError(f"the text must hold at least two different characters, but it holds {len(seen)}")
        written = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=itertools.chain(first, lines),
                model_writer=written,
                model_type=cls.algorithm,
                vocab_size=largest,
                hard_vocab_limit=False,
                byte_fallback=True,
                normalization_rule_name="identity",
                remove_extra_whitespaces=False,
                add_dummy_prefix=False,
                pad_id=PAD,
                bos_id=BOS,
                eos_id=EOS,
                unk_id=UNK,
                max_sentence_length=1 << 20,
                input_sentence_size=MOST_LINES,
                num_threads=1,  # with more, the same text may give other subwords
                minloglevel=2,
            )
        except RuntimeError as error:
            reason = " ".join(str(error).split())[-200:]
            raise InputError(f"a vocabulary of {largest} tokens does not suit this text: {reason}") from None
        return cls(written.getvalue())

    @property
    def vocab_size(self) -> int:
        """The number of tokens, the special ones included."""
        return int(self.processor.vocab_size())

    def encode(self, text: str) -> np.ndarray:
        """Return the token numbers of the subwords; a line end is read as a byte."""
        clean = text.encode("utf-8", errors="replace").decode()  # without lone surrogates
        return np.array(self.processor.encode(clean), dtype=np.int64)

    def decode(self, tokens: int | Iterable[int], **options: Any) -> str:
        """Return the text of these tokens."""
        return decode_all(self.detokenizer(), tokens)

    def detokenizer(self) -> "SubwordDetokenizer":
        """Return an object that decodes token by token."""
        return SubwordDetokenizer(self.processor)

    def unseen(self, text: str) -> list[str]:
        """Return an empty list: characters outside of the vocabulary are read as bytes."""
        return []

    def extended(self, text: str | Iterable[str]) -> Self:
        """Return the same tokenizer: characters outside of the vocabulary are read as bytes."""
        return self

    def to_data(self) -> dict[str, Any]:
        """Return the model as plain data."""
        return {"model": base64.b64encode(self.model).decode()}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """Return the tokenizer that `to_data` described."""
        return cls(base64.b64decode(data["model"]))


def _parts(line: str) -> Iterator[str]:
    """Yield a line in parts that begin with a space, or else anywhere: learning takes long for long ones."""
    while line:
        cut = len(line)
        if cut > LONGEST:
            space = line.rfind(" ", 1, LONGEST)
            cut = LONGEST if space < 0 else space
        yield line[:cut]
        line = line[cut:]


class BytePairTokenizer(SubwordTokenizer):
    """Subwords by byte-pair encoding: the most frequent pair is merged, again and again.

    Sennrich et al. 2016, Neural Machine Translation of Rare Words with Subword Units.
    """

    kind = "bpe"
    algorithm = "bpe"


class SubwordDetokenizer:
    """Buffers bytes until they form a character."""

    def __init__(self, processor: sentencepiece.SentencePieceProcessor):
        self._processor = processor
        self._bytes = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, token: int) -> str:
        """Return the subword, or the character that a byte completes."""
        if token < len(SYMBOLS):
            return ""
        piece: str = self._processor.id_to_piece(token)
        if self._processor.is_byte(token):
            return self._bytes.decode(bytes([int(piece[1:-1], 16)]))
        return self.flush() + piece.replace(SPACE, " ")

    def __copy__(self) -> "SubwordDetokenizer":
        other = SubwordDetokenizer(self._processor)
        other._bytes.setstate(self._bytes.getstate())
        return other

    def flush(self) -> str:
        """Return U+FFFD where a character was left incomplete."""
        rest = self._bytes.decode(b"", final=True)
        self._bytes.reset()
        return rest
