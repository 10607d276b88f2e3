"""The schemas of a saved model's JSON files: each part is checked by type and range before anything is made of it."""

import base64
import binascii
import reprlib
from collections.abc import Callable
from functools import cache
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pydantic_core
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, ValidationError, create_model

from seqgen.errors import InputError
from seqgen.files import read_bytes
from seqgen.tasks.ngram_classifier import LONGEST
from seqgen.text.tokenizer import KINDS
from seqgen.text.whitespace import LINE_END, UNKNOWN

LARGEST = 1 << 27  # bytes of a JSON file
SIDE = 4096  # maximum pixels a side that a model reads

Size = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
# Of a builder's arguments: sizes are whole numbers, probabilities are not.
RANGES: dict[Any, Any] = {int: Size, float: Fraction, list[int]: Annotated[list[Size], Field(min_length=1)]}


def _different(words: list[str]) -> list[str]:
    if len(set(words)) < len(words):
        raise ValueError("must be all different")
    return words


def _words_and_line_end(words: list[str]) -> list[str]:
    if LINE_END not in words:
        raise ValueError("must have the line end")
    if any(word.split() != [word] or word == UNKNOWN for word in words if word != LINE_END):
        raise ValueError(f"must be words without white space, and not {UNKNOWN}")
    return words


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("must be base64") from None
    return text


Names = Annotated[list[str], Field(min_length=1), AfterValidator(_different)]
Symbols = Annotated[list[str], AfterValidator(_different)]


class Schema(BaseModel):
    """A JSON object with these fields and no others, none of which is converted."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Config(Schema):
    """`config.json`: the builder of the model, its arguments, and the kind of model where the builder is another's."""

    format: int
    library: Literal["seqgen"]
    builder: str
    arguments: dict[str, Any]
    used_as: str


class Symbolic(Schema):
    """A vocabulary."""

    symbols: Symbols


class Shared(Schema):
    """The mark that another file has the tokenizer."""

    shared: Literal[True]


class Tokens(Schema):
    """A tokenizer, and the mark that its tokens are in the opposite order."""

    backward: bool = False


class Characters(Tokens):
    """A tokenizer of characters."""

    kind: Literal["char"]
    symbols: Annotated[list[Annotated[str, Field(min_length=1, max_length=1)]], AfterValidator(_different)]


class Bytes(Tokens):
    """A tokenizer of bytes."""

    kind: Literal["byte"]


class Words(Tokens):
    """A tokenizer of words, and the marks without a space before or after them."""

    kind: Literal["word", "lowercase-word"]
    symbols: Symbols
    closing: list[str]
    opening: list[str]


class WordsAndLineEnds(Tokens):
    """A tokenizer of words between white space."""

    kind: Literal["whitespace"]
    symbols: Annotated[Symbols, AfterValidator(_words_and_line_end)]


class Subwords(Tokens):
    """A tokenizer of subwords: sentencepiece's model."""

    kind: Literal["subword", "bpe"]
    model: Annotated[str, AfterValidator(_base64)]


AnyTokenizer = Characters | Bytes | Words | WordsAndLineEnds | Subwords


class TokenizerData(RootModel[Annotated[AnyTokenizer, Field(discriminator="kind")]]):
    """A tokenizer of any kind."""


class TargetTokenizer(RootModel[TokenizerData | Shared]):
    """A tokenizer, or the mark that it is the source's."""


class Alphabet(RootModel[Symbolic | Annotated[dict[str, Any], Field(max_length=0)]]):
    """A vocabulary or none."""


class Classes(Schema):
    """The names of classes."""

    classes: Names


class Tags(Schema):
    """The names of tags."""

    tags: Names


class MaxLength(Schema):
    """The maximum number of tokens that are read."""

    max_length: Size


class WordNGrams(Schema):
    """The n-grams beside the network of a text classifier, whose arrays are in another file."""

    classes: Names
    order: Annotated[int, Field(ge=1, le=LONGEST)]
    weights: Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=2, max_length=2)]


class Conditions(Schema):
    """The categories, or mean and standard deviation of the numbers."""

    categories: Symbols
    mean: list[float]
    deviation: list[Annotated[float, Field(gt=0)]]


Colour = Annotated[list[float], Field(min_length=3, max_length=3)]


class Images(Schema):
    """The preprocessing of images."""

    size: Annotated[int, Field(ge=1, le=SIDE)]
    mean: Colour
    deviation: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=3, max_length=3)]
    interpolation: Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
    border: Annotated[float, Field(ge=0, lt=0.5)]


class Options(RootModel[dict[str, Any]]):
    """The options of generation, which check themselves."""


def read_object(path: Path, schema: type[BaseModel] | None = None) -> dict[str, Any]:
    """Return the JSON object of a file.

    Args:
        path: of the file.
        schema: of the object; by default it may have any fields.

    Raises:
        InputError: the file is not JSON, nested too deeply, or breaks the schema.
    """
    if path.stat().st_size > LARGEST:
        raise InputError(f"{path} must have at most {LARGEST:,} bytes, not {path.stat().st_size:,}")
    try:
        data = pydantic_core.from_json(read_bytes(path), allow_inf_nan=False)
    except ValueError as error:
        raise InputError(f"{path} must be JSON as it was saved, but it is not: {error}") from None
    if not isinstance(data, dict):
        raise InputError(f"{path} must be a JSON object, not {type(data).__name__}")
    require(schema or Options, data, str(path))
    return data


def require(schema: type[BaseModel], data: dict[str, Any], name: str) -> None:
    """Raise an InputError of one sentence where the data, of this name, break the schema."""
    try:
        schema.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part not in _CASES)
        rule = first["msg"].removeprefix("Value error, ").replace("Input should", "must")
        rule = {"missing": "must be there", "extra_forbidden": "must not be there"}.get(first["type"], rule)
        shown = "" if first["type"] == "missing" else f", not {reprlib.repr(first['input'])}"
        raise InputError(f"{name}: {place or 'it'} {rule}{shown}") from None


# The names of the cases of a union, which pydantic puts into the place of an error.
_CASES = {*KINDS, "TokenizerData", "Shared", "Symbolic"}


@cache
def arguments_schema(builder: Callable[..., Any]) -> type[BaseModel]:
    """Return the schema of a builder's arguments, from its signature: sizes are at least 1, and fractions below 1."""
    fields: dict[str, Any] = {
        name: (_in_range(argument.annotation), None) for name, argument in signature(builder).parameters.items()
    }
    return create_model(builder.__name__, __base__=Schema, **fields)


def _in_range(annotation: Any) -> Any:
    parts = [RANGES.get(part, part) for part in get_args(annotation) if part is not type(None)]
    if len(parts) == 1 and annotation != parts[0] and type(None) in get_args(annotation):
        return parts[0] | None
    return RANGES.get(annotation, annotation)
