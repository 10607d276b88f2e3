"""A translator in use: sentences in, sentences out, with what it looked at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, cast

import numpy as np
import torch

from seqgen import patterns
from seqgen.bundle import Bundle
from seqgen.data.batch import padded
from seqgen.data.buckets import Buckets
from seqgen.devices import calculates_in_bf16
from seqgen.errors import InputError
from seqgen.generation.beam import beam_search
from seqgen.generation.config import GenerationConfig
from seqgen.generation.packed import packed
from seqgen.generation.risk import least_risk
from seqgen.generation.sampling import Hypothesis, sampled
from seqgen.models import EncoderDecoder
from seqgen.state import Memory
from seqgen.symbols import BOS, EOS
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
class Translator(Bundle):
    """An encoder and a decoder with their tokenizers.

    Args:
        source: the tokenizer of what is read.
        target: that of what is written; the same object where they share one.
        generation: the options that translating starts from.
        max_length: the most tokens that are read of a sentence.
    """

    builder = "translator"
    files = ("source.json", "generation_config.json", "lengths.json")

    source: Tokenizer
    target: Tokenizer
    generation: GenerationConfig
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
        target_size = None if target is source else target.vocabulary_size
        model = patterns.translator(source.vocabulary_size, target_size, **arguments)
        generation = GenerationConfig().with_options(**parts["generation_config.json"])
        return cls(model, arguments, source, target, generation, lengths["max_length"])

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
        each, config = self._options(minimum_bayes_risk, options)
        if prefix and self.target.unseen(prefix):
            raise InputError(f"prefix must have only what was written in training, not {self.target.unseen(prefix)}")
        begun = self.target.encode(prefix).tolist() if prefix else []
        nothing = Translation("", 0.0, Looks([], [], np.zeros((0, 0))) if return_attention else None)
        found = [[nothing] * each for _ in texts]
        decoder = packed(cast("EncoderDecoder", self.model.eval()).decoder, config.precision)
        write = sampled if config.do_sample else beam_search
        for numbers, sources in self._batches(texts, max(config.num_beams, config.num_return_sequences)):
            memory = self._encode(sources, fast=config.precision != "fp32")
            prompts = [[BOS, *begun]] * len(numbers)
            written = write(decoder, prompts, config, memory=memory, device=self.device)
            for row, (number, hypotheses) in enumerate(zip(numbers, written, strict=True)):
                whole = [one._replace(tokens=[*begun, *one.tokens]) for one in hypotheses]
                if minimum_bayes_risk:
                    best = least_risk([self.target.decode(one.tokens) for one in whole])
                    whole = [whole[place] for place in best[:each]]
                found[number] = [Translation(self.target.decode(one.tokens), one.score) for one in whole]
                if return_attention:
                    looks = self._looks(sources[row], whole, memory.select(torch.tensor([row], device=self.device)))
                    pairs = zip(found[number], looks, strict=True)
                    found[number] = [one._replace(attention=look) for one, look in pairs]
        return [one for made in found for one in made]

    def _options(self, minimum_bayes_risk: int, options: dict[str, Any]) -> tuple[int, GenerationConfig]:
        """Return how many translations of each sentence are wanted, and how they are written."""
        if minimum_bayes_risk < 0:
            raise InputError(f"minimum_bayes_risk must be at least 0, not {minimum_bayes_risk}")
        each = options.get("num_return_sequences", 1)
        if minimum_bayes_risk:
            if not 1 <= each <= minimum_bayes_risk:
                raise InputError(f"num_return_sequences must be from 1 to minimum_bayes_risk, not {each}")
            options = options | {"do_sample": True, "num_return_sequences": minimum_bayes_risk}
        config = self.generation.with_options(**options)
        if config.stop_strings:
            raise InputError(f"stop_strings must be empty where sentences are translated, not {config.stop_strings}")
        return each if minimum_bayes_risk else config.num_return_sequences, config

    def encode(self, text: str) -> np.ndarray:
        """Return the token numbers of a sentence, its end included, as far as they are read."""
        return np.append(self.source.encode(text)[: self.max_length], EOS)

    def _batches(self, texts: list[str], each: int) -> Iterator[tuple[list[int], list[np.ndarray]]]:
        """Yield the numbers of sentences of like length with their tokens."""
        numbers = [number for number, text in enumerate(texts) if text.strip()]
        if not numbers:
            return
        rows = [self.encode(texts[number]) for number in numbers]
        lengths = np.array([len(row) for row in rows])
        for batch in Buckets(lengths, max(BUDGET // each, 1)).once():
            yield [numbers[place] for place in batch], [rows[place] for place in batch]

    @torch.inference_mode()
    def _encode(self, sources: list[np.ndarray], *, fast: bool) -> Memory:
        model, device = cast("EncoderDecoder", self.model), self.device
        with torch.autocast(device.type, torch.bfloat16, enabled=fast and calculates_in_bf16(device)):
            memory = model.encoder(torch.from_numpy(padded(sources)).to(device))
        return Memory(memory.states.float(), memory.mask, memory.summary.float())

    @torch.inference_mode()
    def _looks(self, source: np.ndarray, hypotheses: list[Hypothesis], memory: Memory) -> Iterator[Looks]:
        decoder = cast("EncoderDecoder", self.model).decoder
        pieces = [*(self.source.decode([token]) for token in source[:-1].tolist()), "</s>"]
        for hypothesis in hypotheses:
            state, rows = decoder.start(memory), []
            for token in [BOS, *hypothesis.tokens]:
                state = state._replace(attended=memory.states.new_zeros(1, *memory.mask.shape))
                _, state = decoder.step(torch.tensor([token], device=self.device), state, memory)
                rows.append(cast("torch.Tensor", state.attended)[0, 0, : len(source)])
            target = [self.target.decode([token]) for token in hypothesis.tokens]
            looks = torch.stack(rows).float().cpu().numpy()
            yield Looks(pieces, [*target, "</s>"], looks) if hypothesis.ended else Looks(pieces, target, looks[:-1])
