"""A translator in use: sentences in, sentences out, with what it looked at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from seqgen import patterns
from seqgen.batches.buckets import Buckets
from seqgen.batches.windows import padded
from seqgen.generation.config import GenerationConfig
from seqgen.inference.encoder_decoder import EncoderDecoderBundle, Written
from seqgen.symbols import EOS
from seqgen.text.tokenizer import Tokenizer, tokenizer_data, tokenizer_from_data

BUDGET = 16_384  # source tokens of a batch, times hypotheses


class Looks(NamedTuple):
    """What was looked at: (target pieces, source pieces) weights, each row of which sums to one."""

    source: list[str]
    target: list[str]
    weights: np.ndarray


class Translation(NamedTuple):
    """A sentence, its log-probability in nats after the length penalty, and what was looked at where that was asked."""

    text: str
    score: float
    attention: Looks | None = None


@dataclass
class Translator(EncoderDecoderBundle):
    """An encoder and a decoder with their tokenizers.

    Args:
        target: the tokenizer of what is written.
        generation: the options that translating starts from.
        source: the tokenizer of what is read; the same object as `target` where they share one.
        max_length: the most tokens that are read of a sentence.
    """

    builder = "translator"
    files = ("source.json", "generation_config.json", "lengths.json")

    source: Tokenizer
    max_length: int

    def parts(self) -> dict[str, dict[str, Any]]:
        """Return tokenizers and options as plain data."""
        return {
            "source.json": tokenizer_data(self.source),
            "generation_config.json": self.generation.to_data(),
            "lengths.json": {
                "max_length": self.max_length,
                "target": None if self.target is self.source else tokenizer_data(self.target),
            },
        }

    @classmethod
    def built(cls, arguments: dict[str, Any], parts: dict[str, dict[str, Any]]) -> Self:
        """Return an untrained translator with the parts that `parts` described."""
        source = tokenizer_from_data(parts["source.json"])
        lengths = parts["lengths.json"]
        target = source if lengths["target"] is None else tokenizer_from_data(lengths["target"])
        target_size = None if target is source else target.vocab_size
        model = patterns.translator(source.vocab_size, target_size, **arguments)
        generation = GenerationConfig().with_options(**parts["generation_config.json"])
        return cls(model, arguments, target, generation, source, lengths["max_length"])

    def translate(
        self,
        texts: str | list[str],
        *,
        prefix: str = "",
        return_attention: bool = False,
        minimum_bayes_risk: int = 0,
        **options: Any,
    ) -> list[Translation]:
        """Translate one sentence, or several; batches are made of them inside.

        Args:
            texts: the sentences; one of white space alone becomes an empty one.
            prefix: what every translation begins with.
            return_attention: whether to say what each piece looked at.
            minimum_bayes_risk: draw so many translations of each, and choose those most like all the others by chrF
                (Eikema and Aziz 2020, Is MAP Decoding All You Need?); 0 searches or draws as the options say.
            **options: those of `GenerationConfig`; what is not given is as the model's `generation_config.json` has it.

        Returns:
            The translations, `num_return_sequences` of each sentence after another, the best first.

        Raises:
            InputError: an option that does not exist, or a value outside its range.
        """
        texts = [texts] if isinstance(texts, str) else texts
        written = self.write(
            len(texts),
            lambda each: self._batches(texts, each),
            prefix=prefix,
            watched=return_attention,
            minimum_bayes_risk=minimum_bayes_risk,
            **options,
        )
        return [
            Translation(one.text, one.score, self._looks(text, one))
            for text, found in zip(texts, written, strict=True)
            for one in found
        ]

    def encode(self, text: str) -> np.ndarray:
        """Return the token numbers of a sentence, its end included, as far as they are read."""
        return np.append(self.source.encode(text)[: self.max_length], EOS)

    def _batches(self, texts: list[str], each: int) -> Iterator[tuple[list[int], tuple[Tensor, ...]]]:
        """Yield the numbers of sentences of like length with their tokens."""
        numbers = [number for number, text in enumerate(texts) if text.strip()]
        if not numbers:
            return
        rows = [self.encode(texts[number]) for number in numbers]
        lengths = np.array([len(row) for row in rows])
        for batch in Buckets(lengths, max(BUDGET // each, 1)).once():
            tokens = torch.from_numpy(padded([rows[place] for place in batch]))
            yield [numbers[place] for place in batch], (tokens,)

    def _looks(self, text: str, written: Written) -> Looks | None:
        if written.weights is None:
            return None
        tokens = self.encode(text)[:-1].tolist() if text.strip() else []
        pieces = [*(self.source.decode([token]) for token in tokens), "</s>"] if tokens else []
        return Looks(pieces, written.pieces, written.weights)
