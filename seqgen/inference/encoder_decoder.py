"""Shared base of translator, captioner and conditional generator: encoder, decoder, and beam search or sampling."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from seqgen.batches.pairs import pairs
from seqgen.errors import InputError
from seqgen.generation.beam import beam_search
from seqgen.generation.config import GenerationConfig
from seqgen.generation.logits import require_finite
from seqgen.generation.minimum_bayes_risk import least_risk
from seqgen.generation.packed import packed
from seqgen.generation.sampling import Hypothesis, require_room, sampled
from seqgen.hardware.precision import Precision
from seqgen.inference.embeddings import Embeddings, embeddings
from seqgen.inference.inputs import InputBundle
from seqgen.inference.score import Score
from seqgen.models import EncoderDecoder
from seqgen.protocols import Decoder
from seqgen.settings import evaluating
from seqgen.state import Memory
from seqgen.symbols import BOS, PAD, UNK
from seqgen.text.tokenizer import Tokenizer

SCORED = 8  # hypotheses for which a batch must be small enough when texts are scored: logits take more memory


def line_options(target: Tokenizer, longest: int, **options: Any) -> GenerationConfig:
    """Return the options for generating one line of at most `longest` tokens."""
    never = (PAD, BOS, UNK, *map(int, target.encode("\n")))
    return GenerationConfig(max_new_tokens=longest, suppress_tokens=never, **options)


def search_options(target: Tokenizer, num_beams: int, length_penalty: float, longest: int) -> GenerationConfig:
    """Return the options for beam search of one line of at most `longest` tokens."""
    return line_options(target, longest, do_sample=False, num_beams=num_beams, length_penalty=length_penalty)


class Written(NamedTuple):
    """A generated text with its score and, where asked for, the attention weights of each of its pieces.

    `score` is the log-probability in nats after the length penalty. `weights` is (pieces, positions of the memory),
    each row summing to one. The last piece of a text that has `ended` is EOS.
    """

    text: str
    score: float
    pieces: list[str]
    weights: np.ndarray | None = None
    ended: bool = False


@dataclass(kw_only=True)
class EncoderDecoderBundle(InputBundle[EncoderDecoder]):
    """An encoder and a decoder with the tokenizer of its texts.

    Args:
        target: the tokenizer of the generated texts.
        generation: the options that generation starts from.
    """

    target: Tokenizer
    generation: GenerationConfig

    def embeddings(self) -> Embeddings:
        """Return the embeddings of the tokens of generated texts.

        Raises:
            InputError: the decoder has none.
        """
        return embeddings(self.model.decoder, lambda token: self.target.decode([token]))

    @abstractmethod
    def budget(self, hypotheses: int) -> int:
        """Return the maximum number of positions of a batch, with this number of hypotheses for each input."""

    def write(
        self,
        rows: Sequence[Any],
        *,
        prefix: str = "",
        return_attention: bool = False,
        minimum_bayes_risk: int = 0,
        **options: Any,
    ) -> list[list[Written]]:
        """Generate texts for encoded inputs, `num_return_sequences` for each, the best first.

        Args:
            rows: encoded inputs; for None the texts are empty.
            prefix: beginning of every text.
            return_attention: whether to return attention weights.
            minimum_bayes_risk: number of texts to sample for each input, of which those most like all the others by
                chrF are returned (Eikema and Aziz 2020, Is MAP Decoding All You Need?); 0 for beam search or sampling.
            **options: those of `GenerationConfig`; the others are as the model's `generation_config.json` sets them.

        Raises:
            InputError: an unknown option, or a value outside its range.
        """
        each, config = self._options(minimum_bayes_risk, options)
        if prefix and self.target.unseen(prefix):
            raise InputError(f"prefix must have only tokens seen in training, not {self.target.unseen(prefix)}")
        beginning = self.target.encode(prefix).tolist() if prefix else []
        no_weights = np.zeros((0, 0)) if return_attention else None
        found = [[Written("", 0.0, [], no_weights)] * each for _ in rows]
        places = [place for place, row in enumerate(rows) if row is not None]
        decoder: Decoder = self.model.decoder
        search = sampled if config.do_sample else beam_search
        hypotheses = max(config.num_beams, config.num_return_sequences)
        with evaluating(self.model):
            for numbers, inputs in self.batches([rows[place] for place in places], self.budget(hypotheses)):
                memory = self._encode(inputs, config.precision)
                # Packed for the first batch, and then for the whole call: packing takes longer than a batch.
                decoder = packed(decoder, config.precision, rows=len(numbers) * hypotheses, memory=memory)
                prompts = [[BOS, *beginning]] * len(numbers)
                batch = search(decoder, prompts, config, memory=memory, device=self.device)
                for row, (number, of_row) in enumerate(zip(numbers, batch, strict=True)):
                    whole = [one._replace(tokens=[*beginning, *one.tokens]) for one in of_row]
                    if minimum_bayes_risk:
                        best = least_risk([self.target.decode(one.tokens) for one in whole])
                        whole = [whole[place] for place in best[:each]]
                    attended = memory.select(torch.tensor([row], device=self.device)) if return_attention else None
                    found[places[number]] = [self._written(one, attended) for one in whole]
        return found

    @torch.inference_mode()
    def scored(self, rows: Sequence[Any], texts: Sequence[str]) -> list[Score]:
        """Return the log-probability of a text for each encoded input, that of its end included, in fp32.

        Raises:
            InputError: there are more inputs than texts, or fewer.
        """
        if len(rows) != len(texts):
            raise InputError(f"there must be a text for each input, but {len(rows)} inputs have {len(texts)}")
        targets = [self.target.encode(text) for text in texts]
        scores = [Score.of([], [])] * len(rows)
        with evaluating(self.model):
            for numbers, inputs in self.batches(rows, self.budget(SCORED)):
                batch = pairs(inputs, [targets[number] for number in numbers]).to(self.device)
                logits = self.model(batch.inputs, batch.tokens).float()
                require_finite(logits)
                of_targets = logits.log_softmax(dim=2).gather(2, batch.targets[:, :, None]).squeeze(2).tolist()
                for number, found in zip(numbers, of_targets, strict=True):
                    pieces = [*(self.target.decode([int(token)]) for token in targets[number]), "</s>"]
                    scores[number] = Score.of(pieces, found[: len(pieces)])
        return scores

    def _options(self, minimum_bayes_risk: int, options: dict[str, Any]) -> tuple[int, GenerationConfig]:
        """Return the number of texts to return for each input, and the options of generation."""
        if minimum_bayes_risk < 0:
            raise InputError(f"minimum_bayes_risk must be at least 0, not {minimum_bayes_risk}")
        each = options.get("num_return_sequences", 1)
        if minimum_bayes_risk:
            if not 1 <= each <= minimum_bayes_risk:
                raise InputError(f"num_return_sequences must be from 1 to minimum_bayes_risk, not {each}")
            if options.get("do_sample") is False:
                raise InputError("do_sample must be on with minimum_bayes_risk, which compares samples, but it is off")
            options = options | {"do_sample": True, "num_return_sequences": minimum_bayes_risk}
        config = self.generation.with_options(**options)
        if config.stop_strings:
            raise InputError(f"stop_strings must be empty for a model with an encoder, not {config.stop_strings}")
        require_room(config, self.target.vocab_size)
        return each if minimum_bayes_risk else config.num_return_sequences, config

    @torch.inference_mode()
    def _encode(self, inputs: tuple[Tensor, ...], precision: Precision) -> Memory:
        given = [tensor.to(self.device) for tensor in inputs]
        with self.fastest(cast("nn.Module", self.model.encoder), given, precision).applied(self.device):
            memory = self.model.encoder(*given)
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
        """Yield the (positions,) attention weights of each step."""
        decoder = self.model.decoder
        state = decoder.start(memory)
        for token in tokens:
            attended = memory.states.new_zeros(1, *memory.mask.shape)
            _, state = decoder.step(
                torch.tensor([token], device=self.device), state._replace(attended=attended), memory
            )
            assert state.attended is not None
            yield state.attended[0, 0][memory.mask[0]].float().cpu().numpy()
