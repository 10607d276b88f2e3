"""A model with everything needed to use it, written to and read from a directory as plain data."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Generic, Self, TypeVar

import torch
from huggingface_hub import HfApi
from torch import nn

from seqgen import patterns
from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.files import writing
from seqgen.hardware.building import NothingDrawn
from seqgen.inference.card import write_card
from seqgen.inference.rebuilding import builder_name, difference, require_plain
from seqgen.inference.saved import (
    FORMAT,
    WEIGHTS,
    find_model,
    first_line,
    known_builder,
    read_config,
    read_header,
)
from seqgen.inference.weights import building, load_weights, save_weights
from seqgen.settings import unaffected
from seqgen.tasks.part_files import optional_files, part_files, read_parts
from seqgen.tasks.parts import Part
from seqgen.tasks.schemas import arguments_schema, require
from seqgen.tasks.task import Task

M = TypeVar("M", bound=nn.Module)


@dataclass(kw_only=True)
class Bundle(Task, Generic[M]):
    """A model with everything needed to use it, and the name and arguments of its builder.

    Args:
        model: in evaluation mode where it was loaded.
        arguments: of the builder, without those that the other parts determine.
        own_builder: a function of one's own that makes the model of `arguments` alone; by default it is made by the
            builder of this kind.
        loaded_from: directory whose model card is saved with it while its weights are the same.
        members: the bundles of an ensemble; of a single model none.

    Raises:
        InputError: a builder of one's own makes another model of `arguments`, or they are not plain data.
    """

    untrained: ClassVar[Callable[..., Any]]  # class method: from the other parts and the arguments of the builder
    of: ClassVar[Callable[..., Any]]  # class method: from a model and the other parts

    model: M
    arguments: dict[str, Any]
    own_builder: Callable[..., M] | None = None
    loaded_from: Path | None = field(default=None, repr=False, compare=False)
    members: tuple[Any, ...] = field(default=(), repr=False, compare=False)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, method in list(vars(cls).items()):
            if isinstance(method, classmethod):
                setattr(cls, name, classmethod(checked(unaffected(method.__func__))))
            elif inspect.isfunction(method) and not name.startswith("_"):
                setattr(cls, name, checked(unaffected(method)))

    def __post_init__(self) -> None:
        if self.own_builder is not None:
            require_plain(self.arguments)
            self._require_loadable()

    def require_single(self, what: str) -> None:
        """Raise an InputError where this is an ensemble, for `what` only a single model has."""
        if self.members:
            count = len(self.members)
            raise InputError(
                f"{what} must be of a single model, not of an ensemble of {count}: take one of its members"
            )

    def config(self) -> dict[str, Any]:
        """Return the format of a saved model, its builder and its arguments as plain data."""
        config = {"format": FORMAT, "library": "seqgen", "builder": self.builder, "arguments": self.arguments}
        own = self.own_builder
        return config if own is None else config | {"builder": builder_name(own), "used_as": self.builder}

    def all_arguments(self) -> dict[str, Any]:
        """Return the arguments of the builder, those that were not given by their defaults."""
        builder = self.own_builder or getattr(patterns, self.builder)
        parameters = inspect.signature(builder).parameters.values()
        return {one.name: one.default for one in parameters if one.default is not one.empty} | self.arguments

    @classmethod
    @checked
    @unaffected
    def built(
        cls, arguments: dict[str, Any], parts: dict[str, dict[str, Any]], builder: Callable[..., M] | None = None
    ) -> Self:
        """Return an untrained model with its other parts, as `parts` described them."""
        values = cls.fields(parts)
        bundle: Self = (
            cls.untrained(**values, **arguments)
            if builder is None
            else cls.of(builder(**arguments), **values, builder=builder, arguments=arguments)
        )
        return bundle

    @checked
    @unaffected
    def rebuilt(self, **arguments: Any) -> Self:
        """Return an untrained model with the same other parts, some arguments of its builder being these.

        Raises:
            InputError: this is an ensemble.
        """
        self.require_single("the arguments of a builder")
        return self.built(self.arguments | arguments, self.parts())

    def _built_again(self) -> nn.Module:
        """Return the model as it is before training, built again of its arguments, without drawing random numbers."""
        with torch.random.fork_rng(devices=[]):
            if self.own_builder is not None:
                return self.own_builder(**self.arguments)
            kept = [[part.field] if isinstance(part, Part) else part.model_fields for part in self.files.values()]
            parts = {name: getattr(self, name) for names in kept for name in names}
            with NothingDrawn():
                again: Self = self.untrained(**parts, **self.arguments)
            return again.model

    def _require_loadable(self) -> None:
        try:
            found = difference(self.model, self._built_again())
        except TypeError as error:
            found = str(error)
        if found:
            name = builder_name(self.own_builder) if self.own_builder is not None else f"patterns.{self.builder}"
            raise InputError(
                f"a {self.builder} that is saved must be what its builder, {name}, makes of its arguments, "
                f"{self.arguments}, but {found}: give {type(self).__name__}.of the builder and arguments that made it"
            )

    @checked
    @unaffected
    def save_pretrained(self, directory: str | Path) -> None:
        """Write the model and its model card to a directory; each file is replaced as a whole.

        A README.md that was not written by this method, or that was edited since, stays as it is.

        Raises:
            InputError: the model is not what its builder makes of `arguments`, so it could not be loaded; or a weight
                is not finite; or it is an ensemble, whose members are saved.
            OSError: a file cannot be written.
        """
        self.require_single("a saved folder")
        self._require_loadable()
        directory = Path(directory)
        if (directory / "resolved.yaml").exists():
            raise InputError(f"{directory} must be another folder than that of a run, whose own model is in its model/")
        save_weights(self.model, directory / WEIGHTS)
        files = part_files({**self.parts(), "config.json": self.config()})
        for name in optional_files(type(self)) - set(files):  # of an earlier model
            (directory / name).unlink(missing_ok=True)
        for name, content in files.items():
            with writing(directory / name) as file:
                file.write(content)
        write_card(directory, self)

    @classmethod
    @checked
    @unaffected
    def from_pretrained(cls, source: str | Path, *, builder: Callable[..., M] | None = None) -> Self:
        """Load a model from a directory (that of a run, or its `model/`), or from the hub by its name.

        Args:
            source: run directory, its `model/`, or name of a model on the hub.
            builder: the function of one's own that built it, if one did. A saved model says which, but nothing is ever
                imported because a file names it.

        Raises:
            InputError: it does not exist, is incomplete or damaged, has weights that are not finite, was saved by
                another version, or by a builder of one's own that was not given.
        """
        directory = find_model(source)
        config = read_config(directory)
        if config["used_as"] != cls.builder:
            raise InputError(f"{directory} must hold a {cls.builder}, but it holds a {config['used_as']}")
        if config["used_as"] == config["builder"] and builder is not None:
            raise InputError(f"{directory} was built by seqgen's {cls.builder}: leave out builder")
        ours = known_builder(config["builder"])
        builder = builder or ours
        if config["used_as"] != config["builder"] and builder is None:
            raise InputError(
                f"{directory} holds a {cls.builder} built by {config['builder']!r}, which is not imported because a "
                "file names it: if you trust that function, give it itself as builder"
            )
        parts = read_parts(directory, cls)
        if builder is ours:
            schema = arguments_schema(ours or getattr(patterns, cls.builder))
            require(schema, config["arguments"], f"{directory}/config.json")
        try:
            header = read_header(directory / WEIGHTS)
            # Random numbers of other threads go on, unless a builder of one's own draws some.
            undrawn = NothingDrawn() if builder is ours else torch.random.fork_rng(devices=[])
            with building(header), undrawn:
                bundle = cls.built(config["arguments"], parts, builder)
            load_weights(bundle.model, directory / WEIGHTS, header)
        except InputError as error:
            raise InputError(f"{directory}: {error}") from None
        except Exception as error:  # whatever a builder raises for damaged arguments
            reason = " ".join(f"{error or type(error).__name__}".split())[:200]
            raise InputError(f"{directory} must hold a whole model, but it does not fit together: {reason}") from None
        bundle.model.eval()
        bundle.loaded_from = directory
        return bundle

    @checked
    def push_to_hub(self, name: str, *, private: bool = False, token: str | None = None) -> str:
        """Upload the model to the hub under a name such as "user/model"; return its address.

        Raises:
            InputError: the hub refused the upload or cannot be reached.
        """
        hub = HfApi(token=token)
        with TemporaryDirectory() as directory:
            self.save_pretrained(directory)
            try:
                repository = hub.create_repo(name, private=private, exist_ok=True).repo_id
                return str(hub.upload_folder(repo_id=repository, folder_path=directory).commit_url)
            except Exception as error:  # the hub's client passes on all errors of its transport
                raise InputError(f"the hub did not accept {name!r}: {first_line(error)}") from None

    @checked
    def to(self, device: torch.device | str) -> Self:
        """Move the model to a device.

        Raises:
            InputError: this machine has no such device.
        """
        try:
            self.model.to(device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            raise InputError(f"device must be one of this machine, not {device}: {first_line(error)}") from None
        return self

    @property
    def device(self) -> torch.device:
        """The device of the model."""
        return next(self.model.parameters()).device
