"""The parts of a bundle other than its model, each kept as plain data in a JSON file."""

from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import BaseModel

from seqgen.data.images import Preprocessing
from seqgen.generation.config import GenerationConfig
from seqgen.tasks.ngram_mixture import NGramMixture
from seqgen.tasks.schemas import Alphabet, Images, Options, Symbolic, TokenizerData, WordNGrams
from seqgen.text.tokenizer import tokenizer_data, tokenizer_from_data
from seqgen.text.vocabulary import Vocabulary

ARRAYS = "arrays"  # of a part's plain data: bytes of safetensors, which have a file of their own


class Part(NamedTuple):
    """A field of a bundle that has a file of its own, the file's schema, and the conversion to plain data and back.

    It may be `optional`, so that there is no file where the field is None, and may have `arrays`.
    """

    field: str
    schema: type[BaseModel]
    to_data: Callable[[Any], dict[str, Any]]
    from_data: Callable[[dict[str, Any]], Any]
    optional: bool = False
    arrays: bool = False


def tokenizer_part(field: str) -> Part:
    """Return the part for a tokenizer of any kind."""
    return Part(field, TokenizerData, tokenizer_data, tokenizer_from_data)


VOCABULARY = Part("vocabulary", Symbolic, lambda found: found.data, Vocabulary.from_data)
ALPHABET = Part(
    "alphabet",
    Alphabet,
    lambda found: found.data if found else {},
    lambda data: Vocabulary.from_data(data) if data else None,
)
GENERATION = Part("generation", Options, GenerationConfig.to_data, GenerationConfig.from_data)
PREPROCESSING = Part("preprocessing", Images, Preprocessing._asdict, lambda data: Preprocessing(**data))
WORD_NGRAMS = Part("ngrams", WordNGrams, NGramMixture.to_data, NGramMixture.from_data, optional=True, arrays=True)
