"""A generator in use: it continues a prompt, streams, and returns the log-probability of a text."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
import torch
from torch import nn

from seqgen import patterns
from seqgen.errors import InputError
from seqgen.generation.beam import beam_search
from seqgen.generation.config import GenerationConfig, Unseen
from seqgen.generation.hypothesis import Hypothesis
from seqgen.generation.logits import require_finite
from seqgen.generation.logits_processor import LogitsProcessor, require_neither
from seqgen.generation.rows import row_seed
from seqgen.generation.sampling import sample
from seqgen.generation.streamer import Streamer, Streaming
from seqgen.inference.activations import TextActivations, text_activations
from seqgen.inference.bundle import Bundle
from seqgen.inference.embeddings import Embeddings, embeddings
from seqgen.inference.onnx import Runtime, in_onnxruntime, require_runtime
from seqgen.inference.piece import Piece, detailed
from seqgen.ngram import NGram
from seqgen.protocols import Decoder
from seqgen.settings import evaluating, unaffected
from seqgen.symbols import BOS, EOS, PAD, UNK
from seqgen.tasks.force_words import spelled
from seqgen.tasks.generator import GeneratorTask, NewToken, Steps
from seqgen.text.backward import BackwardTokenizer
from seqgen.text.tokenizer import Tokenizer


@dataclass(kw_only=True)
class Generator(GeneratorTask, Bundle[nn.Module]):
    """A generator with its tokenizer.

    Args:
        tokenizer: whose vocabulary the model has.
        generation: the options that generation starts from.
    """

    @classmethod
    def of(
        cls,
        model: nn.Module,
        *,
        tokenizer: Tokenizer,
        generation: GenerationConfig | None = None,
        ends: bool = False,
        builder: Callable[..., nn.Module] | None = None,
        arguments: dict[str, Any] | None = None,
    ) -> Self:
        """Return the generator of a decoder.

        Args:
            model: the decoder, a module with `start` and `step` (`check_decoder` checks them), such as an `NGram`.
            tokenizer: whose vocabulary it has.
            generation: the options that generation starts from; by default nothing but what `ends` says.
            ends: whether the model is trained on separate documents, so that it may generate EOS.
            builder: a function of one's own that makes this model of `arguments` alone, to save it: whoever loads the
                model gives that function, too.
            arguments: plain data: those of `builder`, or the options that `patterns.generator` was given.

        Raises:
            InputError: `builder` makes another model of `arguments`, or an `NGram` has another vocabulary.
        """
        if isinstance(model, NGram):
            builder, arguments = builder or NGram, arguments or model.arguments
            if model.vocab_size != tokenizer.vocab_size:
                sizes = f"{tokenizer.vocab_size} tokens, not {model.vocab_size}"
                raise InputError(f"an n-gram model must have the vocabulary of its tokenizer, {sizes}")
        never = (PAD, BOS, UNK) if ends else (PAD, BOS, UNK, EOS)
        generation = generation or GenerationConfig(suppress_tokens=never)
        parts: dict[str, Any] = {"tokenizer": tokenizer, "generation": generation}
        return cls(model=model, arguments=arguments or {}, own_builder=builder, **parts)

    @classmethod
    def untrained(
        cls, *, tokenizer: Tokenizer, generation: GenerationConfig | None = None, ends: bool = False, **arguments: Any
    ) -> Self:
        """Return an untrained generator; `arguments` are the options of `patterns.generator`, the others as in `of`."""
        model = patterns.generator(tokenizer.vocab_size, **arguments)
        return cls.of(model, tokenizer=tokenizer, generation=generation, ends=ends, arguments=arguments)

    def generate(
        self,
        prompts: str | list[str] = "",
        *,
        unseen: Unseen = "error",
        runtime: Runtime = "torch",
        logits_processor: Sequence[LogitsProcessor] = (),
        streamer: Streamer | None = None,
        **options: Any,
    ) -> list[str]:
        """Continue one prompt, or several as one batch.

        Args:
            prompts: the beginnings of texts, or with a backward generator their ends; after an empty one a text begins
                (or ends) like a document or, where the model was trained on one stream, at any place of it.
            unseen: for characters or words unseen in training: "error", or "replace" them by UNK.
            runtime: "torch", or onnxruntime on the CPU, several times as fast for one text: "onnx" with weights in
                fp32, "onnx-int8" in int8, whose logits are only similar. The model is exported, which takes seconds,
                when it is first asked for, and again when its weights have changed. A random seed samples other texts
                than with torch, and the same ones again.
            logits_processor: processors of one's own or of `transformers`, called after the options, with torch.
            streamer: takes the tokens of a single text as they are generated, BOS and the prompt first, with torch; one
                such as `transformers.TextStreamer` decodes them with the `tokenizer` of this generator.
            **options: those of `GenerationConfig`; the others are as the model's `generation_config.json` sets them.

        Returns:
            The texts of all prompts, prompts included, `num_return_sequences` of each.

        Raises:
            InputError: an unseen character or word, an unknown option, or a value outside its range; or the model
                cannot be exported.
        """
        if (other := self._elsewhere(runtime, logits_processor, streamer)) is not None:
            return other.generate(prompts, unseen=unseen, **options)
        if streamer is not None:
            return self._streamed(prompts, streamer, logits_processor, unseen=unseen, **options)
        return super().generate(prompts, unseen=unseen, logits_processor=logits_processor, **options)

    def stream(
        self,
        prompt: str = "",
        *,
        unseen: Unseen = "error",
        runtime: Runtime = "torch",
        logits_processor: Sequence[LogitsProcessor] = (),
        **options: Any,
    ) -> Iterator[str]:
        """Yield the same text as `generate`, piece by piece as it is generated, the prompt first.

        A backward generator's text is yielded once its beginning is known, in one piece, and then the prompt.

        Raises:
            InputError: as in `generate`, or for several sequences or beams.
        """
        if (other := self._elsewhere(runtime, logits_processor)) is not None:
            return other.stream(prompt, unseen=unseen, **options)
        return super().stream(prompt, unseen=unseen, logits_processor=logits_processor, **options)

    def _elsewhere(
        self, runtime: Runtime, processors: Sequence[LogitsProcessor], streamer: Streamer | None = None
    ) -> GeneratorTask | None:
        require_runtime(runtime)
        if runtime == "torch":
            return None
        require_neither(processors, streamer)
        return in_onnxruntime(self, runtime)

    def _streamed(
        self, prompts: str | list[str], streamer: Streamer, processors: Sequence[LogitsProcessor], **options: Any
    ) -> list[str]:
        with Streaming(streamer) as streaming:
            if not isinstance(prompts, str) and len(prompts) != 1:
                raise InputError(f"a streamer has one text: prompts must be a single one, not {len(prompts)}")
            [prompt] = [prompts] if isinstance(prompts, str) else prompts
            pieces = list(self.pieces(prompt, candidates=0, logits_processor=[*processors, streaming], **options))
            streaming.finish([piece.token for piece in pieces])
        return [prompt + "".join(piece.text for piece in pieces)]

    def pieces(
        self,
        prompt: str = "",
        *,
        candidates: int = 5,
        unseen: Unseen = "error",
        logits_processor: Sequence[LogitsProcessor] = (),
        **options: Any,
    ) -> Iterator[Piece]:
        """Yield the same text as `stream`, without the prompt, each token with its probability and its alternatives.

        Args:
            prompt: the beginning of the text.
            candidates: number of the most probable tokens that come with each.
            unseen: as in `generate`.
            logits_processor: as in `generate`.
            **options: as in `generate`.

        Raises:
            InputError: as in `stream`, `candidates` is below 0, or the generator is backward.
        """
        written = self._write([prompt], self._alone(options), unseen, logits_processor)
        return (piece for _, piece in self._detailed(written, [prompt], candidates))

    def batch_pieces(
        self,
        prompts: list[str],
        *,
        candidates: int = 5,
        unseen: Unseen = "error",
        logits_processor: Sequence[LogitsProcessor] = (),
        **options: Any,
    ) -> Iterator[tuple[int, Piece]]:
        """Yield the same texts as `generate`, without the prompts, as they are written side by side.

        Args:
            prompts: the beginnings of texts.
            candidates: as in `pieces`.
            unseen: as in `generate`.
            logits_processor: as in `generate`.
            **options: as in `generate`.

        Returns:
            The number of a text, in the order of `generate`, with its next piece.

        Raises:
            InputError: as in `generate`, for several beams, `candidates` is below 0, or the generator is backward.
        """
        config = self._streamable(options)
        rows = [prompt for prompt in prompts for _ in range(config.num_return_sequences)]
        written = self._write(rows, config, unseen, logits_processor) if rows else iter(())
        return self._detailed(written, rows, candidates)

    def _detailed(self, new: Iterator[NewToken], prompts: list[str], candidates: int) -> Iterator[tuple[int, Piece]]:
        if self.backward:
            raise InputError("pieces must be of a forward generator: a backward one gives only whole texts")
        return detailed(new, [self._read(self.tokenizer.encode(prompt)) for prompt in prompts], candidates)

    def activations(self, text: str, *, unseen: Unseen = "error") -> TextActivations:
        """Return what each cell of each recurrent layer calculates while it reads a text, in reading order.

        Raises:
            InputError: the text is empty or has unseen characters, or the decoder has no `activations`.
        """
        self.require_single("activations")
        if not text:
            raise InputError("a text must have at least one token, but it is empty")
        tokens = self._encode(text, unseen).tolist()
        forward = self.tokenizer.tokenizer if isinstance(self.tokenizer, BackwardTokenizer) else self.tokenizer
        detokenizer = forward.detokenizer()
        names = [detokenizer.push(token) for token in (reversed(tokens) if self.backward else tokens)]
        if rest := detokenizer.flush():
            names[-1] += rest
        return text_activations(self.model, tokens, names, self.device, backward=self.backward)

    def embeddings(self) -> Embeddings:
        """Return the embeddings of all tokens.

        Raises:
            InputError: the model has none, or this is an ensemble.
        """
        self.require_single("embeddings")
        return embeddings(self.model, lambda token: self.tokenizer.decode([token]))

    @unaffected
    def _log_probabilities(self, tokens: np.ndarray) -> list[float]:
        targets, logs = torch.from_numpy(tokens).to(self.device), []
        inputs = torch.cat([targets.new_tensor([BOS]), targets[:-1]])
        with evaluating(self.model), torch.inference_mode():
            state = None
            # In windows, so that the logits take no more memory for a longer text.
            for begin in range(0, len(targets), 4096):
                logits, state = self.model(inputs[None, begin : begin + 4096], state)
                require_finite(logits)
                of_all = logits[0].float().log_softmax(dim=-1)
                logs += of_all.gather(1, targets[begin : begin + 4096, None]).flatten().tolist()
        return logs

    @unaffected
    def _sampled(
        self,
        prompts: list[list[int]],
        config: GenerationConfig,
        finished: Callable[[int, int], bool] | None,
        processors: Sequence[LogitsProcessor],
    ) -> Steps:
        seeds = [row_seed(config, row % config.num_return_sequences) for row in range(len(prompts))]
        how: dict[str, Any] = {"finished": finished, "logits_processor": processors, "device": self.device}
        with evaluating(self.model):
            yield from sample(cast("Decoder", self.model), prompts, config, seeds=seeds, **how)

    def _found(
        self, prompts: list[list[int]], config: GenerationConfig, processors: Sequence[LogitsProcessor]
    ) -> list[list[Hypothesis]]:
        how: dict[str, Any] = {"logits_processor": processors, "device": self.device}
        words = spelled(config.force_words, self.tokenizer)
        with evaluating(self.model):
            return beam_search(cast("Decoder", self.model), prompts, config, words=words, **how)
