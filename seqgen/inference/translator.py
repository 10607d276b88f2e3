"""A translator in use: sentences in, sentences out, with the attention weights between them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from seqgen import patterns
from seqgen.batches.examples import Batchable
from seqgen.batches.pairs import Pairs, pairs
from seqgen.data.parallel import Parallel
from seqgen.data.store import stored
from seqgen.generation.config import GenerationConfig
from seqgen.inference.embeddings import Embeddings, embeddings
from seqgen.inference.encoder_decoder import EncoderDecoderBundle
from seqgen.inference.known_tokens import require_known
from seqgen.models import EncoderDecoder
from seqgen.tasks.encoder_decoder import search_options
from seqgen.tasks.translator import SHARED, TranslatorTask
from seqgen.text.tokenizer import Tokenizer

NUM_BEAMS, LENGTH_PENALTY = 5, 0.6  # of beam search, by default


@dataclass(kw_only=True)
class Translator(TranslatorTask, EncoderDecoderBundle):
    """An encoder and a decoder with their tokenizers.

    Args:
        source: the tokenizer of source sentences; the same object as `target` where they share one.
        target: the tokenizer of translations.
        generation: the options that translating starts from.
        max_length: maximum number of source tokens that are read.
    """

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

    def source_embeddings(self) -> Embeddings:
        """Return the embeddings of the tokens of source sentences.

        Raises:
            InputError: the encoder has none, or this is an ensemble.
        """
        self.require_single("embeddings")
        return embeddings(self.model.encoder, lambda token: self.source.decode([token]))

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
