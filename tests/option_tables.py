"""Write the tables of options in recipes/README.md anew, from the configurations of the recipes.

python tests/option_tables.py
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

from making import RECIPES, ROOT, load_recipe

from seqgen.runs.config import RunConfig, option_parser

PAGE = ROOT / "recipes" / "README.md"
PLACE = re.compile(r"(<!-- options of (\w+) -->\n).*?(?=<!-- end -->)", re.DOTALL)


class Option(NamedTuple):
    """An option as a row of a table shows it."""

    name: str
    default: str
    text: str


def options(config_class: type[RunConfig]) -> Iterator[Option]:
    """Yield the options of a recipe; a default has that for a named set beside it where it is another."""
    parser, types = option_parser(config_class)
    for action in parser._actions:
        if action.dest in types:
            default = shown(action.default)
            for data, preset in config_class.presets.items():
                if action.dest in preset:
                    default = f"{default}; with {data} {shown(preset[action.dest])}"
            choices = "\\|".join(words(types[action.dest]))
            text = (action.help or "").strip().rstrip(".").replace("|", "\\|")
            yield Option(f"`--{action.dest}{' ' if choices else ''}{choices}`", default, text)


def shown(default: Any) -> str:
    """Return a default as the command line takes it."""
    return "" if default is None else str(default).lower() if isinstance(default, bool) else str(default)


def words(annotation: Any) -> list[str]:
    """Return the words that an option takes, where it takes only certain ones."""
    choices = [word for choice in get_args(annotation) for word in (get_args(choice) or [choice])]
    return [word for word in choices if isinstance(word, str)]


def table(rows: list[Option]) -> str:
    """Return a Markdown table."""
    return "\n".join(["| option | default | |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows), ""])


def fresh(page: str) -> str:
    """Return the page with all of its tables made anew: of a recipe, what the shared table does not say."""
    shared = list(options(RunConfig))

    def made(found: re.Match[str]) -> str:
        if found[2] == "shared":
            return found[1] + table(shared)
        assert found[2] in RECIPES, f"there is no recipe {found[2]}"
        return found[1] + table([row for row in options(load_recipe(found[2]).Config) if row not in shared])

    return PLACE.sub(made, page)


if __name__ == "__main__":
    PAGE.write_text(fresh(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
