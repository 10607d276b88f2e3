"""A generator in use: it continues a prompt, streams, and returns the log-probability of a text."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Self, cast

import torch
from torch import nn

from seqgen import patterns
from seqgen.errors import InputError
from seqgen.generation.beam import beam_search
from seqgen.generation.config import GenerationConfig, Unseen
from seqgen.generation.logits import require_finite
from seqgen.generation.sampling import require_room, row_seed, sample
from seqgen.inference.activations import TextActivations, text_activations
from seqgen.inference.bundle import Bundle
from seqgen.inference.embeddings import Embeddings, embeddings
from seqgen.inference.parts import GENERATION, tokenizer_part
from seqgen.inference.piece import NewToken, Piece, detailed
from seqgen.inference.score import Score
from seqgen.inference.stop_strings import StopStrings
from seqgen.ngram import NGram
from seqgen.protocols import Decoder
from seqgen.settings import evaluating, unaffected
from seqgen.symbols import BOS, EOS, PAD, UNK
from seqgen.text.tokenizer import Detokenizer, Tokenizer


@dataclass(kw_only=True)
class Generator(Bundle[nn.Module]):
    """A generator with its tokenizer.

    Args:
        tokenizer: whose vocabulary the model has.
        generation: the options that generation starts from.
    """

    builder = "generator"
    files: ClassVar = {"tokenizer.json": tokenizer_part("tokenizer"), "generation_config.json": GENERATION}

    tokenizer: Tokenizer
    generation: GenerationConfig

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
        require_room(config, self.tokenizer.vocab_size)
        return config

    def generate(self, prompts: str | list[str] = "", *, unseen: Unseen = "error", **options: Any) -> list[str]:
        """Continue one prompt, or several as one batch.

        Args:
            prompts: the beginnings of texts; after an empty one a text begins like a document or, where the model was
                trained on one stream, at any place of it.
            unseen: for characters or words unseen in training: "error", or "replace" them by UNK.
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
            return list(self._searched(prompts, config, unseen))
        rows = [prompt for prompt in prompts for _ in range(config.num_return_sequences)]
        texts = list(rows)
        for new in self._write(rows, config, unseen):
            texts[new.row] += new.text
        return texts

    def stream(self, prompt: str = "", *, unseen: Unseen = "error", **options: Any) -> Iterator[str]:
        """Yield the same text as `generate`, piece by piece as it is generated, the prompt first.

        Raises:
            InputError: as in `generate`, or for several sequences or beams.
        """
        written = self._write([prompt], self._alone(options), unseen)
        return (text for text in chain([prompt], (new.text for new in written)) if text)

    def pieces(
        self, prompt: str = "", *, candidates: int = 5, unseen: Unseen = "error", **options: Any
    ) -> Iterator[Piece]:
        """Yield the same text as `stream`, without the prompt, each token with its probability and its alternatives.

        Args:
            prompt: the beginning of the text.
            candidates: number of the most probable tokens that come with each.
            unseen: as in `generate`.
            **options: as in `generate`.

        Raises:
            InputError: as in `stream`, or `candidates` is below 0.
        """
        written = self._write([prompt], self._alone(options), unseen)
        return (piece for _, piece in self._detailed(written, [prompt], candidates))

    def batch_pieces(
        self, prompts: list[str], *, candidates: int = 5, unseen: Unseen = "error", **options: Any
    ) -> Iterator[tuple[int, Piece]]:
        """Yield the same texts as `generate`, without the prompts, as they are written side by side.

        Args:
            prompts: the beginnings of texts.
            candidates: as in `pieces`.
            unseen: as in `generate`.
            **options: as in `generate`.

        Returns:
            The number of a text, in the order of `generate`, with its next piece.

        Raises:
            InputError: as in `generate`, for several beams, or `candidates` is below 0.
        """
        config = self._streamable(options)
        rows = [prompt for prompt in prompts for _ in range(config.num_return_sequences)]
        return self._detailed(self._write(rows, config, unseen) if rows else iter(()), rows, candidates)

    def _detailed(self, new: Iterator[NewToken], prompts: list[str], candidates: int) -> Iterator[tuple[int, Piece]]:
        return detailed(new, [self._read(self.tokenizer.encode(prompt)) for prompt in prompts], candidates)

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
        tokens = torch.from_numpy(self._encode(text, unseen)).to(self.device)
        inputs = torch.cat([tokens.new_tensor([BOS]), tokens[:-1]])
        logs = []
        with evaluating(self.model), torch.inference_mode():
            state = None
            # In windows, so that the logits take no more memory for a longer text.
            for begin in range(0, len(tokens), 4096):
                logits, state = self.model(inputs[None, begin : begin + 4096], state)
                require_finite(logits)
                of_all = logits[0].float().log_softmax(dim=-1)
                logs += of_all.gather(1, tokens[begin : begin + 4096, None]).flatten().tolist()
        pieces = [self.tokenizer.decode([int(token)]) for token in tokens]
        return Score.of(pieces, logs)

    def activations(self, text: str, *, unseen: Unseen = "error") -> TextActivations:
        """Return what each cell of each recurrent layer calculates while it reads a text.

        Raises:
            InputError: the text is empty or has unseen characters, or the decoder has no `activations`.
        """
        if not text:
            raise InputError("a text must have at least one token, but it is empty")
        tokens = self._encode(text, unseen).tolist()
        detokenizer = self.tokenizer.detokenizer()
        names = [detokenizer.push(token) for token in tokens]
        if rest := detokenizer.flush():
            names[-1] += rest
        return text_activations(self.model, tokens, names, self.device)

    def embeddings(self) -> Embeddings:
        """Return the embeddings of all tokens.

        Raises:
            InputError: the model has none.
        """
        return embeddings(self.model, lambda token: self.tokenizer.decode([token]))

    def _write(self, prompts: list[str], config: GenerationConfig, unseen: Unseen) -> Iterator[NewToken]:
        encoded = [self._encode(prompt, unseen) for prompt in prompts]
        ends = StopStrings(len(prompts), config.stop_strings)
        return self._written(
            [[BOS, *tokens.tolist()] for tokens in encoded], config, ends, list(map(self._read, encoded))
        )

    @unaffected
    def _written(
        self, encoded: list[list[int]], config: GenerationConfig, ends: StopStrings, detokenizers: list[Detokenizer]
    ) -> Iterator[NewToken]:
        seeds = [row_seed(config, row % config.num_return_sequences) for row in range(len(encoded))]
        steps = sample(
            cast("Decoder", self.model),
            encoded,
            config,
            seeds=seeds,
            finished=(lambda row, _: ends.reached[row]) if config.stop_strings else None,
            device=self.device,
        )
        with evaluating(self.model):
            for number, (rows, tokens, logits) in enumerate(steps, start=1):
                last = number == config.max_new_tokens
                for place, (row, token) in enumerate(zip(rows, tokens, strict=True)):
                    text = ends.cut(row, detokenizers[row].push(token))
                    stopped = token == EOS or ends.reached[row]
                    if (stopped or last) and not ends.reached[row]:
                        text += detokenizers[row].flush()
                    yield NewToken(row, token, text, "stop" if stopped else "length" if last else None, logits, place)

    def _searched(self, prompts: list[str], config: GenerationConfig, unseen: Unseen) -> Iterator[str]:
        if config.stop_strings:
            raise InputError(f"stop_strings must be empty with several beams, not {config.stop_strings}")
        encoded = [[BOS, *self._encode(prompt, unseen).tolist()] for prompt in prompts]
        with evaluating(self.model):
            found = beam_search(cast("Decoder", self.model), encoded, config, device=self.device)
        for prompt, tokens, hypotheses in zip(prompts, encoded, found, strict=True):
            for one in hypotheses:
                detokenizer = self._read(tokens)
                yield prompt + "".join(map(detokenizer.push, one.tokens)) + detokenizer.flush()

    def _read(self, tokens: Iterable[int]) -> Detokenizer:
        """Return a detokenizer after these tokens."""
        detokenizer = self.tokenizer.detokenizer()
        for token in tokens:
            detokenizer.push(int(token))
        return detokenizer

    def _encode(self, text: str, unseen: Unseen) -> Any:
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
