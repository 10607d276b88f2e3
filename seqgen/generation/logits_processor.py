"""The protocol of logits processors of one's own, which is that of Hugging Face's `transformers`."""

from collections.abc import Sequence
from typing import Any, Protocol

from seqgen.errors import InputError


class LogitsProcessor(Protocol):
    """A function that changes the scores of the next tokens, such as any logits processor of `transformers`."""

    def __call__(self, input_ids: Any, scores: Any, /) -> Any:
        """Return the (rows, vocabulary) scores after those that were given, which may be changed in place.

        `input_ids` are the (rows, length) int64 tokens so far, prompt and BOS included, of unfinished rows, none of
        which is padded; `scores` their (rows, vocabulary) logits in fp32, -infinity for tokens that are excluded. A row
        with nothing but -infinity ends.
        """
        ...


def require_neither(processors: Sequence[LogitsProcessor], streamer: object = None) -> None:
    """Raise an InputError where onnxruntime is given processors or a streamer, which take tensors of torch's."""
    for name, given in (("logits_processor", len(processors)), ("streamer", streamer is not None)):
        if given:
            raise InputError(f"{name} must be left out with onnxruntime, because it takes torch's tensors: use torch")
