"""The pieces of a text that is generated token by token, with their probabilities."""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import NamedTuple

from torch import Tensor

from seqgen.errors import InputError
from seqgen.symbols import EOS
from seqgen.tasks.generator import Ending, NewToken
from seqgen.text.tokenizer import Detokenizer


class Candidate(NamedTuple):
    """A token that could be generated next, with the text that it would add and its log-probability in nats."""

    token: int
    text: str
    log_probability: float

    @property
    def ends(self) -> bool:
        """True for the token that ends a text."""
        return self.token == EOS


class Piece(NamedTuple):
    """A generated token.

    `text` is the text that it adds: empty for the end of a text and in the middle of a character, and up to the end of
    a stop string. `log_probability` is in nats, by the model's own logits before the options change them;
    `candidates` are the most probable tokens in its place, in their order. `ending` says why the text ends after this
    token, and is None where it goes on.
    """

    token: int
    text: str
    log_probability: float
    candidates: list[Candidate]
    ending: Ending | None


def detailed(
    written: Iterator[NewToken], before: Sequence[Detokenizer], candidates: int
) -> Iterator[tuple[int, Piece]]:
    """Return the row of each token with its piece, one after the other.

    Args:
        written: the tokens.
        before: a detokenizer after the prompt of each row.
        candidates: number of the most probable tokens that come with each.

    Raises:
        InputError: `candidates` is below 0.
    """
    if candidates < 0:
        raise InputError(f"candidates must be at least 0, not {candidates}")
    return _detailed(written, before, candidates)


def _detailed(
    written: Iterator[NewToken], before: Sequence[Detokenizer], candidates: int
) -> Iterator[tuple[int, Piece]]:
    for new in written:
        logs = new.logits[new.place].float().log_softmax(dim=0)
        best = most_probable(logs, candidates, before[new.row])
        before[new.row].push(new.token)
        yield new.row, Piece(new.token, new.text, float(logs[new.token]), best, new.ending)


def most_probable(logs: Tensor, count: int, detokenizer: Detokenizer) -> list[Candidate]:
    """Return the most probable tokens of (vocabulary,) log-probabilities, as they would follow what was decoded."""
    if not count:
        return []
    best = logs.topk(min(count, len(logs)))
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return [Candidate(token, copy(detokenizer).push(token), log) for token, log in pairs]
