"""Refusals of requests: a status, and one sentence with the rule and the value received."""

from seqgen.errors import InputError


class Refusal(InputError):
    """A request that is refused with a status other than 400.

    Args:
        status: of HTTP.
        sentence: what is wrong, and what to do.
        headers: of the answer.
    """

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None):
        super().__init__(sentence)
        self.status, self.headers = status, headers or {}
