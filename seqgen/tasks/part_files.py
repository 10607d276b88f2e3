"""The files of a model's parts: plain data as JSON, and the arrays of a part as safetensors beside it."""

import json
from pathlib import Path
from typing import Any

from seqgen.errors import InputError
from seqgen.files import read_bytes
from seqgen.tasks.parts import ARRAYS, Part
from seqgen.tasks.schemas import read_object
from seqgen.tasks.task import Task


def part_files(parts: dict[str, dict[str, Any]]) -> dict[str, bytes]:
    """Return the content of each file, by its name, of parts by the names of their JSON files."""
    files: dict[str, bytes] = {}
    for name, data in parts.items():
        if ARRAYS in data:
            files[arrays_file(name)] = data[ARRAYS]
        plain = {field: value for field, value in data.items() if field != ARRAYS}
        text = json.dumps(plain, ensure_ascii=False, indent=1) + "\n"
        files[name] = text.encode(errors="backslashreplace")  # of names that are not UTF-8
    return files


def optional_files(kind: type[Task]) -> set[str]:
    """Return the names of the files that a model of some kind has only at times."""
    names = {name for name, kept in kind.files.items() if isinstance(kept, Part) and kept.optional}
    return names | set(map(arrays_file, names))


def read_parts(directory: Path, kind: type[Task], whole: str = "a whole model") -> dict[str, dict[str, Any]]:
    """Return the parts of a saved model but its network, as plain data, by the names of their JSON files.

    Args:
        directory: with the files.
        kind: whose parts they are.
        whole: what the directory must hold, in the message of an error.

    Raises:
        InputError: a file is missing, is not JSON, or breaks the schema of its part.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, kept in kind.files.items():
        part = kept if isinstance(kept, Part) else Part(name, kept, dict, dict)
        if part.optional and not (directory / name).is_file():
            continue
        for one in (name, arrays_file(name)) if part.arrays else (name,):
            if not (directory / one).is_file():
                raise InputError(f"{directory} must hold {whole}, but it lacks {one}")
        found[name] = read_object(directory / name, part.schema)
        if part.arrays:
            found[name][ARRAYS] = read_bytes(directory / arrays_file(name))
    return found


def arrays_file(name: str) -> str:
    """Return the name of the file with the arrays of a part, whose JSON file has this name."""
    return f"{name.removesuffix('.json')}.safetensors"
