"""The README.md of an exported model: how it is used, the inputs of its graphs, and what its model card says."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from seqgen.export.graphs import graphs_of
from seqgen.inference.card import CARD, TEXTS
from seqgen.inference.known_tokens import first_known
from seqgen.inference.usage import KINDS, commands

TEMPLATE = Path(__file__).with_name("readme.md")
PLACE = "DIRECTORY"
WITHOUT_TORCH = ("generate", "classify", "tag", "translate", "caption", "score")
MEASURED = "\n## How good it is\n"  # from here on, a model card says what is true of an exported model, too


def readme(bundle: Any, manifest: dict[str, Any]) -> str:
    """Return the page as Markdown.

    Args:
        bundle: a model in use.
        manifest: of what was exported.
    """
    kind = KINDS[bundle.builder][0]
    return TEMPLATE.read_text(encoding="utf-8").format(
        title=bundle.builder.replace("_", " ").capitalize(),
        kind=kind.capitalize(),
        version=manifest["version"],
        weights=manifest["weights"],
        place=PLACE,
        commands="\n".join(_commands(bundle)),
        graphs=_graphs(bundle, manifest),
        card=_card(bundle),
    )


def _commands(bundle: Any) -> list[str]:
    tokenizer = getattr(bundle, "tokenizer", None)
    prompt = first_known(TEXTS, tokenizer) if tokenizer else ""
    shown = commands(bundle.builder, PLACE, getattr(bundle, "categories", ()), prompt=prompt)
    return [command for command in shown if command.split()[1] in WITHOUT_TORCH]


def _graphs(bundle: Any, manifest: dict[str, Any]) -> str:
    graphs = graphs_of(bundle, bundle.model)
    rows = ["| graph | inputs |", "|---|---|"]
    for name, file in manifest["graphs"].items():
        inputs = "; ".join(f"{one} {_shape(of.shape)}" for one, of in graphs[name].inputs.items())
        rows.append(f"| `{file}` | {inputs} |")
    return "\n".join(rows)


def _shape(axes: tuple[int | str, ...]) -> str:
    return f"({', '.join(map(str, axes))}{',' * (len(axes) == 1)})"


def _card(bundle: Any) -> str:
    with suppress(OSError, UnicodeDecodeError):
        if bundle.loaded_from is not None:
            card: str = (bundle.loaded_from / CARD).read_bytes().decode()
            _, heading, rest = card.partition(MEASURED)
            return (heading + rest).partition("\n<!-- made by seqgen")[0]
    return ""
