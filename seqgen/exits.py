"""The exits of a command: a mistake or a signal ends it with one sentence and an exit code, from its first import on.

A script imports this file first: torch takes seconds to import, and Ctrl-C must not show where among its files.
"""

import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress

from seqgen.errors import InputError, NonFiniteLoss
from seqgen.interruptions import INTERRUPTED, handle, interruptions


def run_main(main: Callable[[], None]) -> None:
    """Run a command: invalid input exits with 2 and an interruption with 130, each with one sentence on stderr."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started this process
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # text is UTF-8 whatever the locale
            stream.reconfigure(encoding="utf-8", errors="replace")
    interruptions.received, interruptions.sentence = False, INTERRUPTED
    handle(interruptions.interrupt)
    before, threading.excepthook = threading.excepthook, _in_thread
    try:
        main()
        sys.stdout.flush()
        handle(signal.SIG_IGN)  # all is done, and the interpreter ends in a moment
    except InputError as error:
        _exit(f"error: {error}", 2)
    except NonFiniteLoss as error:
        _exit(f"error: {error}", 1)
    except KeyboardInterrupt as interruption:
        _exit(str(interruption) or interruptions.sentence, 130)
    except BrokenPipeError:
        # The reader (`| head`) closed the pipe; without this the interpreter reports an error while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        name = error.filename or "the disk"
        name = os.fsdecode(name) if isinstance(name, bytes) else name
        _exit(f"error: {name} cannot be read or written: {error.strerror or error}", 2)
    except Exception:
        if not interruptions.received:
            raise
        _exit(interruptions.sentence, 130)  # a library made another error of the interruption
    finally:
        threading.excepthook = before


def _in_thread(error: threading.ExceptHookArgs) -> None:
    """Print an error that ends a thread, unless it is of a disk: who waits for TensorBoard's writer says it."""
    if not isinstance(error.exc_value, OSError):
        threading.__excepthook__(error)


def _exit(sentence: str, code: int) -> None:
    handle(signal.SIG_IGN)
    with suppress(OSError):  # a full disk behind it
        print(sentence, file=sys.stderr, flush=True)
    if interruptions.received:  # the interpreter knows of the signal, and may exit with another code
        os._exit(code)
    sys.exit(code)


def _imported_by_script() -> bool:
    """Return whether the file that imports this one is the program itself, not a module of another one."""
    names = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_stack(None)]
    importers = [name for name in names if name != __name__ and not name.startswith("importlib.")]
    return importers[:1] == ["__main__"]


if _imported_by_script():
    handle(interruptions.end)
