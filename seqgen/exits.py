"""The exits of a command: a mistake or a signal ends it with one sentence and an exit code, from its first import on.

A script imports this file first: torch takes seconds to import, and Ctrl-C must not show where among its files.
"""

import io
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

from seqgen.errors import InputError, NonFiniteLoss
from seqgen.interruptions import INTERRUPTED, handle, interruptions, speaks


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
    except Exception as error:
        if interruptions.received:
            _exit(interruptions.sentence, 130)  # a library made another error of the interruption
        if _another_ended(error):
            _exit(f"another process of this run has ended, so this one was {interruptions.sentence}", 1)
        if type(error).__name__ != "OutOfMemoryError":  # torch's, which is not imported here
            raise
        _exit("error: a GPU's memory must be large enough, but it is full: choose a smaller --size, model or batch", 2)
    finally:
        threading.excepthook = before


def _another_ended(error: Exception) -> bool:
    """Return whether torch says that a process was not there to receive or to send: Gloo has no class for that."""
    return isinstance(error, RuntimeError) and ("gloo" in str(error) or "Dist" in type(error).__name__)


def _in_thread(error: threading.ExceptHookArgs) -> None:
    """Print an error that ends a thread, unless it is of a disk: who waits for TensorBoard's writer says it."""
    if not isinstance(error.exc_value, OSError):
        threading.__excepthook__(error)


def _exit(sentence: str, code: int) -> None:
    handle(signal.SIG_IGN)
    with suppress(OSError):  # a full disk behind it
        if code != 130 or speaks():
            print(sentence, file=sys.stderr, flush=True)
        if path := os.environ.get("TORCHELASTIC_ERROR_FILE"):  # from which `torchrun` takes what it reports at its end
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"message": sentence, "timestamp": int(time.time())}, file)
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
