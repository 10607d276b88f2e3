"""The model card of a saved model: its README.md, as the hub shows it."""

import filecmp
import hashlib
import math
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from seqgen.files import write_text
from seqgen.inference.facts import fact_text
from seqgen.inference.known_tokens import first_known
from seqgen.inference.rebuilding import builder_name
from seqgen.inference.saved import BUILDERS, WEIGHTS
from seqgen.inference.usage import KINDS, MADE, TASKS, commands

CARD = "README.md"
TEMPLATE = Path(__file__).with_name("card.md")
PLACE = "you/model"
TEXTS = ("The ", "the ", "def ", "x = 1")  # of which the first is shown that the model knows
NGRAMS = "word_ngrams.safetensors"
MARK = re.compile(r"\n<!-- made by seqgen, which leaves a page that was edited as it is: (\w+) -->\n\Z")
SAID = ("test_", "val_", "perplexity", "bits_per_character")  # beginnings of the figures that measure the model itself


class Trained(NamedTuple):
    """The training of a model, as its card tells of it.

    Args:
        name: of the recipe.
        data: its name, or that of its file.
        facts: further ones, by their names.
        results: all final figures, by their names.
    """

    name: str
    data: str
    facts: dict[str, str]
    results: dict[str, Any]


def write_card(directory: Path, bundle: Any, trained: Trained | None = None) -> None:
    """Write the model card of a bundle that was just saved to a directory, unless one is there that was edited.

    A bundle that was loaded, and whose weights are still the same, takes the card of its directory along, with the
    figures; a card that is made anew has those of `trained`, or none.
    """
    path = directory / CARD
    if path.exists() and not _untouched(path):
        return
    text = _taken_along(directory, bundle.loaded_from) if trained is None else None
    write_text(path, _made(bundle, trained) if text is None else text)


def names_only(value: str) -> str:
    """Return what an option names without the folders in which it lies."""
    return ",".join(part.rstrip("/").rpartition("/")[2] for part in value.split(","))


def _untouched(path: Path) -> bool:
    with suppress(OSError, UnicodeDecodeError):
        text = path.read_bytes().decode()
        mark = MARK.search(text)
        return mark is not None and mark[1] == _digest(text[: mark.start()])
    return False


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:16]


def _taken_along(directory: Path, source: Path | None) -> str | None:
    """Return the card of the directory that a bundle was loaded from, unless its weights are others by now."""
    with suppress(OSError, UnicodeDecodeError):
        if source is not None and all(_same(source / name, directory / name) for name in (WEIGHTS, NGRAMS)):
            return (source / CARD).read_bytes().decode()
    return None


def _same(path: Path, other: Path) -> bool:
    return path.exists() == other.exists() and (not path.exists() or filecmp.cmp(path, other, shallow=False))


def _made(bundle: Any, trained: Trained | None) -> str:
    from huggingface_hub import EvalResult, ModelCard, ModelCardData

    kind, (task, _, limit) = KINDS[bundle.builder][0], TASKS[bundle.builder]
    figures = {name: figure for name, figure in trained.results.items() if name not in MADE} if trained else {}
    measured = [
        EvalResult(
            task_type=task,
            dataset_type=trained.data,
            dataset_name=trained.data,
            dataset_split="test" if name.startswith("test_") else "validation",
            metric_type=name.removeprefix("test_").removeprefix("val_"),
            metric_name=name.replace("_", " "),
            metric_value=value,
        )
        for name, value in figures.items()
        if trained and name.startswith(SAID) and not name.endswith("_per_second") and math.isfinite(value)
    ]
    title, shell = trained.name if trained else bundle.builder, _commands(bundle)
    data = ModelCardData(
        library_name="seqgen",
        pipeline_tag=task,
        tags=["seqgen", "pytorch", *_cells(bundle)],
        model_name=title,
        eval_results=measured or None,
    )
    card = ModelCard.from_template(
        data,
        template_path=str(TEMPLATE),
        title=_cell(title.replace("_", " ").capitalize()),
        kind=kind.capitalize(),
        nature=_table(_nature(bundle)),
        place=PLACE,
        code=_code(bundle),
        commands=shell,
        fence=_fence(shell),
        figures=_table(figures) if figures else "Not measured here: `seqgen evaluate` does it on data of your own.",
        training=_list({"data": trained.data} | trained.facts) if trained else "Not recorded: only the model is here.",
        limit=limit,
    )
    text = f"{card}\n"
    return f"{text}\n<!-- made by seqgen, which leaves a page that was edited as it is: {_digest(text)} -->\n"


def _nature(bundle: Any) -> dict[str, Any]:
    built_by = builder_name(bundle.own_builder) if bundle.own_builder else f"seqgen.patterns.{bundle.builder}"
    # A path on the machine of whoever trained it is nobody's business.
    found = {"builder": built_by} | {
        name: names_only(value) if isinstance(value, str) and value.startswith(("/", "~")) else value
        for name, value in bundle.arguments.items()
    }
    found["parameters"] = sum(parameter.numel() for parameter in bundle.model.parameters())
    for name in ("tokenizer", "source", "target"):
        if tokenizer := getattr(bundle, name, None):
            found[f"{name} vocabulary"] = f"{tokenizer.vocab_size:,} tokens ({tokenizer.kind})"
    if ngrams := getattr(bundle, "ngrams", None):
        found["word n-grams"] = f"of 1 to {ngrams.classifier.order} words, mixed with the network"
    for name in ("classes", "tags", "categories"):
        if labels := getattr(bundle, name, None):
            found[name] = labels
    return found


def _cells(bundle: Any) -> list[str]:
    """Return the kind of recurrent cell, or of another network, as a tag."""
    if bundle.own_builder is not None:
        return []
    return [bundle.all_arguments().get("cell", "cnn")]


def _own_builder(bundle: Any) -> Any:
    """Return the function of one's own that built the model, or None where loading needs none."""
    own = bundle.own_builder
    return None if own is None or builder_name(own) in BUILDERS else own


def _code(bundle: Any) -> str:
    own = _own_builder(bundle)
    imports = f"from {own.__module__} import {own.__name__}\n" if own else ""
    builder = f", builder={own.__name__}" if own else ""
    use = TASKS[bundle.builder][1].format(given=_given(bundle))
    return f'import seqgen\n{imports}\nmodel = seqgen.load("{PLACE}"{builder})\n{use}'


def _commands(bundle: Any) -> str:
    if _own_builder(bundle):  # which no command imports
        return ""
    named, prompt = getattr(bundle, "categories", ()), _given(bundle)
    return "\n".join(commands(bundle.builder, PLACE, named, prompt=prompt, cells=bundle.own_builder is None))


def _given(bundle: Any) -> str:
    """Return an input that the model knows, for the code that uses it."""
    if bundle.builder in ("image_classifier", "captioner"):
        return "picture.jpg"
    if bundle.builder == "conditional_generator":
        return str([*bundle.categories, " ".join(["0.5"] * len(bundle.mean))][0])
    tokenizer = getattr(bundle, "tokenizer", None) or getattr(bundle, "source", None)
    return TEXTS[0] if tokenizer is None else first_known(TEXTS, tokenizer)


def _table(facts: dict[str, Any]) -> str:
    rows = [f"| {name.replace('_', ' ')} | {_cell(fact)} |" for name, fact in facts.items()]
    return "\n".join(["| | |", "|---|---|", *rows])


def _list(facts: dict[str, str]) -> str:
    return "\n".join(f"- {name}: {_cell(fact)}" for name, fact in facts.items())


def _cell(fact: Any) -> str:
    """Return a fact in one line that Markdown shows as it is: labels are other people's, and may look like HTML."""
    return re.sub(r"([\\`*\[\]<|!])", r"\\\1", " ".join(fact_text(fact).split()))


def _fence(code: str) -> str:
    """Return a fence that no line of the code ends."""
    return "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
