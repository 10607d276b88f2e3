"""The design, held: imports run one way, importing costs nothing, files stay small, nothing is unpickled."""

import ast
import re
from pathlib import Path

import pytest

import seqgen

ROOT = Path(seqgen.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

# What each layer may import, beside itself.
BASE = {"symbols", "state", "protocols", "errors", "files", "devices"}
ALLOWED = {
    "symbols": set(),
    "errors": set(),
    "files": {"errors"},
    "devices": {"errors"},
    "options": {"errors"},
    "state": set(),
    "protocols": {"state"},
    "nn": BASE,
    "models": BASE | {"nn"},
    "patterns": BASE | {"nn", "models"},
    "testing": BASE,
    "text": BASE,
    "batches": BASE | {"data"},
    "data": BASE | {"text"},
    "generation": BASE,
    "training": BASE | {"batches", "metrics", "options"},
    "bundle": BASE,
    "writer": BASE | {"bundle", "patterns", "generation", "text"},
    "classifiers": BASE | {"bundle", "patterns", "batches", "data", "text"},
    "conditioned": BASE | {"bundle", "models", "generation", "text"},
    "text_translator": BASE | {"conditioned", "patterns", "batches", "data", "generation", "text"},
    "image_captioner": BASE | {"conditioned", "patterns", "batches", "data", "generation", "text"},
    "conditional_writer": BASE | {"conditioned", "patterns", "generation", "text"},
    "attention_pictures": BASE | {"text_translator", "image_captioner"},
    "caption_metrics": set(),
    "caption_page": BASE | {"attention_pictures", "data", "image_captioner"},
    "caption_rewards": BASE | {"caption_metrics", "batches", "generation", "image_captioner", "training"},
    "text_tagger": BASE | {"bundle", "classifiers", "patterns", "batches", "data", "text"},
    "metrics": set(),
    "commands": BASE
    | {
        "attention_pictures",
        "bundle",
        "conditional_writer",
        "data",
        "generation",
        "image_captioner",
        "metrics",
        "options",
        "tag_printing",
        "text_translator",
        "writer",
    },
    "cli": {"errors", "commands"},
    "tag_printing": {"text_tagger"},
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


@pytest.mark.parametrize("path", [path for path in MODULES if path != ROOT / "__init__.py"], ids=str)
def test_imports_run_one_way(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    own = parts[0]
    for name in imported(path):
        if name.startswith("seqgen") and layer(name) not in (own, "__version__"):
            assert layer(name) in ALLOWED[own], f"{'.'.join(parts)} must not import {name}"
        assert not name.startswith("recipes")


@pytest.mark.parametrize("path", [*MODULES, *ROOT.parent.glob("recipes/*.py")], ids=str)
def test_files_stay_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", [*MODULES, *ROOT.parent.glob("recipes/*.py")], ids=str)
def test_nothing_is_unpickled(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"\bpickle\b|allow_pickle=True|(?<!safetensors\.)torch\.(load|save)\((?!.*weights_only=True)", text
    )


def test_every_public_name_is_where_it_is_said_to_be():
    assert sorted(seqgen._HOMES) == sorted(seqgen.__all__)
    for name in seqgen.__all__:
        assert getattr(seqgen, name).__doc__
    with pytest.raises(AttributeError, match="nothing"):
        seqgen.nothing  # noqa: B018
