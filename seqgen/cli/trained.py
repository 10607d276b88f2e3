"""How a model's training data was read, which is how a command reads files unless its options say otherwise."""

from pathlib import Path
from typing import Any

import yaml

from seqgen.data.text_file import known_encoding
from seqgen.errors import InputError

READ = ("label_column", "text_column", "source_column", "target_column", "column", "encoding")


def as_trained(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a command, those of reading files from the model's run where they were not given.

    Args:
        options: of the command; "directory" is a run directory, its `model/`, or the name of a model on the hub, which
            has no run. "encoding" is UTF-8 where neither names one.

    Raises:
        InputError: the encoding is unknown, or the run's options are damaged.
    """
    directory = Path(options["directory"]).resolve()
    run = directory if (directory / "model").is_dir() else directory.parent
    trained = read_yaml(run / "resolved.yaml")
    found = {name: str(trained[name]) for name in READ if options.get(name) is None and trained.get(name) is not None}
    filled = options | found
    return filled | {"encoding": known_encoding(filled.get("encoding") or "utf-8")}


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the options of a run in a YAML file; none where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except yaml.YAMLError:
        raise InputError(f"{path} must hold the options of a run as they were saved, but it is damaged") from None
    return found if isinstance(found, dict) else {}
