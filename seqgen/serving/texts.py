"""The answers of generators: texts, written as one watches or whole, and the score of a text."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.figures.cells import cells_data
from seqgen.generation.config import Unseen
from seqgen.inference.activations import count_cells
from seqgen.inference.conditional_generator import ConditionalGenerator
from seqgen.inference.generator import Generator
from seqgen.inference.piece import Piece
from seqgen.metrics.followed import LEAST_TOKENS, followed_properties
from seqgen.metrics.text_properties import text_properties
from seqgen.serving.answer import Stream, gathered, stoppable, to_json
from seqgen.serving.limits import LIMITS, require_affordable, require_short, require_within


@checked
def generate(
    generator: Generator,
    *,
    prompt: str = "",
    candidates: int = 5,
    stream: bool = True,
    unseen: Unseen = "error",
    **options: Any,
) -> dict[str, Any] | Stream:
    """Return the continuation of a prompt, as a stream of its pieces or as whole texts, prompts included."""
    require_within(candidates=candidates)
    config = generator.options(**options)
    require_affordable(config, [prompt])
    if stream:
        pieces = generator.pieces(prompt, candidates=candidates, unseen=unseen, **options)
        return Stream("application/x-ndjson", _lines(pieces), lambda sentence: to_json({"error": sentence}) + "\n")
    if config.num_beams > 1:  # which takes no longer than the limits allow
        return {"texts": generator.generate(prompt, unseen=unseen, **options)}
    texts = [prompt] * config.num_return_sequences
    for row, piece in stoppable(generator.batch_pieces([prompt], candidates=0, unseen=unseen, **options)):
        texts[row] += piece.text
    return {"texts": texts}


@checked
def generate_for_condition(
    generator: ConditionalGenerator,
    *,
    condition: str | list[float],
    prompt: str = "",
    minimum_bayes_risk: int = 0,
    **options: Any,
) -> dict[str, Any]:
    """Return texts for a category, or for numbers, with their scores."""
    config = generator.generation.with_options(**options)
    require_affordable(config, [prompt], minimum_bayes_risk=minimum_bayes_risk)
    options |= {"prefix": prompt, "minimum_bayes_risk": minimum_bayes_risk}
    [found] = generator.write([generator.encode(condition)], **options)
    return {"texts": [{"text": one.text, "score": one.score} for one in found]}


@checked
def score(generator: Generator, *, text: str, unseen: Unseen = "error") -> dict[str, Any]:
    """Return the log-probability of each token of a text, in nats, and its perplexity."""
    require_short(text=text)
    found = generator.score(text, unseen=unseen)
    pairs = zip(found.tokens, found.log_probabilities, strict=True)
    return {"pieces": [{"text": token, "log_probability": log} for token, log in pairs], "perplexity": found.perplexity}


@checked
def cells(generator: Generator, *, text: str, unseen: Unseen = "error") -> dict[str, Any]:
    """Return the activations of cells while a generator reads a text, and what they follow."""
    require_short(text=text)
    _require_few(len(generator.tokenizer.encode(text)), count_cells(generator.model, generator.device))
    read = generator.activations(text, unseen=unseen)
    properties = text_properties(read.tokens)
    enough = len(read.tokens) >= LEAST_TOKENS
    return cells_data(read, properties, followed_properties(read.tokens, read.cells, properties) if enough else [])


def _require_few(tokens: int, count: int) -> None:
    most = LIMITS["cell_values"] // count
    if tokens > most:
        raise InputError(f"text must have at most {most:,} tokens for {count:,} cells, not {tokens:,}")


def _lines(pieces: Iterator[Piece]) -> Iterator[str]:
    """Yield a line of JSON for the pieces that come together, and a last one for the end of the text."""
    began, count = monotonic(), 0
    for together in gathered(pieces):
        count += len(together)
        yield to_json({"pieces": list(map(_shown, together))}) + "\n"
    yield to_json({"ending": together[-1].ending, "tokens": count, "seconds": monotonic() - began}) + "\n"


def _shown(piece: Piece) -> dict[str, Any]:
    candidates = [[None if one.ends else one.text, one.log_probability] for one in piece.candidates]
    return {"text": piece.text, "log_probability": piece.log_probability, "candidates": candidates}
