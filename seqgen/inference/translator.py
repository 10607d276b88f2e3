"""A translator in use: sentences in, sentences out, with the attention weights between them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from torch import Tensor

from seqgen import patterns
from seqgen.batches.examples import Batchable
from seqgen.batches.pairs import Pairs, pairs
from seqgen.data.parallel import Parallel
from seqgen.data.store import stored
from seqgen.generation.config import GenerationConfig
from seqgen.inference.embeddings import Embeddings, embeddings
from seqgen.inference.encoder_decoder import EncoderDecoderBundle, Written, search_options
from seqgen.inference.known_tokens import require_known
from seqgen.inference.parts import GENERATION, Part, tokenizer_part
from seqgen.inference.schemas import MaxLength, TargetTokenizer
from seqgen.inference.score import Score
from seqgen.inference.token_batch import token_batch
from seqgen.models import EncoderDecoder
from seqgen.symbols import EOS
from seqgen.text.tokenizer import Tokenizer, tokenizer_data, tokenizer_from_data

NUM_BEAMS, LENGTH_PENALTY = 5, 0.6  # of beam search, by default
BUDGET = 16_384  # maximum number of source tokens of a batch, times hypotheses
SHARED = {"shared": True}  # the data of a target tokenizer that is the source tokenizer


class Alignment(NamedTuple):
    """Attention weights of a translation: (target pieces, source pieces), each row of which sums to one."""

    source: list[str]
    target: list[str]
    weights: np.ndarray


class Translation(NamedTuple):
    """A sentence, its log-probability in nats after the length penalty, and attention weights where asked for."""

    text: str
    score: float
    attention: Alignment | None = None


def _own_tokenizer(data: dict[str, Any]) -> Tokenizer | None:
    return None if data == SHARED else tokenizer_from_data(data)


@dataclass(kw_only=True)
class Translator(EncoderDecoderBundle):
    """An encoder and a decoder with their tokenizers.

    Args:
        source: the tokenizer of source sentences; the same object as `target` where they share one.
        target: the tokenizer of translations.
        generation: the options that translating starts from.
        max_length: maximum number of source tokens that are read.
    """

    builder = "translator"
    files: ClassVar = {
        "source_tokenizer.json": tokenizer_part("source"),
        "target_tokenizer.json": Part("target", TargetTokenizer, tokenizer_data, _own_tokenizer),
        "generation_config.json": GENERATION,
        "preprocessing.json": MaxLength,
    }

    source: Tokenizer
    max_length: int

    @classmethod
    def of(
        cls,
        model: EncoderDecoder,
        *,
        source: Tokenizer,
        target: Tokenizer | None = None,
        generation: GenerationConfig | None = None,
        max_length: int = 200,
        builder: Callable[..., EncoderDecoder] | None = None,
        arguments: dict[str, Any] | None = None,
    ) -> Self:
        """Return the translator of a model.

        Args:
            model: an encoder of source tokens, EOS last, and a decoder.
            source: the tokenizer of source sentences.
            target: the tokenizer of translations; by default that of source sentences.
            generation: the options that translating starts from; by default those of beam search.
            max_length: maximum number of source tokens that are read.
            builder: a function of one's own that makes this model of `arguments` alone, to save it: whoever loads the
                model gives that function, too.
            arguments: plain data: those of `builder`, or the options that `patterns.translator` was given.

        Raises:
            InputError: `builder` makes another model of `arguments`.
        """
        target = target or source
        generation = generation or search_options(target, NUM_BEAMS, LENGTH_PENALTY, max_length)
        parts: dict[str, Any] = {"source": source, "target": target, "generation": generation, "max_length": max_length}
        return cls(model=model, arguments=arguments or {}, own_builder=builder, **parts)

    @classmethod
    def untrained(
        cls,
        *,
        source: Tokenizer,
        target: Tokenizer | None = None,
        generation: GenerationConfig | None = None,
        max_length: int = 200,
        **arguments: Any,
    ) -> Self:
        """Return an untrained translator; `arguments` are options of `patterns.translator`, the others as in `of`."""
        target_size = None if target in (None, source) else target.vocab_size
        model = patterns.translator(source.vocab_size, target_size, **arguments)
        parts: dict[str, Any] = {"source": source, "target": target, "generation": generation, "max_length": max_length}
        return cls.of(model, arguments=arguments, **parts)

    def parts(self) -> dict[str, dict[str, Any]]:
        """Return tokenizers and options as plain data; a shared tokenizer is written once."""
        return super().parts() | ({"target_tokenizer.json": SHARED} if self.target is self.source else {})

    def translate(
        self, texts: str | Sequence[str], *, prefix: str = "", return_attention: bool = False, **options: Any
    ) -> list[Translation]:
        """Translate one sentence, or several; batches are made of them inside.

        Args:
            texts: the sentences; the translation of white space alone is empty.
            prefix: beginning of every translation.
            return_attention: whether to return the attention weights of each piece.
            **options: those of `GenerationConfig`, and `minimum_bayes_risk`, a number of translations to sample of each
                sentence, of which those most like all the others by chrF are returned; the others are as the model's
                `generation_config.json` sets them.

        Returns:
            The translations of all sentences, `num_return_sequences` of each, the best first.

        Raises:
            InputError: an unknown option, or a value outside its range.
        """
        texts = [texts] if isinstance(texts, str) else texts
        rows = [self.encode(text) if text.strip() else None for text in texts]
        written = self.write(rows, prefix=prefix, return_attention=return_attention, **options)
        return [
            Translation(one.text, one.score, self._alignment(row, one))
            for row, found in zip(rows, written, strict=True)
            for one in found
        ]

    def score(self, texts: str | Sequence[str], translations: str | Sequence[str]) -> list[Score]:
        """Return the log-probability of a translation of each sentence, or of one of one, in nats.

        Raises:
            InputError: there are more sentences than translations, or fewer.
        """
        texts, translations = ([one] if isinstance(one, str) else one for one in (texts, translations))
        return self.scored([self.encode(text) for text in texts], translations)

    def source_embeddings(self) -> Embeddings:
        """Return the embeddings of the tokens of source sentences.

        Raises:
            InputError: the encoder has none.
        """
        return embeddings(self.model.encoder, lambda token: self.source.decode([token]))

    def budget(self, hypotheses: int) -> int:
        """Return the maximum number of source tokens of a batch."""
        return max(BUDGET // hypotheses, 1)

    def encode(self, given: str) -> np.ndarray:
        """Return the tokens of a sentence, at most `max_length` of them, and EOS."""
        return np.append(self.source.encode(given)[: self.max_length], EOS)

    def collate(self, rows: Sequence[np.ndarray]) -> tuple[Tensor, ...]:
        """Return the right-padded (batch, steps) source tokens."""
        return (token_batch(rows, self.source.vocab_size),)

    def examples(self, data: Parallel) -> Batchable[Pairs]:
        """Return pairs for training, targets cut to `max_length`, too: encoded once, into a cached file."""

        def encoded() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            yield from zip(map(self.encode, data.sources), map(self.target.encode, data.targets), strict=True)

        largest = [self.source.vocab_size, self.target.vocab_size]
        sources, targets = stored([data.fingerprint, self.parts()], encoded, largest)
        require_known("source", sources, data.sources, self.source)
        require_known("target", targets, data.targets, self.target)

        def collate(numbers: np.ndarray) -> Pairs:
            inputs = self.collate([sources[number] for number in numbers])
            return pairs(inputs, [targets[number] for number in numbers], self.max_length)

        return Batchable(sources.lengths + np.minimum(targets.lengths + 1, self.max_length), collate)

    def _alignment(self, row: np.ndarray | None, written: Written) -> Alignment | None:
        if written.weights is None:
            return None
        source = [] if row is None else [*(self.source.decode([token]) for token in row[:-1].tolist()), "</s>"]
        return Alignment(source, written.pieces, written.weights)
