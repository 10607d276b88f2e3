"""The options of a recipe, read from its source: to import it would import torch, for which nobody waits at a Tab."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
NO_OPTIONS = ("model", "asked", "settled")  # fields of a recipe's options that no option sets


def recipe_options(path: Path) -> dict[str, list[str]]:
    """Return the options of a recipe, each with the words that it takes, or an empty list where it takes others."""
    found: dict[str, list[str]] = {"config": [], "print_config": [], "help": []}
    for option, annotation, module in _declared(_class(path, "Config"), path):
        found[option] = list(_words(annotation, module))
    return found


Declared = tuple[str, ast.expr, Path]


def _declared(config: ast.ClassDef, module: Path) -> Iterator[Declared]:
    """Yield each option of a class and of those it derives from, with its annotation and its module."""
    for base in config.bases:
        if isinstance(base, ast.Name):
            place = module if module.name == "config.py" else _home(base.id, module)
            yield from _declared(_class(place, base.id), place)
    for line in config.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            if line.target.id not in NO_OPTIONS and not ast.unparse(line.annotation).startswith("ClassVar"):
                yield line.target.id, line.annotation, module
        elif isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "builder":
            yield from _arguments(ast.unparse(line.value).rpartition(".")[2])


def _arguments(builder: str) -> Iterator[Declared]:
    """Yield the keyword-only arguments of the builder of a model."""
    path = PACKAGE / "patterns.py"
    for line in _tree(path).body:
        if isinstance(line, ast.FunctionDef) and line.name == builder:
            yield from ((one.arg, one.annotation, path) for one in line.args.kwonlyargs if one.annotation)


def _words(annotation: ast.expr, module: Path) -> Iterator[str]:
    """Yield the words of a Literal, which may have a name of its own; true and false for a bool."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal":
            yield from (str(one.value) for one in ast.walk(node.slice) if isinstance(one, ast.Constant))
        elif isinstance(node, ast.Name) and node.id == "bool":
            yield from ("true", "false")
        elif isinstance(node, ast.Name) and node.id[0].isupper() and node.id != "Literal":
            home = _home(node.id, module)
            named = [line for line in _tree(home).body if isinstance(line, ast.Assign)]
            yield from (
                word for line in named if ast.unparse(line.targets[0]) == node.id for word in _words(line.value, home)
            )


def _home(name: str, module: Path) -> Path:
    """Return the module that a name is imported from, through those that only pass it on; else the module itself."""
    for line in _tree(module).body:
        if isinstance(line, ast.ImportFrom) and any(name in (one.name, one.asname) for one in line.names):
            path = PACKAGE.joinpath(*str(line.module).split(".")[1:]).with_suffix(".py")
            return _home(name, path) if path.is_file() else module
    return module


def _class(path: Path, name: str) -> ast.ClassDef:
    return next(line for line in _tree(path).body if isinstance(line, ast.ClassDef) and line.name == name)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
