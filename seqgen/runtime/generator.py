"""A generator in onnxruntime."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from seqgen.generation.config import GenerationConfig
from seqgen.generation.hypothesis import Hypothesis
from seqgen.generation.logits_processor import LogitsProcessor, require_neither
from seqgen.generation.rows import row_seed
from seqgen.runtime.beam import beam_search
from seqgen.runtime.decoder import WINDOW, Decoder
from seqgen.runtime.exported import Exported, require_logits
from seqgen.runtime.logits import log_softmax, require_finite
from seqgen.runtime.sampling import sample
from seqgen.symbols import BOS
from seqgen.tasks.force_words import spelled
from seqgen.tasks.generator import GeneratorTask, Steps


@dataclass(kw_only=True)
class Generator(GeneratorTask):
    """A generator with its tokenizer.

    Args:
        tokenizer: whose vocabulary the model has.
        generation: the options that generation starts from.
        decoder: in onnxruntime.
    """

    decoder: Decoder

    @classmethod
    def of(cls, exported: Exported) -> Self:
        """Return the generator of exported files."""
        generator = cls(**exported.fields(cls), decoder=exported.decoder())
        require_logits(generator.decoder.step, generator.tokenizer.vocab_size, "tokenizer.json")
        return generator

    def _sampled(
        self,
        prompts: list[list[int]],
        config: GenerationConfig,
        finished: Callable[[int, int], bool] | None,
        processors: Sequence[LogitsProcessor],
    ) -> Steps:
        require_neither(processors)
        seeds = [row_seed(config, row % config.num_return_sequences) for row in range(len(prompts))]
        start = self.decoder.start(len(prompts))
        return sample(self.decoder, prompts, config, seeds=seeds, start=start, finished=finished)

    def _found(
        self, prompts: list[list[int]], config: GenerationConfig, processors: Sequence[LogitsProcessor]
    ) -> list[list[Hypothesis]]:
        require_neither(processors)
        start, words = self.decoder.start(len(prompts)), spelled(config.force_words, self.tokenizer)
        return beam_search(self.decoder, prompts, config, start=start, words=words)

    def _log_probabilities(self, tokens: np.ndarray) -> list[float]:
        inputs, state, logs = np.concatenate([[BOS], tokens[:-1]]), self.decoder.start(1), []
        for begin in range(0, len(tokens), WINDOW):
            window = inputs[None, begin : begin + WINDOW]
            logits, state = self.decoder.read_window(window, np.array([window.shape[1]]), state)
            require_finite(logits)
            targets = tokens[begin : begin + WINDOW, None]
            logs += np.take_along_axis(log_softmax(logits[0]), targets, axis=1)[:, 0].tolist()
        return logs
