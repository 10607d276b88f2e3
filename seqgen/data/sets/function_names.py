"""Names of the functions of Python's standard library, labelled with their package: a set without a download."""

import re
from collections import Counter

from seqgen.data.labelled import Labelled
from seqgen.data.sets.python_library import python_source
from seqgen.errors import InputError

FUNCTION_NAMES = "function-names"
LEAST = 150  # different names of a package
DEFINITION = re.compile(r"^\s*(?:async )?def ((?!__)\w+)\(", re.MULTILINE)


def function_names() -> Labelled:
    """Return the different names of each package's functions, without special methods.

    Raises:
        InputError: this Python is without the source of its library.
    """
    found: dict[tuple[str, str], str] = {}
    for package, path in python_source():
        for name in DEFINITION.findall(path.read_text(encoding="utf-8", errors="replace")):
            found.setdefault((package, name), str(path))
    counts = Counter(package for package, _ in found)
    rows = [(package, name, path) for (package, name), path in found.items() if counts[package] >= LEAST]
    if not rows:
        raise InputError("--data function-names needs the source of Python's library, which is not there: name a file")
    packages, names, paths = zip(*rows, strict=True)
    return Labelled(list(names), list(packages), list(paths))
