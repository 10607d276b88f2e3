"""Shared base of translator, captioner and conditional generator: encoder, decoder, and beam search or sampling."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqgen.batches.pairs import pairs
from seqgen.generation.beam import beam_search
from seqgen.generation.config import GenerationConfig
from seqgen.generation.hypothesis import Hypothesis
from seqgen.generation.logits import require_finite
from seqgen.generation.logits_processor import LogitsProcessor
from seqgen.generation.packed import packed
from seqgen.generation.sampling import sampled
from seqgen.inference.embeddings import Embeddings, embeddings
from seqgen.inference.inputs import InputBundle
from seqgen.models import EncoderDecoder
from seqgen.protocols import Decoder
from seqgen.settings import evaluating, unaffected
from seqgen.state import Memory
from seqgen.tasks.encoder_decoder import EncoderDecoderTask, Weights
from seqgen.tasks.force_words import spelled


@dataclass(kw_only=True)
class EncoderDecoderBundle(EncoderDecoderTask, InputBundle[EncoderDecoder]):
    """An encoder and a decoder with the tokenizer of its texts.

    Args:
        target: the tokenizer of the generated texts.
        generation: the options that generation starts from.
    """

    def embeddings(self) -> Embeddings:
        """Return the embeddings of the tokens of generated texts.

        Raises:
            InputError: the decoder has none, or this is an ensemble.
        """
        self.require_single("embeddings")
        return embeddings(self.model.decoder, lambda token: self.target.decode([token]))

    @unaffected
    def _searched(
        self, rows: Sequence[Any], prompt: list[int], config: GenerationConfig, processors: Sequence[LogitsProcessor]
    ) -> Iterator[tuple[np.ndarray, list[list[Hypothesis]], Weights]]:
        decoder: Decoder = self.model.decoder
        words = spelled(config.force_words, self.target)
        search: Callable[..., Any] = sampled if config.do_sample else partial(beam_search, words=words)
        how: dict[str, Any] = {"logits_processor": processors, "device": self.device}
        hypotheses = max(config.num_beams, config.num_return_sequences)
        with evaluating(self.model):
            for numbers, inputs in self.batches(rows, self.budget(hypotheses)):
                memory = self._encode(inputs, config.precision)
                # Packed for the first batch, and then for the whole call: packing takes longer than a batch.
                decoder = packed(decoder, config.precision, rows=len(numbers) * hypotheses, memory=memory)
                found = search(decoder, [prompt] * len(numbers), config, memory=memory, **how)
                yield numbers, found, partial(self._weights, memory)

    @unaffected
    @torch.inference_mode()
    def _of_targets(self, inputs: tuple[Tensor, ...], targets: list[np.ndarray]) -> list[list[float]]:
        with evaluating(self.model):
            batch = pairs(inputs, targets).to(self.device)
            logits = self.model(batch.inputs, batch.tokens).float()
            require_finite(logits)
            of_targets = logits.log_softmax(dim=2).gather(2, batch.targets[:, :, None])
            found: list[list[float]] = of_targets.squeeze(2).tolist()
        return found

    @unaffected
    @torch.inference_mode()
    def _weights(self, memory: Memory, row: int, tokens: list[int]) -> np.ndarray:
        """Return the (tokens, positions) attention weights of the steps of a text for one row of a memory."""
        decoder, memory = self.model.decoder, memory.select(torch.tensor([row], device=self.device))
        state, found = decoder.start(memory), []
        for token in tokens:
            given = torch.tensor([token], device=self.device)
            _, state = decoder.step(given, state.watching(memory), memory)
            assert state.attended is not None
            found.append(state.attended[0, 0][memory.mask[0]].float().cpu().numpy())
        return np.stack(found)
