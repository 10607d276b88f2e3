"""The options of a recipe: a dataclass and the signature of the model's builder define its command line."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from inspect import Parameter, signature
from math import inf
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar

import torch
from jsonargparse import SUPPRESS, ArgumentParser

from seqgen.errors import InputError
from seqgen.files import read_options
from seqgen.generation.config import GenerationConfig
from seqgen.hardware.precision import Precision
from seqgen.options import config_files, new_parser, parse, require_no_null, require_values
from seqgen.runs.command import command
from seqgen.runs.initial_options import InitialOptions, initial_options
from seqgen.runs.option_kinds import FREE_ON_RESUME, INNER, NO_OPTIONS, anywhere
from seqgen.runs.saved_options import saved_options
from seqgen.runs.sizes import Size, Sizes
from seqgen.runs.tracking import Service
from seqgen.runs.vector_options import vector_options
from seqgen.tasks.encoder_decoder import search_options
from seqgen.text.tokenizer import Tokenizer

C = TypeVar("C", bound="RunConfig")

LARGEST = 2**63  # of whole numbers, random seeds among them, that torch and numpy can take
MOST_MEMBERS = 64  # of an ensemble: each is a process


@dataclass(kw_only=True)
class RunConfig:
    """The options that all recipes share.

    A recipe has a name, the `builder` of its model, whose keyword-only arguments are options, too, `presets`: other
    defaults for some `--data`, and `sizes`: those of each `--size`. `model` has the options of the builder, `asked`
    those that were given, `settled` the names of those and of the preset's. Whole numbers must be above 0.
    """

    recipe: ClassVar[str] = "run"
    builder: ClassVar[Callable[..., Any] | None] = None
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    sizes: ClassVar[Sizes] = {}
    transferred: ClassVar[tuple[Callable[..., Any], ...]] = ()  # builders of other models that --init_from takes
    learning_rates: ClassVar[Mapping[str, float]] = {"muon": 0.05, "adamw": 0.03}
    from_zero: ClassVar[frozenset[str]] = frozenset({"seed", "split_seed", "patience", "vector_words"})  # may be 0

    output_dir: str | None = None
    """folder of the run; by default a new one under runs/"""
    max_steps: int | None = None
    """maximum number of updates"""
    max_seconds: float | None = None
    """maximum wall-clock time in seconds; without either limit, the recipe's usual time"""
    size: Size | Literal["auto"] = "auto"
    """sizes of model, vocabulary and batch that are not given; auto takes what suits the time and this machine"""
    init_from: str | None = None
    """a saved model, whose tokenizer, sizes and weights are trained further"""
    new_tokens: Literal["error", "extend", "unknown"] | None = None
    """what --init_from does with tokens that its model does not know; by default unknown for words, else error"""
    seed: int = 1
    """random seed"""
    split_seed: int | None = None
    """random seed of the split of the data, which members of an ensemble must share; by default that of --seed"""
    ensemble: int = 1
    """members of an ensemble, trained side by side: each has a random seed of its own and its share of the threads"""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps and so on"""
    precision: Precision = "auto"
    """precision of matrix products; auto takes the one with the faster updates"""
    threads: int | None = None
    """threads of the processor; by default the number with the fastest updates"""
    optimizer: Literal["muon", "adamw"] = "muon"
    """muon trains the recurrent and input matrices, with adamw for the other weights"""
    learning_rate: float | None = None
    """maximum learning rate; by default 0.05 for muon and 0.03 for adamw"""
    adamw_learning_rate: float | None = None
    """maximum learning rate of adamw for weights that muon does not train; by default a fifth of muon's"""
    warm_up: float = 0.02
    """fraction of training in which the learning rate rises"""
    decay: Literal["linear", "cosine", "none"] = "linear"
    """decay of the learning rate to zero after the warm-up; none keeps it"""
    clip: float = 1.0
    """maximum gradient norm"""
    accumulate: int = 1
    """batches accumulated per update"""
    label_smoothing: float = 0.0
    """probability spread evenly over all target classes"""
    averaging: float = 0.02
    """fraction of the training that the moving average of the weights looks back; 0 takes the weights themselves"""
    patience: int | None = None
    """stop after this many validations without improvement, 0 for never; by default after 5 that are clearly worse"""
    eval_every: int | None = None
    """updates between validations; by default they follow the clock, at growing distances"""
    track: Service | None = None
    """service that tracks the run beside its own files, by its package; by default none"""
    resume: bool = False
    """continue the run in output_dir"""
    model: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.learning_rate is None:
            self.learning_rate = self.learning_rates[self.optimizer]
        if self.threads is None and self.ensemble > 1 and not self.resume:
            self.threads = self.share_of_threads
        if self.new_tokens and not self.init_from:
            raise InputError(f"--new_tokens must be given with --init_from, not alone as {self.new_tokens}")
        for name, value in (asdict(self) | self.model).items():
            if type(value) is int and abs(value) >= LARGEST:
                raise InputError(f"--{name} must be below {LARGEST:,}, not {value:,}")
        whole = [option.name for option in fields(self) if type(getattr(self, option.name)) is int]
        self.require_above_zero(*(name for name in whole if name not in self.from_zero))
        for name in whole:
            if getattr(self, name) < 0:
                raise InputError(f"--{name} must be at least 0, not {getattr(self, name)}")
        if self.ensemble > MOST_MEMBERS:
            raise InputError(f"--ensemble must be at most {MOST_MEMBERS}, not {self.ensemble}")
        self.require_above_zero("max_seconds", "learning_rate", "adamw_learning_rate", "clip")
        self.require_fraction("warm_up", "label_smoothing", "averaging")
        for name, value in self.model.items():  # sizes are whole numbers, dropout probabilities are not
            if type(value) is int and value < 1:
                raise InputError(f"--{name} must be at least 1, not {value}")
            if type(value) is float and not 0 <= value < 1:
                raise InputError(f"--{name} must be at least 0 and below 1, not {value}")

    @property
    def share_of_threads(self) -> int:
        """The threads of each member of an ensemble."""
        return max(torch.get_num_threads() // self.ensemble, 1)

    def require_above_zero(self, *names: str) -> None:
        """Raise an InputError where one of these options was given and is not above 0."""
        for name in names:
            value = getattr(self, name)
            if value is not None and not 0 < value < inf:
                raise InputError(f"--{name} must be {'finite' if value == inf else 'above 0'}, not {value}")

    def require_fraction(self, *names: str) -> None:
        """Raise an InputError where one of these options was given and is not at least 0 and below 1."""
        for name in names:
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                raise InputError(f"--{name} must be at least 0 and below 1, not {value}")

    def of_size(self, name: Size) -> Self:
        """Return these options, of which those that nobody has given are the ones of a size."""
        given = self.sizes[name].options if self.sizes else {}
        options = {option: value for option, value in given.items() if option not in self.settled}
        model = {option: options.get(option, value) for option, value in self.model.items()}
        own = {option: value for option, value in options.items() if option not in model}
        return replace(self, size=name, model=model, **own)

    def resolved(self) -> dict[str, Any]:
        """Return all options with their values, those of the model included."""
        own = {name: value for name, value in asdict(self).items() if name not in NO_OPTIONS}
        return {"recipe": self.recipe} | own | self.model


@dataclass(kw_only=True)
class LabelConfig(RunConfig):
    """The options that recipes of classifiers and taggers share."""

    valid: str | None = None
    """examples to validate on, in the form of --data; by default a tenth of it"""
    test: str | None = None
    """examples to test on, in the form of --data; by default another tenth"""
    class_weights: Literal["none", "balanced"] = "none"
    """balanced gives every class the same total weight in the loss"""


@dataclass(kw_only=True)
class PictureConfig(RunConfig):
    """The options that recipes for images share."""

    image_size: int | None = None
    """pixels a side; by default that of the pretrained weights, or else the images' median, but at most 64"""
    mirror: bool = False
    """mirror half of the training images at random"""
    skip_bad: bool = False
    """leave out images that cannot be read, instead of stopping"""


@dataclass(kw_only=True)
class SearchConfig(RunConfig):
    """The options that recipes with teacher forcing and beam search share."""

    learning_rates = {"muon": 0.03, "adamw": 0.004}  # noqa: RUF012  (declared in the base class)

    label_smoothing: float = 0.1
    """probability spread evenly over all tokens of the vocabulary"""
    scheduled_sampling: float = 0.0
    """probability of feeding the model's own prediction instead of the target token"""
    learning_rate: float | None = None
    """maximum learning rate; by default 0.03 for muon and 0.004 for adamw"""
    adamw_learning_rate: float | None = 0.0015
    """maximum learning rate of adamw for weights that muon does not train"""
    num_beams: int = 5
    """number of beams for the test, and the default of the saved model"""
    length_penalty: float = 0.6
    """exponent of the length by which scores are divided: above 0 favours long texts"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_fraction("scheduled_sampling")

    @property
    def teaching(self) -> dict[str, Any]:
        """The options of the loss with teacher forcing."""
        return {"label_smoothing": self.label_smoothing, "scheduled_sampling": self.scheduled_sampling}

    def search(self, target: Tokenizer, max_length: int) -> GenerationConfig:
        """Return the options of beam search for a text of at most `max_length` tokens."""
        return search_options(target, self.num_beams, self.length_penalty, max_length)


def parse_options(config_class: type[C], arguments: list[str] | None = None) -> C:
    """Return the configuration of the command line.

    An option that is not given has the value of the preset for `--data` (which `--source` replaces), or else its
    default in the dataclass or in the builder's signature. With `--resume` it has the value of the resumed run.

    Args:
        config_class: a dataclass derived from `RunConfig`; the docstring of its module describes the recipe.
        arguments: of the command line; those of this process by default.

    Raises:
        InputError: an unknown option, a value of another type or outside its range, or a resumed run with other values.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    parser, types = option_parser(config_class)
    for path in config_files(arguments):
        if not os.path.isfile(path):
            raise InputError(f"--config must be a YAML file with options, but {path!r} is not a file")
        read_options(Path(path))  # what is wrong with it is said in a sentence
    asked = parse(parser, arguments, types, defaults=False)
    saved = saved_options(asked) if asked.get("resume") else {}
    if saved.get("recipe", config_class.recipe) != config_class.recipe:
        raise InputError(
            f"--resume must be with the recipe of the run, {saved['recipe']}, but this is {config_class.recipe}"
        )
    require_values(parser, saved, types)
    data = "" if "source" in asked else asked.get("data", parser.get_defaults().get("data"))
    preset = {**config_class.presets.get(data, {}), **vector_options({**saved, **asked}, vars(parser.get_defaults()))}
    initial = InitialOptions()
    if asked.get("init_from") and config_class.builder and not saved:
        initial = initial_options(asked["init_from"], config_class.builder, *config_class.transferred)
        initial.require_kept(asked)
    found = preset | initial.of(config_class) | saved
    parser.set_defaults({name: value for name, value in found.items() if name in types})
    values = parse(parser, arguments, types)
    require_no_null(values, types)
    differing = [
        f"--{name} was {saved[name]} and is now {values[name]}"
        for name in types
        if name in saved
        and name not in FREE_ON_RESUME
        and anywhere({name: saved[name]}) != anywhere({name: values[name]})
    ]
    if differing:
        raise InputError(f"a run must be resumed with its own options, but {', '.join(differing)}")
    own = {option.name for option in fields(config_class)}
    config = config_class(
        **{name: values[name] for name in types if name in own},
        model={name: values[name] for name in types if name not in own},
        asked={name: value for name, value in asked.items() if name in types},
        settled=frozenset(types) if saved else frozenset(asked) | frozenset(found),
    )
    rates = {name: getattr(config, name) for name in ("learning_rate", "adamw_learning_rate") if name not in asked}
    config = replace(config, **{name: initial.rate_factor * rate for name, rate in rates.items() if rate})
    return config if config.size == "auto" else config.of_size(config.size)


def model_options(builder: Callable[..., Any]) -> list[Parameter]:
    """Return the keyword-only arguments of a builder: the options of a model, without sizes that the data determine."""
    return [argument for argument in signature(builder).parameters.values() if argument.kind == Parameter.KEYWORD_ONLY]


def option_parser(config_class: type[RunConfig]) -> tuple[ArgumentParser, dict[str, Any]]:
    """Return the parser of all options of a recipe, and the type of each."""
    parser = new_parser(sys.modules[config_class.__module__].__doc__ or "", prog=command())
    parser.add_argument("--config", action="config", help="a YAML file with any of these options")
    parser.add_class_arguments(config_class, skip=set(NO_OPTIONS))
    parser.add_argument("--resume", action="store_true", help="continue the run in output_dir")
    parser.add_argument("--recipe", type=str, help=SUPPRESS)  # in the options that a run has saved
    types = {option.name: option.type for option in fields(config_class) if option.name not in INNER}
    builder = config_class.builder
    if builder is not None:
        every = signature(builder).parameters
        options = [option for option in model_options(builder) if option.name not in types]
        parser.add_function_arguments(builder, skip=set(every) - {option.name for option in options})
        types |= {option.name: option.annotation for option in options}
    return parser, types
