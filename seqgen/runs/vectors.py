"""The embeddings of a run that begin with pretrained word vectors."""

from dataclasses import dataclass
from typing import Any, TypeVar, cast

from seqgen.data.vectors import first_words
from seqgen.inference.bundle import Bundle
from seqgen.inference.word_embeddings import initialize_embeddings
from seqgen.runs.run import Run
from seqgen.text.vocabulary import Vocabulary
from seqgen.text.words import WordTokenizer
from seqgen.training.optimizers import Group

V = TypeVar("V")


@dataclass(kw_only=True)
class VectorOptions:
    """Options of pretrained word vectors."""

    vectors: str | None = None
    """text file of word vectors with which embeddings begin: GloVe, word2vec or fastText, plain or gzipped"""
    freeze_vectors: float = 0.0
    """fraction of training during which embeddings that begin with vectors stay frozen; 1 for all of it"""
    vector_deviation: float | None = None
    """standard deviation that vectors are scaled to: larger ones change less; by default of untrained embeddings"""


@dataclass(kw_only=True)
class ReadVectorOptions(VectorOptions):
    """Options of pretrained word vectors for a model that only reads words, so that it needs no examples of each."""

    vector_words: int = 50_000
    """number of first words of the vectors' file that enter the vocabulary, also where the training data lacks them"""


def with_words_of_vectors(run: Run, known: V) -> V:
    """Return a tokenizer of words, or a tagger's vocabulary, that also knows the first words of `--vectors`."""
    options = vars(run.config)
    if options["vectors"] is None or not isinstance(known, WordTokenizer | Vocabulary):
        return known
    words = first_words(options["vectors"], options["vector_words"])
    larger: Any = known.with_words(words)
    run.figures["vector_words_added"] = _size(larger) - _size(known)
    return cast("V", larger)


def begin_with_vectors(run: Run, bundle: Bundle[Any]) -> list[Group]:
    """Set the embeddings to the vectors of `--vectors`, say how many words have one, and return when to train them.

    Raises:
        InputError: the tokens are not words, or the vectors do not fit.
    """
    options = vars(run.config)
    if options["vectors"] is None:
        return []
    added = int(run.figures.get("vector_words_added", 0))
    found = initialize_embeddings(bundle, options["vectors"], deviation=options["vector_deviation"], added=added)
    coverage = found.found / found.words
    run.figures["vector_coverage"] = coverage
    run.say(
        f"vectors of {options['vectors']}: {found.found:,} of {found.words:,} words of the data have one "
        f"({coverage:.1%}){f', and {added:,} more are in the vocabulary' if added else ''}"
    )
    return [Group(found.weights, begins=options["freeze_vectors"])]


def _size(known: Any) -> int:
    return len(known if isinstance(known, Vocabulary) else known.vocabulary)
