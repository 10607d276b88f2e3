"""The source of Python's standard library, and the text of its documentation, which are part of every installation."""

import os
import sysconfig
from pathlib import Path

OUTSIDE = {"site-packages", "dist-packages", "test", "tests", "idle_test", "lib2to3"}


def python_source() -> list[tuple[str, Path]]:
    """Return the files of Python's standard library, sorted, each with its package or top-level module."""
    library = Path(sysconfig.get_path("stdlib"))
    paths: list[Path] = []
    for folder, inner, names in os.walk(library):
        inner[:] = {*inner} - OUTSIDE  # which hold more files than the library: they are not looked into
        paths += [Path(folder, name) for name in names if name.endswith(".py")]
    return [(path.relative_to(library).with_suffix("").parts[0], path) for path in sorted(paths) if path.stat().st_size]


def python_docs() -> str:
    """Return the text of `help` about the language, topic by topic."""
    from pydoc_data.topics import topics

    return "\n\n".join(topic.strip() for _, topic in sorted(topics.items())) + "\n"
