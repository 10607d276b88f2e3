"""The task of a translator: sentences in, sentences out, with the attention weights between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from seqgen.arguments import checked
from seqgen.symbols import EOS
from seqgen.tasks.encoder_decoder import EncoderDecoderTask, Written
from seqgen.tasks.parts import GENERATION, Part, tokenizer_part
from seqgen.tasks.schemas import MaxLength, TargetTokenizer
from seqgen.tasks.score import Score
from seqgen.tasks.token_batch import token_batch
from seqgen.text.tokenizer import Tokenizer, tokenizer_data, tokenizer_from_data

BUDGET = 16_384  # maximum number of source tokens of a batch, times hypotheses
SHARED = {"shared": True}  # the data of a target tokenizer that is the source tokenizer


class Alignment(NamedTuple):
    """Attention weights of a translation: (target pieces, source pieces), each row of which sums to one."""

    source: list[str]
    target: list[str]
    weights: np.ndarray


class Translation(NamedTuple):
    """A sentence, its log-probability in nats after the length penalty, and attention weights where asked for."""

    text: str
    score: float
    attention: Alignment | None = None


def _own_tokenizer(data: dict[str, Any]) -> Tokenizer | None:
    return None if data == SHARED else tokenizer_from_data(data)


@dataclass(kw_only=True)
@checked
class TranslatorTask(EncoderDecoderTask):
    """The tokenizers around an encoder and a decoder of sentences.

    Args:
        source: the tokenizer of source sentences; the same object as `target` where they share one.
        target: the tokenizer of translations.
        generation: the options that translating starts from.
        max_length: maximum number of source tokens that are read.
    """

    builder = "translator"
    files: ClassVar = {
        "source_tokenizer.json": tokenizer_part("source"),
        "target_tokenizer.json": Part("target", TargetTokenizer, tokenizer_data, _own_tokenizer),
        "generation_config.json": GENERATION,
        "preprocessing.json": MaxLength,
    }

    source: Tokenizer
    max_length: int

    def translate(
        self, texts: str | Sequence[str], *, prefix: str = "", return_attention: bool = False, **options: Any
    ) -> list[Translation]:
        """Translate one sentence, or several; batches are made of them inside.

        Args:
            texts: the sentences; the translation of white space alone is empty.
            prefix: beginning of every translation.
            return_attention: whether to return the attention weights of each piece.
            **options: those of `GenerationConfig`, and `minimum_bayes_risk`, a number of translations to sample of each
                sentence, of which those most like all the others by chrF are returned; the others are as the model's
                `generation_config.json` sets them. And `logits_processor` and `streamer`, as `write` takes them.

        Returns:
            The translations of all sentences, `num_return_sequences` of each, the best first.

        Raises:
            InputError: an unknown option, or a value outside its range.
        """
        texts = [texts] if isinstance(texts, str) else texts
        rows = [self.encode(text) if text.strip() else None for text in texts]
        written = self.write(rows, prefix=prefix, return_attention=return_attention, **options)
        return [
            Translation(one.text, one.score, self._alignment(row, one))
            for row, found in zip(rows, written, strict=True)
            for one in found
        ]

    def score(self, texts: str | Sequence[str], translations: str | Sequence[str]) -> list[Score]:
        """Return the log-probability of a translation of each sentence, or of one of one, in nats.

        Raises:
            InputError: there are more sentences than translations, or fewer.
        """
        texts, translations = ([one] if isinstance(one, str) else one for one in (texts, translations))
        return self.scored([self.encode(text) for text in texts], translations)

    def budget(self, hypotheses: int) -> int:
        """Return the maximum number of source tokens of a batch."""
        return max(BUDGET // hypotheses, 1)

    def encode(self, given: str) -> np.ndarray:
        """Return the tokens of a sentence, at most `max_length` of them, and EOS."""
        return np.append(self.source.encode(given)[: self.max_length], EOS)

    def arrays(self, rows: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Return the right-padded (batch, steps) source tokens."""
        return (token_batch(rows, self.source.vocab_size),)

    def _alignment(self, row: np.ndarray | None, written: Written) -> Alignment | None:
        if written.weights is None:
            return None
        source = [] if row is None else [*(self.source.decode([token]) for token in row[:-1].tolist()), "</s>"]
        return Alignment(source, written.pieces, written.weights)
