"""The model card of a run: with what trained it, and its figures."""

import shlex
from typing import Any

from seqgen.files import read_options
from seqgen.inference.bundle import Bundle
from seqgen.inference.card import Trained, names_only, write_card
from seqgen.runs.option_kinds import PATHS
from seqgen.runs.report import machine, versions
from seqgen.runs.run import Run


def write_model_card(run: Run, bundle: Bundle[Any], identity: str, results: dict[str, Any]) -> None:
    """Write the card of the best model at the end of a run; of paths it has the last part, as others may read it.

    Args:
        run: at its end.
        bundle: in training, of the kind of the saved model.
        identity: fingerprint of the data.
        results: all final figures.
    """
    named = [getattr(run.config, name, None) for name in ("source", "target")]
    files = [name for name in named if name] or [getattr(run.config, "data", "")]
    data = ",".join(map(names_only, files))
    facts = {
        "fingerprint of the data": identity[:16],
        "command": f"`{shlex.join(['seqgen', 'train', run.name, *_asked(run)])}`",
        "updates": f"{results['steps']:,} in {results['seconds']:.0f} s of wall-clock",
        "machine": f"{machine()}; {run.device}, {run.calculation}",
        "versions": versions(),
    }
    if run.members:
        facts["ensemble"] = f"the first of {len(run.members) + 1} members; results.json has the figures of all together"
    write_card(run.model_directory, bundle, Trained(run.name, data, facts, {} if run.members else results))


def _asked(run: Run) -> list[str]:
    """Return the options that were given, as words."""
    asked = read_options(run.directory / "config.yaml").items()
    shown = {name: names_only(str(value)) if name in PATHS else value for name, value in asked}
    return [
        word
        for name, value in shown.items()
        for word in (f"--{name}", str(value).lower() if isinstance(value, bool) else str(value))
    ]
