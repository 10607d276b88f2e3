"""Damaged bytes and values for fuzzing, and the rule that whatever reads them must keep."""

import gzip
import json
import resource
import signal
import time
from collections import Counter
from contextlib import contextmanager

from hypothesis import strategies as st

from seqgen.errors import InputError

SECONDS, KILOBYTES = 10, 2 * 1024 * 1024  # of processor time, and of memory, for an input below 1 MB
HANGS = 120  # seconds of the clock, after which an example is taken for one that never ends

PAYLOADS = [
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b'"',
    b"'",
    b"\n",
    b"\r",
    b"\t",
    b",",
    b":",
    b"\\ud800",
    b"\\",
    b"9" * 400,
    b"-1",
    b"1e999",
    b"NaN",
    b"null",
    b"true",
    b"[" * 20_000,
    b"{" * 500,
    b'{"a":' * 20_000,
    b"- " * 2_000,
    b"&a [*a, *a]",
    b"!!python/object/apply:os.abort []",
    b"a" * 200_000,
    b"\n" * 100_000,
    b"a b " * 50_000,
    "\u2028\u0301\U0001f600".encode(),
]
OPERATIONS = ("cut", "insert", "delete", "repeat", "replace", "flip")
Edits = list[tuple[str, float, float, bytes]]

edits = st.lists(
    st.tuples(
        st.sampled_from(OPERATIONS), st.floats(0, 1), st.floats(0, 1), st.sampled_from(PAYLOADS) | st.binary(max_size=8)
    ),
    min_size=1,
    max_size=4,
)
odd_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**80), 2**80)
    | st.floats()
    | st.sampled_from([10**6, 10**9, 10**15, -1, 0, 1, 2, "", "a", "\x00", "\ud800", "a" * 5_000])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


def edited(content: bytes, changes: Edits) -> bytes:
    """The content after all changes, below 1 MB."""
    for operation, one, other, payload in changes:
        begin, end = sorted((int(one * len(content)), int(other * len(content))))
        before, middle, after = content[:begin], content[begin:end], content[end:]
        content = {
            "cut": before,
            "insert": before + payload + middle + after,
            "delete": before + after,
            "repeat": before + middle * 3 + after,
            "replace": before + payload + after,
            "flip": before + bytes(255 - byte for byte in middle[:8]) + middle[8:] + after,
        }[operation][:900_000]
    return content


def zipped(content: bytes, changes: Edits) -> bytes:
    """The content compressed, and then changed."""
    return edited(gzip.compress(content), changes)


def places(data, path=()):
    """The paths of all values in JSON data."""
    yield path
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from places(value, (*path, key))


def replaced(data, path, value):
    """JSON data with the value at a path replaced."""
    if not path:
        return value
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    changed = {key: replaced(old, path[1:], value) if key == path[0] else old for key, old in pairs}
    return changed if isinstance(data, dict) else list(changed.values())


def spoilt(content: bytes, where: float, value) -> bytes:
    """JSON in which one value is another one."""
    data = json.loads(content)
    every = list(places(data))
    return json.dumps(replaced(data, every[int(where * (len(every) - 1))], value)).encode("utf-8", "surrogatepass")


class Tally(Counter[str]):
    """How many inputs were accepted and how many refused; `of` holds the rule."""

    @contextmanager
    def of(self, source):
        """A context in which one input is read, in bounded time and memory; an InputError of one sentence ends it."""
        memory, began, sentence = _memory(), time.process_time(), ""
        signal.signal(signal.SIGALRM, _hangs)
        signal.alarm(HANGS)
        try:
            yield
            self["accepted"] += 1
        except InputError as error:
            self["refused"] += 1
            sentence = str(error)
        finally:
            signal.alarm(0)
        assert "\n" not in sentence, sentence
        assert time.process_time() - began < SECONDS, f"{source} took {time.process_time() - began:.1f} s"
        assert _memory() - memory < KILOBYTES, f"{source} took {(_memory() - memory) / 2**20:.1f} GB"


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _hangs(number, frame):
    raise AssertionError(f"no end after {HANGS} s")
