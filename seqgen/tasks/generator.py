"""The task of a generator: it continues a prompt, streams, and returns the log-probability of a text."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.generation.config import GenerationConfig, Unseen
from seqgen.generation.hypothesis import Hypothesis
from seqgen.generation.logits_processor import LogitsProcessor
from seqgen.generation.rows import require_room
from seqgen.symbols import BOS, EOS
from seqgen.tasks.parts import GENERATION, tokenizer_part
from seqgen.tasks.score import Score
from seqgen.tasks.stop_strings import StopStrings
from seqgen.tasks.task import Task
from seqgen.text.backward import BackwardTokenizer
from seqgen.text.tokenizer import Detokenizer, Tokenizer

Ending = Literal["stop", "length"]  # EOS or a stop string was generated, or max_new_tokens are reached
Steps = Iterator[tuple[list[int], list[int], Any]]  # unfinished rows, their new tokens, and the logits of these


class NewToken(NamedTuple):
    """A generated token of a row, the (rows, vocabulary) logits of its step, and the row's place in these."""

    row: int
    token: int
    text: str
    ending: Ending | None
    logits: Any
    place: int


@dataclass(kw_only=True)
@checked
class GeneratorTask(Task):
    """A tokenizer and options around a decoder, which a subclass has.

    Args:
        tokenizer: whose vocabulary the decoder has.
        generation: the options that generation starts from.
    """

    builder = "generator"
    files: ClassVar = {"tokenizer.json": tokenizer_part("tokenizer"), "generation_config.json": GENERATION}

    tokenizer: Tokenizer
    generation: GenerationConfig

    @abstractmethod
    def _sampled(
        self,
        prompts: list[list[int]],
        config: GenerationConfig,
        finished: Callable[[int, int], bool] | None,
        processors: Sequence[LogitsProcessor],
    ) -> Steps:
        """Yield, at each step, the unfinished rows, their new tokens, and the logits of these."""

    @abstractmethod
    def _found(
        self, prompts: list[list[int]], config: GenerationConfig, processors: Sequence[LogitsProcessor]
    ) -> list[list[Hypothesis]]:
        """Return the hypotheses of beam search for each prompt, the best first."""

    @abstractmethod
    def _log_probabilities(self, tokens: np.ndarray) -> list[float]:
        """Return the log-probability of each token of a text, in nats."""

    @property
    def backward(self) -> bool:
        """The direction of generation, True where texts are generated from their end: a prompt is then their end."""
        return isinstance(self.tokenizer, BackwardTokenizer)

    def options(self, **options: Any) -> GenerationConfig:
        """Return the options of generation with some changed, all of which have an effect with this model.

        Raises:
            InputError: an unknown option, a value outside its range, or one that has no effect.
        """
        config = self.generation.with_options(**options)
        if options.get("coverage_penalty"):
            raise InputError("coverage_penalty must be 0 for a generator without an input to attend to")
        if "length_penalty" in options and config.num_beams == 1 and config.length_penalty != 1.0:
            raise InputError(f"length_penalty must be given with several beams, not {config.length_penalty} with one")
        if options.get("min_new_tokens") and EOS in config.suppress_tokens:
            raise InputError("min_new_tokens must be 0 for a generator trained on one stream, whose texts never end")
        if self.backward and config.stop_strings:
            raise InputError(f"stop_strings must be empty for a backward generator, not {config.stop_strings}")
        require_room(config, self.tokenizer.vocab_size)
        return config

    def generate(
        self,
        prompts: str | list[str] = "",
        *,
        unseen: Unseen = "error",
        logits_processor: Sequence[LogitsProcessor] = (),
        **options: Any,
    ) -> list[str]:
        """Continue one prompt, or several as one batch.

        Args:
            prompts: the beginnings of texts, or with a backward generator their ends; after an empty one a text begins
                (or ends) like a document or, where the model was trained on one stream, at any place of it.
            unseen: for characters or words unseen in training: "error", or "replace" them by UNK.
            logits_processor: functions of torch's tensors, which an exported model has not.
            **options: those of `GenerationConfig`; the others are as the model's `generation_config.json` sets them.

        Returns:
            The texts of all prompts, prompts included, `num_return_sequences` of each.

        Raises:
            InputError: an unseen character or word, an unknown option, or a value outside its range.
        """
        prompts = [prompts] if isinstance(prompts, str) else prompts
        if len(prompts) == 0:
            return []
        config = self.options(**options)
        if config.num_beams > 1:
            return list(self._searched(prompts, config, unseen, logits_processor))
        rows = [prompt for prompt in prompts for _ in range(config.num_return_sequences)]
        texts = [""] * len(rows)
        for new in self._write(rows, config, unseen, logits_processor):
            texts[new.row] += new.text
        return ["".join(self._whole(prompt, [text])) for prompt, text in zip(rows, texts, strict=True)]

    def stream(
        self,
        prompt: str = "",
        *,
        unseen: Unseen = "error",
        logits_processor: Sequence[LogitsProcessor] = (),
        **options: Any,
    ) -> Iterator[str]:
        """Yield the same text as `generate`, piece by piece as it is generated, the prompt first.

        A backward generator's text is yielded once its beginning is known, in one piece, and then the prompt.

        Raises:
            InputError: as in `generate`, or for several sequences or beams.
        """
        written = self._write([prompt], self._alone(options), unseen, logits_processor)
        return (text for text in self._whole(prompt, (new.text for new in written)) if text)

    def _whole(self, prompt: str, generated: Iterable[str]) -> Iterable[str]:
        """Return the pieces of a text in reading order: the prompt, and what was generated after it, or before it."""
        return chain(generated, [prompt]) if self.backward else chain([prompt], generated)

    def _alone(self, options: dict[str, Any]) -> GenerationConfig:
        config = self._streamable(options)
        if (texts := config.num_return_sequences) != 1:
            raise InputError(f"a stream has one text: num_return_sequences must be 1, not {texts}")
        return config

    def _streamable(self, options: dict[str, Any]) -> GenerationConfig:
        config = self.options(**options)
        if config.num_beams != 1:
            raise InputError(f"beam search cannot be streamed: num_beams must be 1, not {config.num_beams}")
        return config

    def score(self, text: str, *, unseen: Unseen = "error") -> Score:
        """Return the log-probability of each token of a text, and its perplexity.

        Raises:
            InputError: the text is empty or has unseen characters.
        """
        if not text:
            raise InputError("a text to score must have at least one token, but it is empty")
        tokens = self._encode(text, unseen)
        pieces = [self.tokenizer.decode([int(token)]) for token in tokens]
        return Score.of(pieces, self._log_probabilities(tokens))

    def _write(
        self, prompts: list[str], config: GenerationConfig, unseen: Unseen, processors: Sequence[LogitsProcessor] = ()
    ) -> Iterator[NewToken]:
        encoded = [self._encode(prompt, unseen) for prompt in prompts]
        ends = StopStrings(len(prompts), config.stop_strings)
        done = (lambda row, _: ends.reached[row]) if config.stop_strings else None
        steps = self._sampled([[BOS, *tokens.tolist()] for tokens in encoded], config, done, processors)
        return self._written(steps, config, ends, list(map(self._read, encoded)))

    def _written(
        self, steps: Steps, config: GenerationConfig, ends: StopStrings, detokenizers: list[Detokenizer]
    ) -> Iterator[NewToken]:
        for number, (rows, tokens, logits) in enumerate(steps, start=1):
            last = number == config.max_new_tokens
            for place, (row, token) in enumerate(zip(rows, tokens, strict=True)):
                text = ends.cut(row, detokenizers[row].push(token))
                stopped = token == EOS or ends.reached[row]
                if (stopped or last) and not ends.reached[row]:
                    text += detokenizers[row].flush()
                yield NewToken(row, token, text, "stop" if stopped else "length" if last else None, logits, place)

    def _searched(
        self, prompts: list[str], config: GenerationConfig, unseen: Unseen, processors: Sequence[LogitsProcessor]
    ) -> Iterator[str]:
        if config.stop_strings:
            raise InputError(f"stop_strings must be empty with several beams, not {config.stop_strings}")
        encoded = [[BOS, *self._encode(prompt, unseen).tolist()] for prompt in prompts]
        found = self._found(encoded, config, processors)
        for prompt, tokens, hypotheses in zip(prompts, encoded, found, strict=True):
            for one in hypotheses:
                detokenizer = self._read(tokens)
                text = "".join(map(detokenizer.push, one.tokens)) + detokenizer.flush()
                yield "".join(self._whole(prompt, [text]))

    def _read(self, tokens: Iterable[int]) -> Detokenizer:
        """Return a detokenizer after these tokens."""
        detokenizer = self.tokenizer.detokenizer()
        for token in tokens:
            detokenizer.push(int(token))
        detokenizer.flush()  # of a prompt, which is whole: what is decoded later is generated
        return detokenizer

    def _encode(self, text: str, unseen: Unseen) -> np.ndarray:
        if unseen not in ("error", "replace"):
            raise InputError(f"unseen must be error or replace, not {unseen!r}")
        strange = self.tokenizer.unseen(text) if unseen == "error" else []
        if strange:
            named = ", ".join(map(repr, strange[:10])) + (", ..." if len(strange) > 10 else "")
            raise InputError(
                f"the prompt must have only tokens seen in training, not {named} (unseen=replace accepts others, "
                "--unseen replace in the shell)"
            )
        return self.tokenizer.encode(text)
