"""The options of a run that a saved model determines, where the run goes on with it (`--init_from`)."""

from collections.abc import Callable
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

from seqgen.errors import InputError
from seqgen.files import read_options
from seqgen.inference.saved import find_model, read_config, used_as
from seqgen.runtime.exported import is_exported
from seqgen.tasks.part_files import read_parts
from seqgen.tasks.schemas import arguments_schema, require
from seqgen.tasks.task import Task
from seqgen.text.backward import BackwardTokenizer

# Folders of a run with the models of these options, so that it is resumed without them.
INITIAL = {"init_from": "initial", "init_from_backward": "initial_backward"}
LEFT_OUT = ("size", "weights", "vocab_size")  # options of a model that begins from nothing
OF_TRAINING = ("dropout", "embedding_dropout", "word_dropout", "weight_drop", "frozen")  # no shape depends on them
BATCHES = ("batch_size", "batch_tokens", "window")  # which the sizes have, too
TRANSFERRED = ("cell", "hidden_size", "layers", "embedding_size")  # from a generator to a classifier
SLOWER = 0.5  # factor of the default learning rates, with which less of what was learned is lost
GENERATION = {"max_length": "max_new_tokens", "num_beams": "num_beams", "length_penalty": "length_penalty"}


class InitialOptions(NamedTuple):
    """The options that a saved model determines, which a run may not change, and its defaults, which it may.

    `rate_factor` is that of the recipe's default learning rates.
    """

    place: str = ""
    determined: dict[str, Any] = {}  # noqa: RUF012  (a tuple's default, which nothing changes)
    defaults: dict[str, Any] = {}  # noqa: RUF012
    rate_factor: float = 1.0

    def require_kept(self, asked: dict[str, Any]) -> None:
        """Raise an InputError where one of the options that were given contradicts the model."""
        for name in LEFT_OUT:
            if asked.get(name) not in (None, "auto", "none"):
                raise InputError(f"--{name} must be left out with --init_from, which has that of {self.place}")
        for name, value in self.determined.items():
            if asked.get(name, value) not in (None, value):
                raise InputError(f"--{name} must be that of the model of {self.place}, {value}, not {asked[name]}")

    def of(self, config_class: type) -> dict[str, Any]:
        """Return the options for a recipe, without dropout probabilities that it finds by the size of its data."""
        found = {option.name for option in fields(config_class)}.intersection(OF_TRAINING)
        return {name: value for name, value in (self.defaults | self.determined).items() if name not in found}


def initial_options(source: str, builder: Callable[..., Any], *others: Callable[..., Any]) -> InitialOptions:
    """Return the options of the model to go on with.

    Args:
        source: run directory, its `model/`, or name of a model on the hub.
        builder: of the models that the recipe trains.
        *others: of those whose weights it can begin with, too.

    Raises:
        InputError: there is no such model, it is damaged, or of a kind that cannot be trained further.
    """
    if is_exported(source):
        raise InputError(f"--init_from must be a saved model, but {source} holds an exported one, which is not trained")
    directory = find_model(source)
    config = read_config(directory)
    kind, kinds = config["used_as"], {one.__name__: one for one in (builder, *others)}
    if kind not in kinds:
        raise InputError(f"--init_from must be a saved {' or '.join(kinds)}, but {source} holds a {kind}")
    if config["builder"] != kind:
        raise InputError(
            f"--init_from must be a {kind} of seqgen's own builder, but {source} holds one of {config['builder']!r}, "
            "which this recipe does not train"
        )
    require(arguments_schema(kinds[kind]), config["arguments"], f"{directory}/config.json")
    task: type[Task] = used_as(directory)
    parts = task.fields(read_parts(directory, task))
    parameters = signature(kinds[kind]).parameters.values()
    every = {one.name: one.default for one in parameters if one.default is not one.empty} | config["arguments"]
    shapes = {name: value for name, value in every.items() if name not in OF_TRAINING}
    if kind != builder.__name__:
        return InitialOptions(source, {name: shapes[name] for name in TRANSFERRED} | _of_parts(parts))
    training = {name: every[name] for name in OF_TRAINING if name in every}
    defaults = training | _of_use(parts) | _of_batches(directory)
    return InitialOptions(source, shapes | _of_parts(parts), defaults, SLOWER)


def _of_parts(parts: dict[str, Any]) -> dict[str, Any]:
    """Return the options of tokenizers, images and conditions."""
    options: dict[str, Any] = {}
    tokenizer = parts.get("tokenizer") or parts.get("target") or parts.get("source")
    if tokenizer is not None:
        direction = "backward" if isinstance(tokenizer, BackwardTokenizer) else "forward"
        options |= {"tokenizer": tokenizer.kind, "vocab_size": tokenizer.vocab_size, "direction": direction}
    if "source" in parts:
        options["shared_vocabulary"] = parts["target"] in (None, parts["source"])
    if "preprocessing" in parts:
        options["image_size"] = parts["preprocessing"].size
    if "categories" in parts:
        options["conditions"] = "categories" if parts["categories"] else "numbers"
    return options


def _of_use(parts: dict[str, Any]) -> dict[str, Any]:
    """Return the options of reading texts, and of searching for them."""
    config = parts.get("generation")
    options = {} if config is None else {name: getattr(config, of_model) for name, of_model in GENERATION.items()}
    return options | {name: parts[name] for name in ("max_length",) if name in parts}


def _of_batches(directory: Path) -> dict[str, Any]:
    """Return the options of batches of the run that trained the model, where it is there."""
    options = read_options(directory.parent / "resolved.yaml")
    return {name: value for name in BATCHES if type(value := options.get(name)) is int and value > 0}
