"""A conditional generator in use: texts of a category, or to some numbers."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from seqgen import patterns
from seqgen.errors import InputError, nearest
from seqgen.generation.config import GenerationConfig
from seqgen.inference.encoder_decoder import EncoderDecoderBundle
from seqgen.text.tokenizer import tokenizer_data, tokenizer_from_data

TEXTS = 256  # of a batch


@dataclass
class ConditionalGenerator(EncoderDecoderBundle):
    """An encoder of categories or numbers and a decoder with its tokenizer.

    Args:
        target: the tokenizer of what is written.
        generation: the options that writing starts from.
        categories: their names, by their numbers; none where conditions are numbers.
        mean: of each number that is given, which is subtracted from it.
        deviation: of each number that is given, by which the rest is divided.
    """

    builder = "conditional_generator"
    files = ("tokenizer.json", "generation_config.json", "conditions.json")

    categories: list[str]
    mean: list[float]
    deviation: list[float]

    def parts(self) -> dict[str, dict[str, Any]]:
        """Return tokenizer, options and conditions as plain data."""
        return {
            "tokenizer.json": tokenizer_data(self.target),
            "generation_config.json": self.generation.to_data(),
            "conditions.json": {"categories": self.categories, "mean": self.mean, "deviation": self.deviation},
        }

    @classmethod
    def built(cls, arguments: dict[str, Any], parts: dict[str, dict[str, Any]]) -> Self:
        """Return an untrained generator with the parts that `parts` described."""
        target = tokenizer_from_data(parts["tokenizer.json"])
        conditions = parts["conditions.json"]
        categories, numbers = len(conditions["categories"]), len(conditions["mean"])
        model = patterns.conditional_generator(target.vocab_size, categories=categories, numbers=numbers, **arguments)
        generation = GenerationConfig().with_options(**parts["generation_config.json"])
        return cls(model, arguments, target, generation, **conditions)

    def generate(self, conditions: str | Sequence[Any], prompt: str = "", **options: Any) -> list[str]:
        """Write a text to a condition, or to each of several.

        Args:
            conditions: a category, or numbers as a text such as "0.3, 12"; or a list of these, or of lists of numbers.
            prompt: what every text begins with.
            **options: those of `GenerationConfig`, and `minimum_bayes_risk`; what is not given is as the model's
                `generation_config.json` has it.

        Returns:
            The texts, `num_return_sequences` to each condition after another, those drawn the likeliest first. With a
            seed the same condition gives the same texts again.

        Raises:
            InputError: a category that was not trained on, an option that does not exist, or a value outside its range.
        """
        inputs = self.encode([conditions] if isinstance(conditions, str) else conditions)

        def batches(each: int) -> Iterator[tuple[list[int], tuple[Tensor, ...]]]:
            size = max(TEXTS // each, 1)
            for begin in range(0, len(inputs), size):
                some = inputs[begin : begin + size]
                yield list(range(begin, begin + len(some))), (some,)

        written = self.write(len(inputs), batches, prefix=prompt, **options)
        return [one.text for found in written for one in found]

    def encode(self, conditions: Sequence[Any]) -> Tensor:
        """Return what the model is given for conditions: (conditions,) categories or (conditions, numbers)."""
        if self.categories:
            return torch.tensor([self._category(condition) for condition in conditions], dtype=torch.long)
        rows = torch.tensor([_numbers(condition, len(self.mean)) for condition in conditions]).view(-1, len(self.mean))
        return (rows - torch.tensor(self.mean)) / torch.tensor(self.deviation)

    def _category(self, condition: Any) -> int:
        if condition not in self.categories:
            known = ", ".join(self.categories[:20]) + (", ..." if len(self.categories) > 20 else "")
            hint = nearest(str(condition), self.categories)
            raise InputError(f"a condition must be one of {known}, not {condition!r}{hint}")
        return self.categories.index(condition)


def read_numbers(text: str) -> list[float]:
    """Return numbers with commas or white space between them; ValueError where there is anything else."""
    return [float(number) for number in text.replace(",", " ").split()]


def _numbers(condition: Any, count: int) -> list[float]:
    try:
        numbers = read_numbers(condition) if isinstance(condition, str) else [float(number) for number in condition]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise InputError(f"a condition must be {count} finite numbers, not {condition!r}")
    return numbers
