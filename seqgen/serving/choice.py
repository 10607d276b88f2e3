"""A completion as OpenAI's clients read it: its text without the stop string, its tokens and why it ended."""

from typing import Any, NamedTuple

from seqgen.inference.piece import Piece
from seqgen.tasks.generator import Ending


class Logged(NamedTuple):
    """A token of a completion: where it begins, its text and log-probability, and those of the most probable ones."""

    begin: int
    text: str
    log_probability: float | None
    best: dict[str, float] | None


class Choice:
    """A completion that grows piece by piece, and what of it can be shown.

    The end of a text that may become a stop string is held back until that is known.

    Args:
        index: its number among the completions of a request.
        stop_strings: any of which ends it, and is left out.
        echoed: tokens of the prompt with their log-probabilities, where it begins the completion.
        logprobs: number of the most probable tokens to show with each, or None for no log-probabilities.
    """

    def __init__(
        self,
        index: int,
        stop_strings: tuple[str, ...],
        echoed: list[tuple[str, float | None]],
        logprobs: int | None,
    ):
        self.index, self.stop_strings, self.logprobs = index, stop_strings, logprobs
        self.text = ""
        self.ending: Ending | None = None
        self._tokens: list[Logged] = []
        for text, log in echoed:
            self._append(text, log, None)
        self._prompt, self._shown = len(self.text), 0

    def add(self, piece: Piece) -> None:
        """Append a piece."""
        best = {one.text: one.log_probability for one in reversed(piece.candidates)}  # of two alike the more probable
        self._append(piece.text, piece.log_probability, best if self.logprobs else None)
        self.ending = piece.ending

    def new(self) -> dict[str, Any] | None:
        """Return what can be shown and was not yet; None where there is nothing."""
        end = self._end()
        if end == self._shown and self.ending is None:
            return None
        tokens = [one for one in self._tokens if self.ending or one.begin < end]
        text, self._shown, self._tokens = self.text[self._shown : end], end, self._tokens[len(tokens) :]
        logs = None if self.logprobs is None else _columns([one for one in tokens if one.begin < end])
        return {"index": self.index, "text": text, "logprobs": logs, "finish_reason": self.ending}

    def _append(self, text: str, log: float | None, best: dict[str, float] | None) -> None:
        self._tokens.append(Logged(len(self.text), text, log, best))
        self.text += text

    def _end(self) -> int:
        """Return where the text ends that is no part of a stop string, as far as is known."""
        written = self.text[self._prompt :]
        if self.ending == "length":
            return len(self.text)
        lengths = (
            range(len(stop), len(stop) + 1) if self.ending else range(1, len(stop)) for stop in self.stop_strings
        )
        parts = (stop[:length] for stop, of in zip(self.stop_strings, lengths, strict=True) for length in of)
        held = max((len(part) for part in parts if written.endswith(part)), default=0)
        return len(self.text) - held


def _columns(tokens: list[Logged]) -> dict[str, Any]:
    return {
        "tokens": [one.text for one in tokens],
        "token_logprobs": [one.log_probability for one in tokens],
        "top_logprobs": [one.best for one in tokens],
        "text_offset": [one.begin for one in tokens],
    }
