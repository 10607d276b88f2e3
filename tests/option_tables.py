"""Write the tables of options in recipes/README.md anew, from the configurations of the recipes.

python tests/option_tables.py
"""

import re
from collections.abc import Iterator

from making import RECIPES, ROOT, load_recipe

from seqgen.runs.config import RunConfig, option_parser

PAGE = ROOT / "recipes" / "README.md"
PLACE = re.compile(r"(<!-- options of (\w+) -->\n).*?(?=<!-- end -->)", re.DOTALL)


def table(config_class: type[RunConfig], left_out: set[str]) -> str:
    """Return a Markdown table of a recipe's options, without those in `left_out`."""
    rows = (f"| `--{name}` | {default} | {text} |" for name, default, text in options(config_class, left_out))
    return "\n".join(["| option | default | |", "|---|---|---|", *rows, ""])


def options(config_class: type[RunConfig], left_out: set[str]) -> Iterator[tuple[str, str, str]]:
    parser, types = option_parser(config_class)
    for action in parser._actions:
        if action.dest in types and action.dest not in left_out:
            default = "" if action.default is None else str(action.default).lower()
            text = (action.help or "").strip().rstrip(".").replace("|", "\\|")
            yield action.dest, default, text


def fresh(page: str) -> str:
    """Return the page with all of its tables made anew."""
    shared = set(option_parser(RunConfig)[1])

    def made(found: re.Match[str]) -> str:
        name = found[2]
        classes = {"shared": RunConfig} | ({name: load_recipe(name).Config} if name in RECIPES else {})
        return found[1] + table(classes[name], set() if name == "shared" else shared)

    return PLACE.sub(made, page)


if __name__ == "__main__":
    PAGE.write_text(fresh(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
