"""Errors that a person can act on, and how a command ends when one occurs."""

import difflib
import io
import os
import sys
from collections.abc import Callable, Iterable


class InputError(ValueError):
    """What was given breaks a rule; the message is one sentence with the rule and the value received."""


class NonFiniteLoss(RuntimeError):
    """Training stopped because the loss is no longer a number; the message says where and what to try."""


class Interrupted(KeyboardInterrupt):
    """Training was stopped from outside after its state was saved; the message says how to go on."""


def nearest(word: str, choices: Iterable[str], *, prefix: str = "") -> str:
    """Return a clause that names the choice most like `word`, or an empty text where none is like it.

    The prefix, such as the dashes of an option, is shown but is no likeness.
    """
    close = difflib.get_close_matches(word, list(choices), n=1)
    return f" (did you mean {prefix}{close[0]}?)" if close else ""


def run_main(main: Callable[[], None]) -> None:
    """Run a command: bad input exits 2 and an interruption 130, each with one sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # text is UTF-8 whatever the locale
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        main()
        sys.stdout.flush()
    except InputError as error:
        _leave(f"error: {error}", 2)
    except NonFiniteLoss as error:
        _leave(f"error: {error}", 1)
    except KeyboardInterrupt as interruption:
        _leave(str(interruption) or "interrupted", 130)
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; without this the interpreter complains while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _leave(f"error: cannot write {error.filename or 'to the disk'}: {error.strerror or error}", 2)


def _leave(sentence: str, code: int) -> None:
    print(sentence, file=sys.stderr)
    sys.exit(code)
