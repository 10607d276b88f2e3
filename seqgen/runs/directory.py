"""The directory of a run."""

from dataclasses import asdict
from itertools import count
from pathlib import Path

import yaml

from seqgen.errors import InputError
from seqgen.files import write_text
from seqgen.runs.config import RunConfig

OF_ONE_RUN = ("output_dir", "resume")
CONTENTS = ("config.yaml", "metrics.jsonl", "model", "state", "results.json")


def run_directory(config: RunConfig, name: str) -> Path:
    """Return the directory that was asked for, or a new one under runs/ with the name of the recipe.

    Raises:
        InputError: it holds another run, or anything else.
    """
    if config.output_dir is None:
        candidates = (Path("runs") / (f"{name}-{number}" if number > 1 else name) for number in count(1))
        directory = next(path for path in candidates if not path.exists())
    else:
        directory = Path(config.output_dir)
    if directory.exists() and not directory.is_dir():
        raise InputError(f"--output_dir must be a folder, but {directory} is a file")
    if not config.resume and any((directory / name).exists() for name in CONTENTS):
        raise InputError(
            f"--output_dir must not hold another run, but {directory} does: take another, or add --resume to go on"
        )
    if not config.resume and directory.exists() and any(directory.iterdir()):
        raise InputError(f"--output_dir must be new or empty, but {directory} holds other files")
    return directory


def write_options(directory: Path, config: RunConfig) -> None:
    """Write the options down so that the file, given as --config, starts another run just like it."""
    options = {name: value for name, value in asdict(config).items() if name not in OF_ONE_RUN}
    write_text(directory / "config.yaml", yaml.safe_dump(options, sort_keys=False))
