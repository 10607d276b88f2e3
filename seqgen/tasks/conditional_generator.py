"""The task of a conditional generator: texts for a category, or for numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from seqgen.arguments import checked
from seqgen.data.labelled import LARGEST, read_numbers
from seqgen.errors import InputError, nearest
from seqgen.generation.config import GenerationConfig
from seqgen.tasks.encoder_decoder import EncoderDecoderTask
from seqgen.tasks.parts import GENERATION, tokenizer_part
from seqgen.tasks.schemas import Conditions
from seqgen.tasks.score import Score

HYPOTHESES = 256  # maximum number of hypotheses of a batch


@dataclass(kw_only=True)
@checked
class ConditionalGeneratorTask(EncoderDecoderTask):
    """The conditions, categories or numbers, and the tokenizer around an encoder and a decoder.

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

    def generate(self, conditions: str | Sequence[Any], prompt: str = "", **options: Any) -> list[str]:
        """Generate a text for a condition, or for each of several.

        Args:
            conditions: a category, or numbers as a text such as "0.3, 12"; or a list of these, or of lists of numbers.
            prompt: beginning of every text.
            **options: those of `GenerationConfig`, and `minimum_bayes_risk`; the others are as the model's
                `generation_config.json` sets them. And `logits_processor` and `streamer`, as `write` takes them.

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

    def encode(self, given: Any) -> np.ndarray:
        """Return a condition as the encoder takes it: the number of a category, or the normalized (numbers,)."""
        if self.categories:
            return np.array(self._category(given))
        numbers, mean, deviation = (
            np.array(each, np.float32) for each in (_numbers(given, len(self.mean)), self.mean, self.deviation)
        )
        normalized: np.ndarray = (numbers - mean) / deviation
        return normalized

    def lengths(self, rows: Sequence[np.ndarray]) -> np.ndarray:
        """Return ones: each condition is one position."""
        return np.ones(len(rows), dtype=np.int64)

    def arrays(self, rows: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Return the (batch,) categories or (batch, numbers)."""
        return (np.stack(rows),)

    def _options(self, minimum_bayes_risk: int, options: dict[str, Any]) -> tuple[int, GenerationConfig]:
        if options.get("coverage_penalty"):
            raise InputError("coverage_penalty must be 0 for a condition, which is only one position to attend to")
        return super()._options(minimum_bayes_risk, options)

    def _category(self, condition: Any) -> int:
        if not isinstance(condition, str) or condition not in self.categories:
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
