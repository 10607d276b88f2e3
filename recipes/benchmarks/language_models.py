"""Train generators on public texts with recorded settings; print how well they predict them, as they are and adapting.

python recipes/benchmarks/language_models.py --texts '[ptb]' --seconds 3600
python recipes/benchmarks/language_models.py --texts '[characters]' --data text8.txt

The texts are in $SEQGEN_DATA. The validation part chooses the model and how it adapts; the test part is read once.
"""

from seqgen.exits import run_main

import json
import math
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

from measuring import parse_options, show

from seqgen.data.corpus import Corpus
from seqgen.errors import InputError
from seqgen.files import write_text

RECIPE = Path(__file__).parent.parent / "char_generator.py"
CHOSEN_ON = 30_000  # characters of a validation part that adaptation is chosen on, where there is no test part

Text = Literal["ptb", "wikitext2", "tinyshakespeare", "characters"]


class Setting(NamedTuple):
    """Options of the recipe that were chosen on a validation part, and methods of adaptation.

    `cuts` are the places, as fractions of a single file, at which its parts for validation and test begin.
    """

    seconds: float
    options: str
    adapt: str
    cuts: tuple[float, ...] = ()


WORDS = "--tokenizer whitespace --size medium --hidden_size 640 --embedding_size 320 --averaging 0.05 "
EVERY = "temperature,cache,dynamic,ngram"
SETTINGS: dict[Text, Setting] = {
    "ptb": Setting(
        3600,
        WORDS + "--dropout 0.5 --embedding_dropout 0.25 --weight_drop 0.35",
        EVERY,
    ),
    "wikitext2": Setting(
        3600,
        WORDS + "--dropout 0.5 --embedding_dropout 0.2 --weight_drop 0.3 --batch_size 64 --adamw_learning_rate 0.003",
        EVERY,
    ),
    "tinyshakespeare": Setting(100, "--size medium", "temperature,dynamic,ngram", (0.9,)),
    "characters": Setting(3600, "", "temperature,dynamic,ngram", (0.9, 0.95)),
}


@dataclass
class Config:
    """Options of the benchmark of language models."""

    texts: list[Text] = field(default_factory=lambda: ["tinyshakespeare"])
    """texts with recorded settings; characters is the file of --data, cut into 90, 5 and 5 %"""
    data: str | None = None
    """a file for characters, such as text8"""
    seconds: float | None = None
    """time of training for each; by default as recorded"""
    options: str = ""
    """further options of the recipe, such as "--max_steps 1100 --threads 1" """
    adapt: str | None = None
    """methods of adaptation, as in seqgen evaluate; by default as recorded, and none for a single empty word"""
    output_dir: str = "runs/language_models"
    """folder of the runs, one for each text"""


class Parts(NamedTuple):
    """The values of `--data`, `--valid` and `--test`, None for those that a named text has itself, or that are none."""

    data: str
    valid: str | None = None
    test: str | None = None

    @property
    def options(self) -> list[str]:
        """The parts as options of the recipe."""
        return [word for name, value in self._asdict().items() if value for word in (f"--{name}", value)]


def parts_of(text: Text, config: Config, folder: Path) -> Parts:
    """Return the parts of a text; a single file is cut into files in a folder."""
    cuts = SETTINGS[text].cuts
    if not cuts:
        return Parts(text)
    if text == "characters":
        if config.data is None:
            raise InputError("--data must name a file for the text characters, but it is missing")
        place = config.data
    else:
        place = str(Path(os.environ.get("SEQGEN_DATA", "."), text, "input.txt"))
    whole = "".join(Corpus.find(place).blocks())
    edges = [0, *(int(cut * len(whole)) for cut in cuts), len(whole)]
    files = []
    for number, name in enumerate(("train", "valid", "test")[: len(edges) - 1]):
        files.append(str(folder / f"{name}.txt"))
        write_text(Path(files[-1]), whole[edges[number] : edges[number + 1]])
    return Parts(*files)


def trained(text: Text, config: Config, parts: Parts) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a run with the recorded settings, and its results."""
    run, setting = Path(config.output_dir) / text, SETTINGS[text]
    time = ["--max_seconds", str(config.seconds or setting.seconds)]
    words = [*parts.options, *shlex.split(setting.options), *time, *shlex.split(config.options)]
    print(f"{text}: {shlex.join(words)}", file=sys.stderr)
    _run([sys.executable, str(RECIPE), *words, "--output_dir", str(run)])
    return run, json.loads((run / "results.json").read_text(encoding="utf-8"))


def adaptive(text: Text, config: Config, parts: Parts, run: Path, folder: Path) -> dict[str, Any]:
    """Return the static and adaptive figures of a run on the test part, or else on that for validation."""
    valid, evaluated = parts.valid, parts.test
    if evaluated is None and valid is not None:
        evaluated, valid = valid, str(folder / "chosen_on.txt")
        write_text(Path(valid), Path(evaluated).read_text(encoding="utf-8")[:CHOSEN_ON])
    chosen = [] if valid is None else ["--valid", valid]
    adapt = SETTINGS[text].adapt if config.adapt is None else config.adapt
    methods = ["--adapt", adapt] if adapt else []
    words = ["seqgen", "evaluate", str(run), "--data", evaluated or text, *methods, *chosen, "--json"]
    print(shlex.join(words), file=sys.stderr)
    found: dict[str, Any] = json.loads(_run([sys.executable, "-m", *words]))
    return found


def _run(command: list[str]) -> str:
    """Return the standard output of a command, whose progress is shown."""
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        raise InputError(f"{shlex.join(command)} must succeed, but it ended with {ended.returncode}")
    return ended.stdout


def row(text: Text, config: Config) -> dict[str, Any]:
    """Return the figures of a text."""
    with TemporaryDirectory() as directory:
        parts = parts_of(text, config, Path(directory))
        run, results = trained(text, config, parts)
        figures = adaptive(text, config, parts, run, Path(directory))
    print(f"{text}: {figures.get('adaptation', 'static')}", file=sys.stderr)
    part = "val" if "test_loss" not in results else "test"
    losses = {
        "network": figures["loss"],
        "mixed": results[f"mixture_{part}_loss"],
        "adaptive": figures.get("adaptive_loss"),
    }
    return {
        "text": f"{text} ({part})",
        **{name: results[name] for name in ("steps", "seconds", "parameters")},
        **{f"{name}_loss": f"{loss:.4f}" for name, loss in losses.items() if loss is not None},
        **{f"{name}_perplexity": f"{math.exp(loss):.2f}" for name, loss in losses.items() if loss is not None},
    }


def main() -> None:
    """Run the benchmark."""
    config = parse_options(Config, __doc__ or "")
    for text in config.texts:
        show(text, [row(text, config)])


if __name__ == "__main__":
    run_main(main)
