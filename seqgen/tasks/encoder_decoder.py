"""Shared base of the tasks of translator, captioner and conditional generator: texts that are written for inputs."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.generation.config import GenerationConfig
from seqgen.generation.hypothesis import Hypothesis
from seqgen.generation.logits_processor import LogitsProcessor
from seqgen.generation.rows import require_room
from seqgen.generation.streamer import Streamer, Streaming
from seqgen.symbols import BOS, EOS, PAD, UNK
from seqgen.tasks.inputs import InputTask
from seqgen.tasks.score import Score
from seqgen.text.tokenizer import Tokenizer

SCORED = 8  # hypotheses for which a batch must be small enough when texts are scored: logits take more memory

# From the row of a batch and tokens, BOS first, to their (tokens, positions) attention weights.
Weights = Callable[[int, list[int]], np.ndarray]


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
@checked
class EncoderDecoderTask(InputTask):
    """The tokenizer of the texts and options around an encoder and a decoder, which a subclass has.

    Args:
        target: the tokenizer of the generated texts.
        generation: the options that generation starts from.
    """

    target: Tokenizer
    generation: GenerationConfig

    @abstractmethod
    def budget(self, hypotheses: int) -> int:
        """Return the maximum number of positions of a batch, with this number of hypotheses for each input."""

    @abstractmethod
    def _searched(
        self, rows: Sequence[Any], prompt: list[int], config: GenerationConfig, processors: Sequence[LogitsProcessor]
    ) -> Iterator[tuple[np.ndarray, list[list[Hypothesis]], Weights]]:
        """Yield the numbers of each batch's rows with their hypotheses, the best first, and their attention weights."""

    @abstractmethod
    def _of_targets(self, inputs: tuple[Any, ...], targets: list[np.ndarray]) -> list[list[float]]:
        """Return the log-probabilities of the tokens of a text for each row of a batch, then of EOS and padding."""

    def write(
        self,
        rows: Sequence[Any],
        *,
        prefix: str = "",
        return_attention: bool = False,
        minimum_bayes_risk: int = 0,
        logits_processor: Sequence[LogitsProcessor] = (),
        streamer: Streamer | None = None,
        **options: Any,
    ) -> list[list[Written]]:
        """Generate texts for encoded inputs, `num_return_sequences` for each, the best first.

        Args:
            rows: encoded inputs; for None the texts are empty.
            prefix: beginning of every text.
            return_attention: whether to return attention weights.
            minimum_bayes_risk: number of texts to sample for each input, of which those most like all the others by
                chrF are returned (Eikema and Aziz 2020, Is MAP Decoding All You Need?); 0 for beam search or sampling.
            logits_processor: processors of one's own or of `transformers`, called after the options, with torch.
            streamer: takes the tokens of a single text as they are generated, with torch and without several beams.
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
        chosen = [rows[place] for place in places]
        search = self._searched if streamer is None else partial(self._streamed, streamer)
        for numbers, batch, weights in search(chosen, [BOS, *beginning], config, logits_processor):
            for row, (number, of_row) in enumerate(zip(numbers, batch, strict=True)):
                whole = [one._replace(tokens=[*beginning, *one.tokens]) for one in of_row]
                if minimum_bayes_risk:
                    from seqgen.generation.minimum_bayes_risk import least_risk  # of a library that few need

                    best = least_risk([self.target.decode(one.tokens) for one in whole])
                    whole = [whole[place] for place in best[:each]]
                attended = partial(weights, row) if return_attention else None
                found[places[number]] = [self._written(one, attended) for one in whole]
        return found

    def _streamed(
        self,
        streamer: Streamer,
        rows: Sequence[Any],
        prompt: list[int],
        config: GenerationConfig,
        processors: Sequence[LogitsProcessor],
    ) -> Iterator[tuple[np.ndarray, list[list[Hypothesis]], Weights]]:
        with Streaming(streamer) as streaming:
            texts, beams = len(rows) * config.num_return_sequences, config.num_beams
            if texts != 1 or beams != 1:
                raise InputError(f"a streamer must have one text and num_beams 1, not {texts} with num_beams {beams}")
            for numbers, found, weights in self._searched(rows, prompt, config, [*processors, streaming]):
                streaming.finish([*found[0][0].tokens, *[EOS] * found[0][0].ended])
                yield numbers, found, weights

    def scored(self, rows: Sequence[Any], texts: Sequence[str]) -> list[Score]:
        """Return the log-probability of a text for each encoded input, that of its end included, in fp32.

        Raises:
            InputError: there are more inputs than texts, or fewer.
        """
        if len(rows) != len(texts):
            raise InputError(f"there must be a text for each input, but {len(rows)} inputs have {len(texts)}")
        targets = [self.target.encode(text) for text in texts]
        scores = [Score.of([], [])] * len(rows)
        for numbers, inputs in self.batches(rows, self.budget(SCORED)):
            for number, logs in zip(numbers, self._of_targets(inputs, [targets[one] for one in numbers]), strict=True):
                pieces = [*(self.target.decode([int(token)]) for token in targets[number]), "</s>"]
                scores[number] = Score.of(pieces, logs[: len(pieces)])
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

    def _written(self, hypothesis: Hypothesis, weights: Callable[[list[int]], np.ndarray] | None) -> Written:
        text = self.target.decode(hypothesis.tokens)
        pieces = [self.target.decode([token]) for token in hypothesis.tokens] + ["</s>"] * hypothesis.ended
        if weights is None:
            return Written(text, hypothesis.score, pieces, ended=hypothesis.ended)
        found = weights([BOS, *hypothesis.tokens])
        return Written(text, hypothesis.score, pieces, found[: len(pieces)], hypothesis.ended)
