"""Errors that a user can act on."""

import difflib
from collections.abc import Iterable

SHOWN = 2000  # characters of an error that are shown
LONGEST = 200  # characters of words that are compared


class InputError(ValueError):
    """An input breaks a rule; the message is one sentence, and one line, with the rule and the value received."""

    def __init__(self, sentence: str = ""):
        line = sentence.replace("\r", "\\r").replace("\n", "\\n")  # of names and values with line ends
        super().__init__(line if len(line) < SHOWN else f"{line[: SHOWN // 2]} ... {line[-SHOWN // 2 :]}")


class NonFiniteLogits(InputError):
    """The logits of a model are not finite."""

    def __init__(self) -> None:
        super().__init__(
            "the logits of a model must be finite, but some are not: its weights are damaged, or its training "
            "diverged, and a smaller learning rate may help"
        )


class NonFiniteLoss(RuntimeError):
    """Training stopped because the loss or the gradient is not finite; the message says where and what to try."""


class Interrupted(KeyboardInterrupt):
    """Training was stopped by a signal and its state saved; the message says how to resume it."""


def nearest(word: str, choices: Iterable[str], *, prefix: str = "") -> str:
    """Return a clause that names the choice most similar to `word`, or an empty text where none is similar.

    The prefix, such as the dashes of an option, is shown but not compared.
    """
    # Of very long ones, whose comparison would take hours, none is similar.
    close = difflib.get_close_matches(word, [one for one in choices if len(one) < LONGEST], n=1) * (len(word) < LONGEST)
    return f" (did you mean {prefix}{close[0]}?)" if close else ""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, which has an s unless there is exactly one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def a_kind(builder: str) -> str:
    """Return the name of a builder as a kind of model, with its article: "an image classifier"."""
    return f"{'an' if builder[0] in 'aeiou' else 'a'} {builder.replace('_', ' ')}"
