"""The design, held: imports run one way, importing costs nothing, files stay small, nothing is unpickled."""

import ast
import inspect
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest

import seqgen
from seqgen.cli.main import COMMANDS
from seqgen.inference.saved import BUILDERS, USED_AS
from seqgen.text.tokenizer import KINDS

ROOT = Path(seqgen.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
TESTS = sorted(ROOT.parent.glob("tests/**/*.py"))
RECIPE_FILES = sorted(ROOT.parent.glob("recipes/*.py"))

# What each folder, or file at the root, may import beside itself.
ROOT_FILES = {"symbols", "errors", "arguments", "files", "hardware", "options", "settings", "state", "protocols"}
ROOT_FILES |= {"interruptions", "exits"}  # of a command
ALLOWED = {
    "symbols": set(),
    "errors": set(),
    "arguments": {"errors"},
    "interruptions": set(),
    "exits": {"errors", "interruptions"},
    "files": {"errors"},
    "hardware": {"arguments", "errors", "files"},
    "options": {"arguments", "errors"},
    "settings": set(),
    "state": {"arguments"},
    "protocols": {"state"},
    "ngram_counts": {"symbols", "errors"},
    "ngram": ROOT_FILES | {"ngram_counts"},
    "nn": ROOT_FILES,
    "text": ROOT_FILES,
    "data": ROOT_FILES | {"text"},
    "batches": ROOT_FILES | {"data"},
    "generation": ROOT_FILES,
    "metrics": ROOT_FILES,
    "models": ROOT_FILES | {"nn"},
    "patterns": ROOT_FILES | {"nn", "models"},
    "tasks": ROOT_FILES | {"text", "data", "batches", "generation"},
    "runtime": ROOT_FILES | {"tasks", "text", "data", "batches", "generation"},
    "testing": ROOT_FILES | {"tasks", "inference"},
    "inference": ROOT_FILES
    | {"ngram", "nn", "models", "patterns", "text", "data", "batches", "generation", "tasks", "runtime", "export"},
    "adaptation": ROOT_FILES | {"ngram", "ngram_counts", "training", "inference", "generation", "batches"},
    "figures": ROOT_FILES | {"data", "tasks", "inference", "metrics"},
    "training": ROOT_FILES | {"text", "batches", "generation", "metrics"},
    "runs": ROOT_FILES
    | {"ngram", "data", "training", "tasks", "inference", "generation", "batches", "text", "metrics", "figures"}
    | {"adaptation", "runtime"},
    "export": ROOT_FILES | {"tasks", "text", "nn", "models", "inference", "runtime", "serving"},
    "serving": ROOT_FILES | {"ngram", "data", "tasks", "inference", "generation", "metrics", "figures"},
    "diagnosis": ROOT_FILES | {"text", "batches", "generation", "inference", "training"},
    "cli": ROOT_FILES
    | {"tasks", "runtime", "inference", "data", "batches", "generation", "training"}
    | {"metrics", "figures", "diagnosis", "serving", "export", "adaptation"},
    "__main__": {"cli"},
}


def layer(module):
    return module.split(".")[1] if "." in module else None


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (
                f"{node.module}.{alias.name}" if node.module == "seqgen" else node.module for alias in node.names
            )


def named(path):
    """The names of modules, and of what is in them, that stand in strings and are imported when they are needed."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"\A(?:seqgen|recipes)(?:\.\w+)+(?::\w+)?\Z", node.value)


def must_be_allowed(path, names):
    parts = path.relative_to(ROOT).with_suffix("").parts
    own = parts[0]
    for name in names:
        if name.startswith("seqgen") and layer(name) not in (own, "__version__"):
            assert layer(name) in ALLOWED[own], f"{'.'.join(parts)} must not import {name}"
        assert not name.startswith("recipes")


@pytest.mark.parametrize("path", [path for path in MODULES if path != ROOT / "__init__.py"], ids=str)
def test_imports_run_one_way(path):
    must_be_allowed(path, imported(path))


# Files with names in strings; those of the package itself are public, and tested below.
RESOLVING = [path for path in MODULES if path != ROOT / "__init__.py" and any(named(path))]


@pytest.mark.parametrize("path", RESOLVING, ids=str)
def test_imports_in_strings_resolve_and_run_one_way(path):
    must_be_allowed(path, (name.partition(":")[0] for name in named(path)))
    for name in named(path):
        assert pkgutil.resolve_name(name) is not None


def test_every_import_in_a_string_is_found():
    known = (*COMMANDS.values(), *KINDS.values(), *USED_AS.values(), *BUILDERS)
    assert set(known) <= {name for path in RESOLVING for name in named(path)}
    importing = re.compile(r"resolve_name\(|import_module\(|__import__\(|import_string\(")
    files = [path for path in MODULES if importing.search(path.read_text(encoding="utf-8"))]
    assert files
    assert set(files) <= {*RESOLVING, ROOT / "__init__.py"}


@pytest.mark.parametrize("path", [*MODULES, *ROOT.parent.glob("recipes/**/*.py"), *TESTS], ids=str)
def test_files_stay_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", [*MODULES, *ROOT.parent.glob("recipes/*.py")], ids=str)
def test_nothing_is_unpickled(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"\bpickle\b|allow_pickle=True|(?<!safetensors\.)torch\.(load|save)\((?!.*weights_only=True)", text
    )


def test_every_public_name_is_where_it_is_said_to_be():
    stub = ast.parse((ROOT / "__init__.pyi").read_text(encoding="utf-8"))
    homes = {one.asname: node.module for node in stub.body if isinstance(node, ast.ImportFrom) for one in node.names}
    assert sorted(homes) == sorted(seqgen.__all__)
    assert set(homes) >= {"GenerationConfig", "beam_search", "check_decoder", "check_encoder", "check_bundle"}
    for name, home in homes.items():
        assert getattr(seqgen, name) is getattr(import_module(f"seqgen.{home or ''}".rstrip(".")), name)
        assert getattr(seqgen, name).__doc__
        assert name in ("InputError", "runtime") or inspect.signature(getattr(seqgen, name))
    assert set(homes) <= set(dir(seqgen))
    with pytest.raises(AttributeError, match="nothing"):
        seqgen.nothing  # noqa: B018


def own_lines(path):
    """The lines of a recipe that say something: neither imports nor punctuation nor comments."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = {
        number
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for number in range(node.lineno, node.end_lineno + 1)
    }
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    return [line.strip() for number, line in lines if number not in imports and re.match(r"\s*[^\s#]*\w", line)]


# The skeleton of every recipe, which no function could take over.
SKELETON = {
    "@dataclass(kw_only=True)",
    "def main() -> None:",
    "config = parse_options(Config)",
    "if training.due(step):",
    "best = best_model(training)",
    "if run.main:",
    "if not run.main:",
    "return",
    'if __name__ == "__main__":',
    "run_main(main)",
}


@pytest.mark.parametrize("path", RECIPE_FILES, ids=lambda path: path.stem)
def test_a_recipe_is_short_and_shares_few_lines_with_another(path):
    lines = [line for line in own_lines(path) if line not in SKELETON]
    for other in RECIPE_FILES:
        if other != path:
            theirs = set(own_lines(other))
            shared = [line for line in lines if line in theirs]
            assert len(shared) <= 0.06 * len(lines), f"{other.name} has these, too: {shared}"
    limit = 180 if path.stem in ("char_generator", "image_captioner") else 150
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit
