"""`seqgen info`: what a model is, how good it is, how it was made, and how to use it; read from its files alone."""

import json
import math
import re
import shlex
from datetime import datetime
from pathlib import Path
from typing import Any

from seqgen.files import read_options
from seqgen.inference.facts import fact_text
from seqgen.inference.saved import BUILDERS, WEIGHTS, find_model, read_config, read_header, read_part
from seqgen.inference.usage import KINDS, MADE, NEEDING_TORCH, commands
from seqgen.runtime.exported import MANIFEST, Exported, is_exported

STATISTICS = ("running_mean", "running_var")  # of batch normalization: no parameters
TITLES = ("what it is", "how good it is", "how it was made", "how to use it")


def info(options: dict[str, Any]) -> None:
    """Show what a model is, how good it is, how it was made, and how to use it."""
    exported = is_exported(options["directory"])
    model = Path(options["directory"]) if exported else find_model(options["directory"])
    run = model.parent if (model.parent / "resolved.yaml").is_file() and not exported else None
    results = _json(run / "results.json") if run else {}
    if "members" in results:
        results["members"] = f"these are the figures of {results['members']} members, of which this is the first"
    sections: dict[str, Any] = {
        "model": _nature(model),
        "results": {name: figure for name, figure in results.items() if name not in MADE},
        "made": _making(model, run, results),
        "commands": _use(model, options["directory"]),
    }
    if options["json"]:
        print(json.dumps(sections, ensure_ascii=False, indent=1))
        return
    unknown = (
        f"those of the model are in {model / 'README.md'}"
        if exported
        else "unknown, as there is no results.json of a finished run"
    )
    sections["results"] = sections["results"] or {"figures": unknown}
    for title, facts in zip(TITLES, sections.values(), strict=True):
        print(f"{title}:")
        for name, fact in facts.items() if isinstance(facts, dict) else ():
            print(f"  {name:<22}  {fact_text(fact)}")
        for command in facts if isinstance(facts, list) else ():
            print(f"  {command}")


def _nature(model: Path) -> dict[str, Any]:
    config = read_config(model)
    names = {path.name for path in model.iterdir()}
    found: dict[str, Any] = {"kind": KINDS[config["used_as"]][0], "builder": config["builder"]}
    found |= config["arguments"] | (_graphs(model) if is_exported(model) else {"parameters": _parameters(model)})
    for name in sorted(names & {"tokenizer.json", "source_tokenizer.json", "target_tokenizer.json"}):
        found[name.removesuffix(".json").replace("_", " ")] = _tokenizer(read_part(model, name))
    if "vocabulary.json" in names:
        alphabet = read_part(model, "alphabet.json")
        found["tokens"] = "words" if alphabet else "characters"
    if "word_ngrams.json" in names:
        order = read_part(model, "word_ngrams.json").get("order")
        found["word n-grams"] = f"of 1 to {order} words, mixed with the network"
    for name in names & {"labels.json", "conditions.json", "preprocessing.json"}:
        found |= {key: value for key, value in read_part(model, name).items() if value not in ([], None)}
    return found


def _tokenizer(data: dict[str, Any]) -> str:
    if data.get("shared"):
        return "that of the source"
    sizes = [len(value) for value in data.values() if isinstance(value, list)]
    order = ", backward" if data.get("backward") else ""
    return f"{data.get('kind', 'unknown')}{order}" + (f", {max(sizes):,} tokens" if sizes else "")


def _graphs(model: Path) -> dict[str, Any]:
    """Return the precision of an exported model's weights, its graphs, and their size."""
    manifest = Exported(model).manifest
    size = sum((model / file).stat().st_size for file in manifest.graphs.values() if (model / file).is_file())
    return {"weights": manifest.weights, "graphs": list(manifest.graphs), "size of graphs": f"{size / 1e6:.2f} MB"}


def _parameters(model: Path) -> int:
    """Return the number of weights, without whole numbers and the statistics of normalizations."""
    weights = ((name, one) for name, one in read_header(model / WEIGHTS).items() if one.floating)
    return sum(math.prod(one.shape) for name, one in weights if not name.endswith(STATISTICS))


def _making(model: Path, run: Path | None, results: dict[str, Any]) -> dict[str, Any]:
    exported = is_exported(model)
    written = (model / (MANIFEST if exported else WEIGHTS)).stat().st_mtime
    saved = datetime.fromtimestamp(written).astimezone().isoformat(sep=" ", timespec="seconds")
    found: dict[str, Any] = {"exported" if exported else "saved": saved}
    if run is None:
        return found if exported else found | {"run": "unknown: only the model is here"}
    recipe = KINDS[read_config(model)["used_as"]][1]
    asked = read_options(run / "config.yaml")
    words = [word for name, value in asked.items() for word in (f"--{name}", _word(value))]
    found["command"] = shlex.join(["seqgen", "train", recipe, *words])
    every = read_options(run / "resolved.yaml")
    found |= {"data": every.get("source") or every.get("data"), "size": every.get("size")}
    report = run / "report.md"
    text = report.read_text(encoding="utf-8", errors="replace") if report.is_file() else ""
    found |= dict(re.findall(r"^- (machine|versions): (.*)$", text, flags=re.MULTILINE))
    return found | {name: results[name] for name in ("steps", "seconds", "precision", "threads") if name in results}


def _use(model: Path, directory: str) -> list[str]:
    """Return the commands for this kind of model, to be typed."""
    # A name that begins with a dash would be an option.
    config, place = read_config(model), shlex.quote(f"./{directory}" if directory.startswith("-") else directory)
    builder = config["used_as"]
    if config["builder"] not in (builder, *BUILDERS):
        # A file names the function of one's own, but never has it run.
        home, _, name = config["builder"].rpartition(":")
        return [f"seqgen.load({directory!r}, builder={name})  # in Python, with {name} of {home}; not in the shell"]
    categories = read_part(model, "conditions.json")["categories"] if builder == "conditional_generator" else []
    again = f"seqgen train {KINDS[builder][1]} --output_dir {place} --resume"
    trained = [again] if (model.parent / "state").is_dir() else []
    every = commands(builder, place, categories, cells=config["builder"] == builder) + trained
    return [one for one in every if one.split()[1] not in NEEDING_TORCH] if is_exported(model) else every


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(path: Path) -> dict[str, Any]:
    return read_part(path.parent, path.name) if path.is_file() else {}
