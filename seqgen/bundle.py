"""One directory that holds all that is needed to use a model, as plain data; here it is written and read."""

import json
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Self

import safetensors.torch
import torch
from huggingface_hub import HfApi, snapshot_download
from torch import nn

from seqgen import patterns
from seqgen.errors import InputError
from seqgen.files import write_text, writing
from seqgen.generation.config import GenerationConfig
from seqgen.text.tokenizer import Tokenizer, tokenizer_class

FORMAT = 1
FILES = ["config.json", "tokenizer.json", "generation_config.json", "model.safetensors"]

# What `load` makes of a model, by the name of the builder that made it.
USED_AS = {"generator": "seqgen.writer:Writer"}


@dataclass
class Bundle:
    """A model with its tokenizer, and the builder and arguments from which it can be built again.

    Args:
        model: in evaluation mode once it was loaded.
        tokenizer: whose vocabulary the model has.
        arguments: of the builder.
        generation: the options that generation starts from.
    """

    builder: ClassVar[str]

    model: nn.Module
    tokenizer: Tokenizer
    arguments: dict[str, Any]
    generation: GenerationConfig

    def save_pretrained(self, directory: str | Path) -> None:
        """Write the model into a directory; each file is replaced whole.

        Raises:
            OSError: a file cannot be written.
        """
        directory = Path(directory)
        with writing(directory / "model.safetensors") as file:
            tensors = {name: tensor.cpu().contiguous() for name, tensor in self.model.state_dict().items()}
            file.write(safetensors.torch.save(tensors))
        config = {"format": FORMAT, "library": "seqgen", "builder": self.builder, "arguments": self.arguments}
        tokenizer = {"kind": self.tokenizer.kind, **self.tokenizer.to_data()}
        for name, data in (
            ("tokenizer.json", tokenizer),
            ("generation_config.json", self.generation.to_data()),
            ("config.json", config),
        ):
            write_text(directory / name, json.dumps(data, ensure_ascii=False, indent=1) + "\n")

    @classmethod
    def from_pretrained(cls, source: str | Path) -> Self:
        """Read a model from a directory (a run's, or its `model/`), or from the hub by its name.

        Raises:
            InputError: it is not there, or not whole, or made by a newer version.
        """
        directory = find_model(source)
        config = _read_config(directory)
        if config["builder"] != cls.builder:
            raise InputError(f"{directory} must hold a {cls.builder}, but it holds a {config['builder']}")
        data = _read_json(directory, "tokenizer.json")
        build: Callable[..., nn.Module] = getattr(patterns, cls.builder)
        try:
            tokenizer = tokenizer_class(data["kind"]).from_data(data)
            model = build(tokenizer.vocabulary_size, **config["arguments"])
            model.load_state_dict(safetensors.torch.load_file(directory / "model.safetensors"))
        except (KeyError, TypeError, RuntimeError, ValueError, OSError, safetensors.SafetensorError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{directory} must hold a whole model, but it does not fit together: {reason}") from None
        model.eval()
        return cls(model, tokenizer, config["arguments"], read_generation(directory))

    def push_to_hub(self, name: str, *, private: bool = False, token: str | None = None) -> str:
        """Upload the model to the hub under a name such as "user/model"; return its address.

        Raises:
            InputError: the hub refused it or cannot be reached.
        """
        hub = HfApi(token=token)
        with TemporaryDirectory() as directory:
            self.save_pretrained(directory)
            try:
                repository = hub.create_repo(name, private=private, exist_ok=True).repo_id
                return str(hub.upload_folder(repo_id=repository, folder_path=directory).commit_url)
            except Exception as error:  # its client lets through whatever its transport raises
                raise InputError(f"the hub did not take {name!r}: {_first_line(error)}") from None

    def to(self, device: torch.device | str) -> Self:
        """Move the model to a device."""
        self.model.to(device)
        return self

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device


def load(source: str | Path) -> Any:
    """Return what a saved model is used as: a `Writer` for a generator.

    Args:
        source: a run directory, its `model/`, or the name of a model on the hub.

    Raises:
        InputError: it is not there, or not whole, or made by a newer version.
    """
    directory = find_model(source)
    return pkgutil.resolve_name(USED_AS[_read_config(directory)["builder"]]).from_pretrained(directory)


def find_model(source: str | Path) -> Path:
    """Return the directory of a model, downloaded from the hub where `source` is no directory but a name."""
    directory = Path(source)
    if not directory.exists():
        return _download(str(source))
    if not (directory / "config.json").exists() and (directory / "model").is_dir():
        directory = directory / "model"
    if (directory / "config.yaml").exists() and not (directory / "model").is_dir():
        raise InputError(f"{directory} must hold a model, but that run was killed before it had one: resume it")
    missing = [name for name in FILES if not (directory / name).is_file()]
    if missing:
        raise InputError(f"{directory} must hold a whole model, but {', '.join(missing)} is missing")
    return directory


def read_generation(directory: Path) -> GenerationConfig:
    """Return the options that generation with the model in a directory starts from."""
    return GenerationConfig().with_options(**_read_json(directory, "generation_config.json"))


def _download(name: str) -> Path:
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise InputError(f"a model must be a directory or a name like user/model, but {name!r} is neither")
    try:
        directory = snapshot_download(name, allow_patterns=FILES)
    except Exception as error:  # its client lets through whatever its transport raises
        raise InputError(f"{name!r} is no directory here, and the hub did not give it: {_first_line(error)}") from None
    return find_model(directory)


def _read_config(directory: Path) -> dict[str, Any]:
    config = _read_json(directory, "config.json")
    made_by = config.get("format")
    if not isinstance(made_by, int) or made_by > FORMAT or config.get("builder") not in USED_AS:
        raise InputError(
            f"{directory / 'config.json'} must be of format {FORMAT} or older, but it is of format {made_by!r} with "
            f"builder {config.get('builder')!r}: a newer version of seqgen may read it"
        )
    return config


def _read_json(directory: Path, name: str) -> dict[str, Any]:
    try:
        data = json.loads((directory / name).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{directory / name} must be JSON as it was saved, but it is not: {error}") from None
    if not isinstance(data, dict):
        raise InputError(f"{directory / name} must be a JSON object, not {type(data).__name__}")
    return data


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
