"""A recipe's options: one dataclass is its command line, its configuration file, and its record."""

import os
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from jsonargparse import ArgumentParser

from seqgen.errors import InputError
from seqgen.options import new_parser, parse

C = TypeVar("C", bound="RunConfig")

# What a resumed run may change: it says how long, where and how visibly to train, not what is trained.
FREE_ON_RESUME = {"resume", "output_dir", "max_steps", "max_seconds", "device", "sample_every"}


@dataclass(kw_only=True)
class RunConfig:
    """The options that all recipes share."""

    output_dir: str | None = None
    """folder of the run; by default a new one under runs/"""
    max_steps: int | None = None
    """end after so many updates"""
    max_seconds: float | None = None
    """end after so many seconds of wall-clock; without either limit, after the recipe's usual time"""
    seed: int = 1
    """of everything that is drawn at random"""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps and so on"""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto finds out whether bf16 is faster here"""
    optimizer: Literal["muon", "adamw"] = "muon"
    """muon trains the recurrent and input matrices, with adamw for the rest"""
    learning_rate: float | None = None
    """the highest; by default 0.05 for muon and 0.004 for adamw"""
    adamw_learning_rate: float | None = None
    """the highest learning rate of adamw for what muon does not train; by default a fifth of muon's"""
    warm_up: float = 0.02
    """share of the training in which the learning rate rises"""
    decay: Literal["linear", "cosine", "none"] = "linear"
    """how the learning rate falls to zero after that"""
    clip: float = 1.0
    """the largest norm of a gradient"""
    accumulate: int = 1
    """batches of an update"""
    label_smoothing: float = 0.0
    """share of probability spread over all answers"""
    averaging: float = 0.998
    """share of the moving average of the weights that stays at an update; 0 takes the weights as they are"""
    patience: int | None = None
    """end after so many validations in a row without a better one"""
    resume: bool = False
    """go on with the run in output_dir"""

    def __post_init__(self) -> None:
        self.require_above_zero("max_steps", "max_seconds", "learning_rate", "adamw_learning_rate")
        self.require_above_zero("clip", "accumulate", "patience")
        self.require_share("warm_up", "label_smoothing", "averaging")

    def require_above_zero(self, *names: str) -> None:
        """Raise an InputError where one of these options was given and is not above 0."""
        for name in names:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"--{name} must be above 0, not {value}")

    def require_share(self, *names: str) -> None:
        """Raise an InputError where one of these options was given and is no share: at least 0 and below 1."""
        for name in names:
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                raise InputError(f"--{name} must be at least 0 and below 1, not {value}")


def parse_options(config_class: type[C], description: str, arguments: list[str] | None = None) -> C:
    """Return the configuration that the command line asks for.

    With `--resume` all that the command line does not say comes from the run that is resumed.

    Args:
        config_class: a dataclass derived from `RunConfig`.
        description: for `--help`; its first paragraph is shown.
        arguments: of the command line; those of this process by default.

    Raises:
        InputError: an option or a value that does not exist, or a resumed run with other settings.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = _parser(config_class, description)
    config = _parse(parser, config_class, arguments)
    if not config.resume:
        return config
    if config.output_dir is None:
        raise InputError("--resume needs --output_dir, the folder of the run to go on with")
    path = Path(config.output_dir) / "config.yaml"
    if not path.is_file():
        raise InputError(f"--resume needs a run in --output_dir, but {config.output_dir} holds none")
    saved = _read_saved(path)
    parser.default_config_files = [os.fspath(path)]
    config = _parse(parser, config_class, arguments)
    differing = [
        f"--{name} was {saved[name]} and is now {value}"
        for name, value in asdict(config).items()
        if name in saved and name not in FREE_ON_RESUME and saved[name] != value
    ]
    if differing:
        raise InputError(f"a run must be resumed with its own settings, but {', '.join(differing)}")
    return config


def _read_saved(path: Path) -> dict[str, Any]:
    try:
        saved = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError:
        saved = None
    if not isinstance(saved, dict):
        raise InputError(f"{path} must hold the options of a run as they were saved, but it is damaged")
    return saved


def _parser(config_class: type[RunConfig], description: str) -> ArgumentParser:
    parser = new_parser(description)
    parser.add_argument("--config", action="config", help="a YAML file with any of these options")
    parser.add_class_arguments(config_class, skip={"resume"})
    parser.add_argument("--resume", action="store_true", help="go on with the run in output_dir")
    return parser


def _parse(parser: ArgumentParser, config_class: type[C], arguments: list[str]) -> C:
    types = {field.name: field.type for field in fields(config_class)}
    values = parse(parser, arguments, types)
    return config_class(**{name: values[name] for name in types})
