"""The options of a run by what they are: names of files, those of a machine, and what a resumed run may change."""

from typing import Any

from seqgen.data.paths import absolute
from seqgen.runs.initial_options import INITIAL

# Options that a resumed run may change.
FREE_ON_RESUME = {"resume", "output_dir", "max_steps", "max_seconds", "device", "patience", "eval_every", "track"}
FREE_ON_RESUME |= {"learning_rate", "adamw_learning_rate", "with_ngrams", "ensemble"}
# Options that name files, so that a run is resumed from any folder.
PATHS = {"data", "valid", "test", "source", "target", "captions", "weights", "vectors", "unlabelled", *INITIAL}
PATHS |= {f"{part}_{option}" for part in ("valid", "test") for option in ("source", "target", "captions")}
FREE_ON_RESUME |= PATHS - {"weights", *INITIAL}  # data may have moved: they are known by their content
# Options that may differ between the machines of a run.
OF_A_MACHINE = PATHS | {"output_dir", "resume", "device", "threads", "track", "asked", "settled"}
INNER = {"model", "asked", "settled"}
NO_OPTIONS = {"resume"} | INNER


def anywhere(options: dict[str, Any]) -> dict[str, Any]:
    """Return options with absolute paths in place of relative ones."""
    return {name: absolute(value) if name in PATHS and value else value for name, value in options.items()}
