"""A conditional generator in use: texts for a category, or for numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch

from seqgen import patterns
from seqgen.batches.examples import Batchable
from seqgen.batches.pairs import Pairs, pairs
from seqgen.data.labelled import Labelled
from seqgen.data.store import stored
from seqgen.generation.config import GenerationConfig
from seqgen.inference.encoder_decoder import EncoderDecoderBundle
from seqgen.inference.known_tokens import require_known
from seqgen.models import EncoderDecoder
from seqgen.tasks.conditional_generator import ConditionalGeneratorTask
from seqgen.tasks.encoder_decoder import line_options
from seqgen.text.tokenizer import Tokenizer

LONGEST = 60  # maximum number of tokens of a text, by default


@dataclass(kw_only=True)
class ConditionalGenerator(ConditionalGeneratorTask, EncoderDecoderBundle):
    """An encoder of categories or numbers and a decoder with its tokenizer.

    Args:
        target: the tokenizer of texts.
        generation: the options that generation starts from.
        categories: their names, by their numbers; empty where conditions are numbers.
        mean: the mean over the training texts of each number of a condition, which is subtracted from it.
        deviation: its standard deviation, by which the difference is divided.
    """

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

    def examples(self, data: Labelled) -> Batchable[Pairs]:
        """Return texts with their labels as conditions, for training: encoded once, into a cached file.

        Raises:
            InputError: a label that is not a condition of this model.
        """
        longest, target = self.generation.max_new_tokens, self.target
        identity = [data.fingerprint, self.parts()]
        [texts] = stored(identity, lambda: ((target.encode(text),) for text in data.inputs), [target.vocab_size])
        require_known("target", texts, data.inputs, target)
        conditions = torch.from_numpy(np.stack([self.encode(label) for label in data.labels]))

        def collate(numbers: np.ndarray) -> Pairs:
            return pairs((conditions[numbers],), [texts[number] for number in numbers], longest)

        return Batchable(np.minimum(texts.lengths + 1, longest), collate)
