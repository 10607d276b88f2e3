"""The pieces of a text that is generated token by token, with their probabilities."""

from copy import copy
from typing import Literal, NamedTuple

from torch import Tensor

from seqgen.symbols import EOS
from seqgen.text.tokenizer import Detokenizer

Ending = Literal["stop", "length"]  # EOS or a stop string was generated, or max_new_tokens are reached


class Candidate(NamedTuple):
    """A token that could be generated next, with the text that it would add and its log-probability in nats."""

    token: int
    text: str
    log_probability: float

    @property
    def ends(self) -> bool:
        """Whether the token is the end of a text."""
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


def most_probable(logs: Tensor, count: int, detokenizer: Detokenizer) -> list[Candidate]:
    """Return the most probable tokens of (vocabulary,) log-probabilities, as they would follow what was decoded."""
    if not count:
        return []
    best = logs.topk(min(count, len(logs)))
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return [Candidate(token, copy(detokenizer).push(token), log) for token, log in pairs]
