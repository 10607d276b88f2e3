"""The pages whose code and commands tests run."""

import re

from making import ROOT

FRONT, MANUAL, MEASURED, DATA = "README.md", "recipes/README.md", "recipes/benchmarks/README.md", "data/README.md"
LESSONS = "recipes/lessons/README.md"
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in (FRONT, MANUAL, MEASURED, DATA, LESSONS)}
FENCED = re.compile(r"^```.*?^```", flags=re.DOTALL | re.MULTILINE)
CODE = [block for page in PAGES.values() for block in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)]


def code(mark):
    """The block of code that holds a mark."""
    [block] = [block for block in CODE if mark in block]
    return block
