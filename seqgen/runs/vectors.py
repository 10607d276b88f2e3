"""The embeddings of a run that begin with pretrained word vectors."""

from dataclasses import dataclass
from typing import Any

from seqgen.data.vectors import first_words
from seqgen.inference.bundle import Bundle
from seqgen.inference.word_embeddings import initialize_embeddings
from seqgen.runs.run import Run
from seqgen.text.tokenizer import Tokenizer
from seqgen.text.words import WordTokenizer
from seqgen.training.optimizers import Group


@dataclass(kw_only=True)
class VectorOptions:
    """Options of pretrained word vectors."""

    vectors: str | None = None
    """text file of word vectors with which embeddings begin: GloVe, word2vec or fastText, plain or gzipped"""
    freeze_vectors: float = 0.0
    """fraction of training during which embeddings that begin with vectors stay frozen; 1 for all of it"""


@dataclass(kw_only=True)
class ReadVectorOptions(VectorOptions):
    """Options of pretrained word vectors for a model that only reads words, so that it needs no examples of each."""

    vector_words: int = 50_000
    """words of --vectors, the first of the file, that the vocabulary has beside those of the training data"""

    def words_of_vectors(self) -> list[str]:
        """Return the words of `--vectors` for the vocabulary; none without `--vectors`."""
        return first_words(self.vectors, self.vector_words) if self.vectors else []


def with_words_of_vectors(tokenizer: Tokenizer, options: ReadVectorOptions) -> Tokenizer:
    """Return a tokenizer that also knows the words of `--vectors`, where its tokens are words."""
    words = options.words_of_vectors()
    return tokenizer.with_words(words) if isinstance(tokenizer, WordTokenizer) and words else tokenizer


def begin_with_vectors(run: Run, bundle: Bundle[Any]) -> list[Group]:
    """Set the embeddings to the vectors of `--vectors`, say how many words have one, and return when to train them.

    Raises:
        InputError: the tokens are not words, or the vectors do not fit.
    """
    options = vars(run.config)
    if options["vectors"] is None:
        return []
    found = initialize_embeddings(bundle, options["vectors"])
    coverage = found.found / found.words
    run.figures["vector_coverage"] = coverage
    run.say(f"vectors of {options['vectors']}: {found.found:,} of {found.words:,} words have one ({coverage:.1%})")
    return [Group(found.weights, begins=options["freeze_vectors"])]
