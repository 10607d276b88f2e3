"""A saved model as files: found, downloaded from the hub, and read as plain data, without torch."""

import os
import pkgutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from seqgen.errors import InputError
from seqgen.tasks.schemas import Config, read_object, require

FLOATS = ("F64", "F32", "F16", "BF16")


class Stored(NamedTuple):
    """A tensor in a file: its shape, and whether its numbers are floating-point ones."""

    shape: tuple[int, ...]
    floating: bool

    def __str__(self) -> str:
        return f"{self.shape} {'floating-point' if self.floating else 'other'} numbers"


FORMAT = 2
WEIGHTS = "model.safetensors"
FILES = ("config.json", WEIGHTS)  # of every model; each kind has further ones

# The class of a saved model in use, by the name of its builder.
USED_AS = {
    "generator": "seqgen.inference.generator:Generator",
    "text_classifier": "seqgen.inference.classifiers:TextClassifier",
    "image_classifier": "seqgen.inference.classifiers:ImageClassifier",
    "tagger": "seqgen.inference.tagger:Tagger",
    "translator": "seqgen.inference.translator:Translator",
    "captioner": "seqgen.inference.captioner:Captioner",
    "conditional_generator": "seqgen.inference.conditional_generator:ConditionalGenerator",
}

# Builders of seqgen beside these, by the names that saved models record: the only ones that a file may name.
BUILDERS = ("seqgen.ngram:NGram",)


def used_as(directory: Path) -> Any:
    """Return the class of the model in a directory, a `Bundle`; only this imports torch."""
    return pkgutil.resolve_name(USED_AS[read_config(directory)["used_as"]])


def known_builder(name: str) -> Any:
    """Return the builder of this name among `BUILDERS`, or None; only this imports torch, too."""
    return pkgutil.resolve_name(name) if name in BUILDERS else None


def find_model(source: str | Path) -> Path:
    """Return the directory of a model, downloaded from the hub where `source` is a name instead of a directory."""
    directory = Path(source)
    if not os.path.exists(directory):  # False for names longer than any, too
        return _download(str(source))
    if not (directory / "config.json").exists() and (directory / "model").is_dir():
        directory = directory / "model"
    if (directory / "config.yaml").exists() and not (directory / "model").is_dir():
        raise InputError(f"{directory} must hold a model, but that run was killed before it had one: resume it")
    _require(directory, FILES)
    return directory


def _require(directory: Path, names: Iterable[str]) -> None:
    missing = [name for name in names if not (directory / name).is_file()]
    if missing:
        raise InputError(f"{directory} must hold a whole model, but it lacks {', '.join(missing)}")


def _download(name: str) -> Path:
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise InputError(f"there is no folder {name!r} here, and a model on the hub has a name like user/model")
    from huggingface_hub import snapshot_download

    try:
        directory = snapshot_download(name, allow_patterns=["*.json", "*.safetensors", "README.md"])
    except Exception as error:  # the hub's client passes on all errors of its transport
        raise InputError(
            f"there is no folder {name!r} here, and the hub did not return it: {first_line(error)}"
        ) from None
    return find_model(directory)


def read_config(directory: Path) -> dict[str, Any]:
    """Return the format, the builder and its arguments, and the kind (`used_as`) of a saved model."""
    config = read_part(directory, "config.json")
    config.setdefault("used_as", config.get("builder"))
    made_by, path = config.get("format"), directory / "config.json"
    if "model_type" in config:
        raise InputError(
            f"{path} must be of a model of seqgen, but it is of one of transformers, {config['model_type']!r}, which "
            "only seqgen evaluate takes"
        )
    if isinstance(made_by, int) and made_by < FORMAT:
        raise InputError(
            f"{path} must be of format {FORMAT}, but it is of format {made_by}, saved before the layout of seqgen "
            "changed: train the model again"
        )
    if made_by != FORMAT or config["used_as"] not in list(USED_AS) or not isinstance(config.get("builder"), str):
        raise InputError(
            f"{path} must be of format {FORMAT}, but it is of format {made_by!r} with builder "
            f"{config.get('builder')!r}: a newer version of seqgen may read it"
        )
    require(Config, config, str(path))
    return config


def read_part(directory: Path, name: str, schema: type[BaseModel] | None = None) -> dict[str, Any]:
    """Return the plain data of a file of a saved model, which must have the schema where one is given."""
    _require(directory, [name])
    return read_object(directory / name, schema)


def read_header(path: Path) -> dict[str, Stored]:
    """Return the shapes and kinds of all weights in a file, of which only the header is read.

    Raises:
        InputError: it is damaged.
    """
    from safetensors import SafetensorError, safe_open  # which an exported model does not need

    try:
        with safe_open(path, framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
            return {name: Stored(tuple(one.get_shape()), one.get_dtype() in FLOATS) for name, one in slices.items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path} must be as it was saved, but it is damaged: {error}") from None


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or its name where it has none."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
