"""Options of reading that a model was trained with: a command reads files likewise unless its own say otherwise."""

from pathlib import Path
from typing import Any

from seqgen.data.text_file import known_encoding
from seqgen.files import read_options

READ = ("label_column", "text_column", "source_column", "target_column", "column", "encoding")


def encodings(options: dict[str, Any]) -> dict[str, str]:
    """Return the encodings of files and of standard input, for options as they are given."""
    filled = as_trained(options)
    return {name: filled[name] for name in ("encoding", "typed")}


def trained_options(place: str) -> dict[str, Any]:
    """Return the options that a model was trained with; none where a model is without its run.

    Args:
        place: run directory, its `model/`, or name of a model on the hub.

    Raises:
        InputError: the run's options are damaged.
    """
    directory = Path(place).resolve()
    run = directory if (directory / "model").is_dir() else directory.parent
    return read_options(run / "resolved.yaml")


def as_trained(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a command, those of reading files from the model's run where they were not given.

    Args:
        options: of the command; "directory" is a run directory, its `model/`, or the name of a model on the hub, which
            has no run. "encoding" is UTF-8 where neither names one; "typed" is that of standard input.

    Raises:
        InputError: the encoding is unknown, or the run's options are damaged.
    """
    trained = trained_options(options["directory"])
    found = {name: str(trained[name]) for name in READ if options.get(name) is None and trained.get(name) is not None}
    filled = options | found
    names = {"encoding": filled.get("encoding"), "typed": options.get("encoding")}
    return filled | {name: known_encoding(encoding or "utf-8") for name, encoding in names.items()}
