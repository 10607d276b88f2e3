"""What writes texts to inputs, in use: the part that translator, captioner and the generator of names share."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from seqgen.devices import calculates_in_bf16
from seqgen.errors import InputError
from seqgen.generation.beam import beam_search
from seqgen.generation.config import GenerationConfig
from seqgen.generation.minimum_bayes_risk import least_risk
from seqgen.generation.packed import packed
from seqgen.generation.sampling import Hypothesis, sampled
from seqgen.inference.bundle import Bundle
from seqgen.models import EncoderDecoder
from seqgen.state import Memory
from seqgen.symbols import BOS, PAD, UNK
from seqgen.text.tokenizer import Tokenizer


def of_lines(target: Tokenizer, longest: int, **options: Any) -> GenerationConfig:
    """Return these options, for writing a line of text of at most so many tokens."""
    never = (PAD, BOS, UNK, *map(int, target.encode("\n")))
    return GenerationConfig(max_new_tokens=longest, suppress_tokens=never, **options)


def searching(target: Tokenizer, num_beams: int, length_penalty: float, longest: int) -> GenerationConfig:
    """Return the options of searching for a line of text of at most so many tokens."""
    return of_lines(target, longest, do_sample=False, num_beams=num_beams, length_penalty=length_penalty)


class Written(NamedTuple):
    """A text, its log-probability in nats after the length penalty, and where each of its pieces looked.

    `weights` is (pieces, positions of the memory), each row summing to one, where it was asked for. The last piece of a
    text that has `ended` is its end.
    """

    text: str
    score: float
    pieces: list[str]
    weights: np.ndarray | None = None
    ended: bool = False


# For the hypotheses of each input: batches of numbers of inputs, and what the encoder is given for them.
Batches = Callable[[int], Iterable[tuple[list[int], tuple[Tensor, ...]]]]


@dataclass
class EncoderDecoderBundle(Bundle):
    """An encoder and a decoder with the tokenizer of what is written.

    Args:
        target: the tokenizer of what is written.
        generation: the options that writing starts from.
    """

    target: Tokenizer
    generation: GenerationConfig

    def write(
        self,
        count: int,
        batches: Batches,
        *,
        prefix: str = "",
        watched: bool = False,
        minimum_bayes_risk: int = 0,
        **options: Any,
    ) -> list[list[Written]]:
        """Write to inputs; those that are in no batch get empty texts.

        Args:
            count: of the inputs.
            batches: of them.
            prefix: what every text begins with.
            watched: whether to say where each piece looked.
            minimum_bayes_risk: draw so many texts for each input, and choose those most like all the others by chrF
                (Eikema and Aziz 2020, Is MAP Decoding All You Need?); 0 searches or draws as the options say.
            **options: those of `GenerationConfig`; what is not given is as the model's `generation_config.json` has it.

        Returns:
            For each input `num_return_sequences` texts, the best first.

        Raises:
            InputError: an option that does not exist, or a value outside its range.
        """
        each, config = self._options(minimum_bayes_risk, options)
        if prefix and self.target.unseen(prefix):
            raise InputError(f"prefix must have only what was written in training, not {self.target.unseen(prefix)}")
        begun = self.target.encode(prefix).tolist() if prefix else []
        found = [[Written("", 0.0, [], np.zeros((0, 0)) if watched else None)] * each for _ in range(count)]
        decoder = packed(cast("EncoderDecoder", self.model.eval()).decoder, config.precision)
        write = sampled if config.do_sample else beam_search
        for numbers, inputs in batches(max(config.num_beams, config.num_return_sequences)):
            memory = self._encode(inputs, fast=config.precision != "fp32")
            prompts = [[BOS, *begun]] * len(numbers)
            made = write(decoder, prompts, config, memory=memory, device=self.device)
            for row, (number, hypotheses) in enumerate(zip(numbers, made, strict=True)):
                whole = [one._replace(tokens=[*begun, *one.tokens]) for one in hypotheses]
                if minimum_bayes_risk:
                    best = least_risk([self.target.decode(one.tokens) for one in whole])
                    whole = [whole[place] for place in best[:each]]
                of_row = memory.select(torch.tensor([row], device=self.device)) if watched else None
                found[number] = [self._written(one, of_row) for one in whole]
        return found

    def _options(self, minimum_bayes_risk: int, options: dict[str, Any]) -> tuple[int, GenerationConfig]:
        """Return how many texts of each input are wanted, and how they are written."""
        if minimum_bayes_risk < 0:
            raise InputError(f"minimum_bayes_risk must be at least 0, not {minimum_bayes_risk}")
        each = options.get("num_return_sequences", 1)
        if minimum_bayes_risk:
            if not 1 <= each <= minimum_bayes_risk:
                raise InputError(f"num_return_sequences must be from 1 to minimum_bayes_risk, not {each}")
            options = options | {"do_sample": True, "num_return_sequences": minimum_bayes_risk}
        config = self.generation.with_options(**options)
        if config.stop_strings:
            raise InputError(f"stop_strings must be empty where texts are written whole, not {config.stop_strings}")
        return each if minimum_bayes_risk else config.num_return_sequences, config

    @torch.inference_mode()
    def _encode(self, inputs: tuple[Tensor, ...], *, fast: bool) -> Memory:
        model, device = cast("EncoderDecoder", self.model), self.device
        with torch.autocast(device.type, torch.bfloat16, enabled=fast and calculates_in_bf16(device)):
            memory = model.encoder(*(tensor.to(device) for tensor in inputs))
        return Memory(memory.states.float(), memory.mask, memory.summary.float())

    def _written(self, hypothesis: Hypothesis, memory: Memory | None) -> Written:
        text = self.target.decode(hypothesis.tokens)
        pieces = [self.target.decode([token]) for token in hypothesis.tokens] + ["</s>"] * hypothesis.ended
        if memory is None:
            return Written(text, hypothesis.score, pieces, ended=hypothesis.ended)
        weights = np.stack(list(self._weights([BOS, *hypothesis.tokens], memory)))
        return Written(text, hypothesis.score, pieces, weights[: len(pieces)], hypothesis.ended)

    @torch.inference_mode()
    def _weights(self, tokens: list[int], memory: Memory) -> Iterator[np.ndarray]:
        """Yield where each step looked."""
        decoder = cast("EncoderDecoder", self.model).decoder
        state = decoder.start(memory)
        for token in tokens:
            state = state._replace(attended=memory.states.new_zeros(1, *memory.mask.shape))
            _, state = decoder.step(torch.tensor([token], device=self.device), state, memory)
            yield cast("Tensor", state.attended)[0, 0][memory.mask[0]].float().cpu().numpy()
