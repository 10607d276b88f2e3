"""Errors that a user can act on, and the exit codes of a command."""

import difflib
import io
import os
import sys
from collections.abc import Callable, Iterable

LONGEST = 200  # characters of words that are compared
SHOWN = 2000  # characters of an error that are shown


class InputError(ValueError):
    """An input breaks a rule; the message is one sentence with the rule and the value received."""


class NonFiniteLogits(InputError):
    """The logits of a model are not finite."""


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


def run_main(main: Callable[[], None]) -> None:
    """Run a command: invalid input exits with 2 and an interruption with 130, each with one sentence on stderr."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started this process
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # text is UTF-8 whatever the locale
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        main()
        sys.stdout.flush()
    except InputError as error:
        _exit("error: " + str(error).replace("\n", "\\n"), 2)  # one line, whatever the names of files
    except NonFiniteLoss as error:
        _exit(f"error: {error}", 1)
    except KeyboardInterrupt as interruption:
        _exit(str(interruption) or "interrupted", 130)
    except BrokenPipeError:
        # The reader (`| head`) closed the pipe; without this the interpreter reports an error while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _exit(f"error: cannot write {error.filename or 'to the disk'}: {error.strerror or error}", 2)


def _exit(sentence: str, code: int) -> None:
    shown = sentence if len(sentence) < SHOWN else f"{sentence[: SHOWN // 2]} ... {sentence[-SHOWN // 2 :]}"
    print(shown, file=sys.stderr)
    sys.exit(code)
