"""The protocol of logits processors of one's own, which is that of Hugging Face's `transformers`."""

from typing import Any, Protocol


class LogitsProcessor(Protocol):
    """A function that changes the scores of the next tokens, such as any logits processor of `transformers`."""

    def __call__(self, input_ids: Any, scores: Any, /) -> Any:
        """Return the (rows, vocabulary) scores after those that were given, which may be changed in place.

        `input_ids` are the (rows, length) int64 tokens so far, prompt and BOS included, of unfinished rows, none of
        which is padded; `scores` their (rows, vocabulary) logits in fp32, -infinity for tokens that are excluded. A row
        with nothing but -infinity ends.
        """
        ...
