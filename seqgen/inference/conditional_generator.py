"""A conditional generator in use: texts for a category, or for numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from seqgen import patterns
from seqgen.batches.examples import Batchable
from seqgen.batches.pairs import Pairs, pairs
from seqgen.data.labelled import LARGEST, Labelled, read_numbers
from seqgen.data.store import stored
from seqgen.errors import InputError, nearest
from seqgen.generation.config import GenerationConfig
from seqgen.inference.encoder_decoder import EncoderDecoderBundle, line_options
from seqgen.inference.known_tokens import require_known
from seqgen.inference.parts import GENERATION, tokenizer_part
from seqgen.inference.schemas import Conditions
from seqgen.inference.score import Score
from seqgen.models import EncoderDecoder
from seqgen.text.tokenizer import Tokenizer

LONGEST = 60  # maximum number of tokens of a text, by default
HYPOTHESES = 256  # maximum number of hypotheses of a batch


@dataclass(kw_only=True)
class ConditionalGenerator(EncoderDecoderBundle):
    """An encoder of categories or numbers and a decoder with its tokenizer.

    Args:
        target: the tokenizer of texts.
        generation: the options that generation starts from.
        categories: their names, by their numbers; empty where conditions are numbers.
        mean: the mean over the training texts of each number of a condition, which is subtracted from it.
        deviation: its standard deviation, by which the difference is divided.
    """

    builder = "conditional_generator"
    files: ClassVar = {
        "tokenizer.json": tokenizer_part("target"),
        "generation_config.json": GENERATION,
        "conditions.json": Conditions,
    }

    categories: list[str]
    mean: list[float]
    deviation: list[float]

    @classmethod
    def of(
        cls,
        model: EncoderDecoder,
        *,
        target: Tokenizer,
        generation: GenerationConfig | None = None,
        categories: list[str] | None = None,
        mean: list[float] | None = None,
        deviation: list[float] | None = None,
        builder: Callable[..., EncoderDecoder] | None = None,
        arguments: dict[str, Any] | None = None,
    ) -> Self:
        """Return the generator of a model.

        Args:
            model: an encoder of (batch,) categories or (batch, numbers), and a decoder.
            target: the tokenizer of texts.
            generation: the options that generation starts from; by default sampling of at most 60 tokens.
            categories: their names, by their numbers; none where conditions are numbers.
            mean: of each number of a condition, which is subtracted from it.
            deviation: standard deviation of each number, by which the difference is divided.
            builder: a function of one's own that makes this model of `arguments` alone, to save it: whoever loads the
                model gives that function, too.
            arguments: plain data: those of `builder`, or the options that `patterns.conditional_generator` was given.

        Raises:
            InputError: `builder` makes another model of `arguments`.
        """
        generation = generation or line_options(target, LONGEST)
        conditions: dict[str, Any] = {"categories": categories or [], "mean": mean or [], "deviation": deviation or []}
        parts: dict[str, Any] = {"target": target, "generation": generation, **conditions}
        return cls(model=model, arguments=arguments or {}, own_builder=builder, **parts)

    @classmethod
    def untrained(
        cls,
        *,
        target: Tokenizer,
        generation: GenerationConfig | None = None,
        categories: list[str] | None = None,
        mean: list[float] | None = None,
        deviation: list[float] | None = None,
        **arguments: Any,
    ) -> Self:
        """Return an untrained generator; `arguments` are the options of `patterns.conditional_generator`."""
        model = patterns.conditional_generator(target.vocab_size, len(categories or []), len(mean or []), **arguments)
        parts: dict[str, Any] = {"categories": categories, "mean": mean, "deviation": deviation}
        return cls.of(model, target=target, generation=generation, arguments=arguments, **parts)

    def generate(self, conditions: str | Sequence[Any], prompt: str = "", **options: Any) -> list[str]:
        """Generate a text for a condition, or for each of several.

        Args:
            conditions: a category, or numbers as a text such as "0.3, 12"; or a list of these, or of lists of numbers.
            prompt: beginning of every text.
            **options: those of `GenerationConfig`, and `minimum_bayes_risk`; the others are as the model's
                `generation_config.json` sets them.

        Returns:
            The texts of all conditions, `num_return_sequences` for each, sampled ones by score. With a random seed the
            same condition gives the same texts again.

        Raises:
            InputError: a category without training texts, an unknown option, or a value outside its range.
        """
        rows = [self.encode(one) for one in ([conditions] if isinstance(conditions, str) else conditions)]
        return [one.text for found in self.write(rows, prefix=prompt, **options) for one in found]

    def score(self, conditions: str | Sequence[Any], texts: str | Sequence[str]) -> list[Score]:
        """Return the log-probability of a text for each condition, or of one for one, in nats.

        Raises:
            InputError: a condition that the model does not know, or more conditions than texts, or fewer.
        """
        rows = [self.encode(one) for one in ([conditions] if isinstance(conditions, str) else conditions)]
        return self.scored(rows, [texts] if isinstance(texts, str) else texts)

    def budget(self, hypotheses: int) -> int:
        """Return the maximum number of conditions of a batch."""
        return max(HYPOTHESES // hypotheses, 1)

    def encode(self, given: Any) -> Tensor:
        """Return a condition as the encoder takes it: the number of a category, or the normalized (numbers,)."""
        if self.categories:
            return torch.tensor(self._category(given))
        numbers = torch.tensor(_numbers(given, len(self.mean)))
        return (numbers - torch.tensor(self.mean)) / torch.tensor(self.deviation)

    def lengths(self, rows: Sequence[Tensor]) -> np.ndarray:
        """Return ones: each condition is one position."""
        return np.ones(len(rows), dtype=np.int64)

    def collate(self, rows: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return the (batch,) categories or (batch, numbers)."""
        return (torch.stack(list(rows)),)

    def examples(self, data: Labelled) -> Batchable[Pairs]:
        """Return texts with their labels as conditions, for training: encoded once, into a cached file.

        Raises:
            InputError: a label that is not a condition of this model.
        """
        longest, target = self.generation.max_new_tokens, self.target
        identity = [data.fingerprint, self.parts()]
        [texts] = stored(identity, lambda: ((target.encode(text),) for text in data.inputs), [target.vocab_size])
        require_known("target", texts, data.inputs, target)
        conditions = torch.stack([self.encode(label) for label in data.labels])

        def collate(numbers: np.ndarray) -> Pairs:
            return pairs((conditions[numbers],), [texts[number] for number in numbers], longest)

        return Batchable(np.minimum(texts.lengths + 1, longest), collate)

    def _options(self, minimum_bayes_risk: int, options: dict[str, Any]) -> tuple[int, GenerationConfig]:
        if options.get("coverage_penalty"):
            raise InputError("coverage_penalty must be 0 for a condition, which is only one position to attend to")
        return super()._options(minimum_bayes_risk, options)

    def _category(self, condition: Any) -> int:
        if condition not in self.categories:
            known = ", ".join(self.categories[:20]) + (", ..." if len(self.categories) > 20 else "")
            hint = nearest(str(condition), self.categories)
            raise InputError(f"a condition must be one of {known}, not {condition!r}{hint}")
        return self.categories.index(condition)


def _numbers(condition: Any, count: int) -> list[float]:
    try:
        numbers = read_numbers(condition) if isinstance(condition, str) else [float(number) for number in condition]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != count or not all(abs(number) <= LARGEST for number in numbers):
        received = " ".join(repr(condition).split())  # that of an array has several lines
        raise InputError(f"a condition must be {count} finite numbers, not {received}")
    return numbers
