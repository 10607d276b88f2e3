"""The folder for what can be made again."""

import os
from pathlib import Path


def cache_directory() -> Path:
    """Return the folder `seqgen` in `XDG_CACHE_HOME` or `~/.cache`, which is made where it is missing."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    directory = Path(home) / "seqgen"
    directory.mkdir(parents=True, exist_ok=True)
    return directory
