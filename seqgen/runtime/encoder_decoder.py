"""Shared base of translator, captioner and conditional generator in onnxruntime."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np

from seqgen.batches.padded import padded
from seqgen.generation.config import GenerationConfig
from seqgen.generation.hypothesis import Hypothesis
from seqgen.generation.logits_processor import LogitsProcessor, require_neither
from seqgen.runtime.beam import beam_search
from seqgen.runtime.decoder import Decoder, Memory, State, Steps, selected
from seqgen.runtime.exported import Exported, require_logits
from seqgen.runtime.graph import Graph
from seqgen.runtime.logits import log_softmax, require_finite
from seqgen.runtime.sampling import sampled
from seqgen.symbols import BOS, EOS
from seqgen.tasks.encoder_decoder import EncoderDecoderTask, Weights
from seqgen.tasks.force_words import spelled

MEMORY = ("states", "mask")


@dataclass(kw_only=True)
class GraphEncoderDecoder(EncoderDecoderTask):
    """A task whose encoder and decoder are graphs.

    Args:
        encoder: from the arrays of a batch to a memory, and to the state before the first token.
        decoder: of the texts.
    """

    encoder: Graph
    decoder: Decoder

    @classmethod
    def of(cls, exported: Exported) -> Self:
        """Return the model of exported files."""
        outputs = (*MEMORY, *exported.manifest.state_shapes)
        encoder, decoder = exported.graph("encode", (), outputs), exported.decoder(*MEMORY)
        model = cls(**exported.fields(cls), encoder=encoder, decoder=decoder)
        require_logits(decoder.step, model.target.vocab_size, "its tokenizer")
        return model

    def _encode(self, inputs: tuple[np.ndarray, ...]) -> tuple[Memory, State]:
        found = self.encoder(*inputs)
        return Memory(*(found.pop(name) for name in MEMORY)), found

    def _searched(
        self, rows: Sequence[Any], prompt: list[int], config: GenerationConfig, processors: Sequence[LogitsProcessor]
    ) -> Iterator[tuple[np.ndarray, list[list[Hypothesis]], Weights]]:
        require_neither(processors)
        words = spelled(config.force_words, self.target)
        search: Callable[..., Any] = sampled if config.do_sample else partial(beam_search, words=words)
        for numbers, inputs in self.batches(rows, self.budget(max(config.num_beams, config.num_return_sequences))):
            memory, start = self._encode(inputs)
            found = search(self.decoder, [prompt] * len(numbers), config, start=start, memory=memory)
            yield numbers, found, partial(self._weights, memory, start)

    def _of_targets(self, inputs: tuple[np.ndarray, ...], targets: list[np.ndarray]) -> list[list[float]]:
        memory, start = self._encode(inputs)
        tokens = padded([np.concatenate([[BOS], row]) for row in targets])
        lengths = np.array([len(row) + 1 for row in targets])
        logits, _ = self.decoder.read_window(tokens, lengths, start, memory)
        require_finite(logits)
        following = padded([np.concatenate([row, [EOS]]) for row in targets])
        found: list[list[float]] = np.take_along_axis(log_softmax(logits), following[..., None], axis=2)[
            ..., 0
        ].tolist()
        return found

    def _weights(self, memory: Memory, start: State, row: int, tokens: list[int]) -> np.ndarray:
        """Return the (tokens, positions) attention weights of the steps of a text for one row of a memory."""
        alone, mask = np.array([row]), memory.mask[row]
        state = selected(start, alone) | {"attended": np.zeros((1, 1, len(mask)), np.float32)}
        steps, found = Steps(self.decoder, state, memory.select(alone)), []
        for token in tokens:
            steps.step([token])
            found.append(steps.weights[0][mask].copy())
        return np.stack(found)
