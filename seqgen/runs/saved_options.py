"""The options that a run has saved."""

from pathlib import Path
from typing import Any

from seqgen.errors import InputError
from seqgen.files import read_options


def saved_options(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the resolved options of the run that is resumed.

    Raises:
        InputError: there is none in `--output_dir`, or its options are damaged.
    """
    if asked.get("output_dir") is None:
        raise InputError("--resume needs --output_dir, the folder of the run to resume")
    path = Path(asked["output_dir"]) / "resolved.yaml"
    if not path.is_file():
        raise InputError(f"--resume needs a run in --output_dir, but {asked['output_dir']} holds none")
    return read_options(path)
