"""Streamers, which are handed the tokens of a text as it is generated, as Hugging Face's `transformers` has them."""

from typing import Any, Protocol, Self


class Streamer(Protocol):
    """An object that takes the tokens of one text, such as any streamer of `transformers`."""

    def put(self, value: Any) -> None:
        """Take the (1, length) tokens of the prompt, and then the (1,) next token, again and again, EOS included."""
        ...

    def end(self) -> None:
        """Take notice that the text has ended, or that an error ended it."""
        ...


class Streaming:
    """The logits processor that hands a streamer what it sees of the only row, and changes no score.

    Args:
        streamer: told of the end when this context ends.
    """

    def __init__(self, streamer: Streamer):
        self.streamer = streamer
        self._seen: Any = None  # the (1, length) tokens so far
        self._written = 0  # new tokens that the streamer has

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.streamer.end()

    def __call__(self, input_ids: Any, scores: Any, /) -> Any:
        """Hand over the prompt, or the token that is new."""
        self.streamer.put(input_ids.cpu() if self._seen is None else input_ids[0, -1:].cpu())
        self._written += self._seen is not None
        self._seen = input_ids
        return scores

    def finish(self, tokens: list[int]) -> None:
        """Hand over the last of the new tokens, after which no scores were asked for."""
        for token in tokens[self._written :]:
            self.streamer.put(self._seen.new_tensor([token]).cpu())
