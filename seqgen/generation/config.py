"""The options of generation, under the names that Hugging Face's `generate` gave them."""

from dataclasses import asdict, dataclass, fields, replace
from types import NoneType
from typing import Any, Literal, cast, get_args

from seqgen.arguments import checked, rule
from seqgen.errors import InputError, nearest
from seqgen.hardware.names import Precision

NUMBERS, LARGEST = (float, float | None), 1e300
Unseen = Literal["error", "replace"]  # what to do with characters or words unseen in training

SAMPLING = ("temperature", "top_k", "top_p", "min_p")  # options that have an effect only where tokens are sampled
SEARCHING = ("coverage_penalty", "num_beam_groups", "diversity_penalty")  # only with several beams


@dataclass(frozen=True, kw_only=True)
class GenerationConfig:
    """Options of generation.

    Every number is checked when it is set.

    Raises:
        InputError: a value outside its range.
    """

    max_new_tokens: int = 300
    """maximum number of new tokens"""
    min_new_tokens: int = 0
    """minimum number of new tokens before a text may end"""
    do_sample: bool = True
    """sample each token; false takes the most probable one (greedy search), which soon repeats itself"""
    temperature: float = 1.0
    """divisor of the logits: below 1 sharpens the distribution, above 1 flattens it"""
    top_k: int | None = None
    """sample from this many most probable tokens"""
    top_p: float | None = None
    """sample from the most probable tokens that together have this probability (nucleus sampling)"""
    min_p: float | None = None
    """sample from tokens at least this fraction as probable as the most probable one"""
    num_beams: int = 1
    """number of beams; above 1, beam search for the most probable texts instead of sampling"""
    length_penalty: float = 1.0
    """exponent of the length by which the scores of beam search are divided: above 0 favours long texts"""
    coverage_penalty: float = 0.0
    """weight of beam search's penalty on input positions that received little attention"""
    num_beam_groups: int = 1
    """number of groups of beams that are kept different from each other (diverse beam search)"""
    diversity_penalty: float = 0.0
    """penalty on a token for each beam of earlier groups that chose it at the same step"""
    force_words: tuple[str, ...] = ()
    """words or phrases that every text must have, in any order; needs several beams"""
    repetition_penalty: float = 1.0
    """penalty on tokens that the text already has: above 1 makes them less probable"""
    no_repeat_ngram_size: int = 0
    """length of n-grams that must not occur twice; 0 allows all"""
    stop_strings: tuple[str, ...] = ()
    """stop after any of these strings"""
    num_return_sequences: int = 1
    """number of texts for each prompt"""
    seed: int | None = None
    """random seed; the same seed generates the same text in the same precision"""
    suppress_tokens: tuple[int, ...] = ()
    """ids of tokens that are never generated"""
    precision: Precision = "auto"
    """precision of the weights; auto takes the one that is faster on this machine for so many texts at once"""

    def __post_init__(self) -> None:
        for name in ("stop_strings", "suppress_tokens", "force_words"):
            value = getattr(self, name)
            if not isinstance(value, tuple):
                object.__setattr__(self, name, tuple(value or ()) if isinstance(value, list | NoneType) else (value,))
        for field in fields(self):
            allowed, value = rule(cast("type", field.type)), getattr(self, field.name)
            self._check(field.name, allowed.kept(value), allowed.words)
            if field.type in NUMBERS and value is not None:
                self._check(field.name, abs(value) <= LARGEST, "a number that fits 64 bits")
                object.__setattr__(self, field.name, float(value))
        self._check("max_new_tokens", self.max_new_tokens >= 1, "at least 1")
        self._check("min_new_tokens", self.min_new_tokens >= 0, "at least 0")
        self._check("min_new_tokens", self.min_new_tokens <= self.max_new_tokens, f"at most {self.max_new_tokens}")
        self._check("temperature", 0 < self.temperature < float("inf"), "above 0 and finite")
        self._check("top_k", self.top_k is None or self.top_k >= 1, "at least 1")
        self._check("top_p", self.top_p is None or 0 < self.top_p <= 1, "above 0 and at most 1")
        self._check("min_p", self.min_p is None or 0 <= self.min_p <= 1, "at least 0 and at most 1")
        self._check("repetition_penalty", 0.001 <= self.repetition_penalty <= 1000, "from 0.001 to 1000")
        self._check("no_repeat_ngram_size", self.no_repeat_ngram_size >= 0, "at least 0")
        self._check("stop_strings", all(self.stop_strings), "texts that are not empty")
        self._check("force_words", all(self.force_words), "texts that are not empty")
        self._check("num_return_sequences", self.num_return_sequences >= 1, "at least 1")
        self._check("seed", self.seed is None or self.seed >= 0, "at least 0")
        self._check("precision", self.precision in get_args(Precision), "auto, fp32 or bf16")
        self._check("num_beams", self.num_beams >= 1, "at least 1")
        self._check("length_penalty", -10 <= self.length_penalty <= 10, "from -10 to 10")
        self._check("coverage_penalty", 0 <= self.coverage_penalty <= 1000, "from 0 to 1000")
        self._check("diversity_penalty", 0 <= self.diversity_penalty <= 1000, "from 0 to 1000")
        groups = self.num_beam_groups
        self._check("num_beam_groups", groups >= 1 and self.num_beams % groups == 0, f"a divisor of {self.num_beams}")
        if self.diversity_penalty and groups == 1:
            raise InputError(f"diversity_penalty must be 0 with one group of beams, not {self.diversity_penalty}")
        if self.do_sample and self.num_beams > 1:
            raise InputError(f"num_beams must be 1 where do_sample is on, not {self.num_beams}")
        if self.force_words and (self.num_beams == 1 or groups > 1):
            raise InputError(
                f"force_words must be with several beams in one group, not {list(self.force_words)} with num_beams "
                f"{self.num_beams} and num_beam_groups {groups}: give more num_beams, without sampling"
            )
        if not self.do_sample and self.num_return_sequences > self.num_beams:
            raise InputError(
                "num_return_sequences must be at most num_beams where do_sample is off, because there are no more "
                f"hypotheses, but it is {self.num_return_sequences} with num_beams {self.num_beams}"
            )

    def _check(self, name: str, kept: bool, rule: str) -> None:
        if not kept:
            raise InputError(f"{name} must be {rule}, not {getattr(self, name)!r}")

    def with_options(self, **options: Any) -> "GenerationConfig":
        """Return the same configuration with some options changed.

        Several beams turn sampling off, and sampling turns beam search off, unless both are given.

        Raises:
            InputError: an unknown option, a value outside its range, or one that has no effect with the others.
        """
        changed = replace(self, **_consistent(options))
        for name in options:
            if getattr(changed, name) != getattr(DEFAULTS, name):
                changed._require_effect(name)
        return changed

    def _require_effect(self, name: str) -> None:
        received = f"but it is {getattr(self, name)!r} with"
        if name in SAMPLING and not self.do_sample:
            how = f"num_beams {self.num_beams}" if self.num_beams > 1 else "do_sample off"
            raise InputError(f"{name} must be given where tokens are sampled, {received} {how}: leave one of them out")
        if name in SEARCHING and self.num_beams == 1:
            raise InputError(f"{name} must be given with several beams, {received} num_beams 1: add num_beams")

    @classmethod
    @checked
    def from_data(cls, data: dict[str, Any]) -> "GenerationConfig":
        """Return the options that `to_data` described; those that it lacks have their defaults.

        Raises:
            InputError: an unknown option, or a value outside its range.
        """
        return cls(**_consistent(data))

    def to_data(self) -> dict[str, Any]:
        """Return the options as plain data."""
        return asdict(self)


def _consistent(options: dict[str, Any]) -> dict[str, Any]:
    """Return options that exist, with those that follow from several beams or from sampling.

    Raises:
        InputError: an unknown option.
    """
    names = [field.name for field in fields(GenerationConfig)]
    for name in options:
        if name not in names:
            raise InputError(f"there is no generation option {name!r}{nearest(name, names)}")
    if options.get("num_beams") not in (None, 1):
        options = {"do_sample": False, **options}
    if options.get("do_sample"):
        options = {"num_beams": 1, "num_beam_groups": 1, "diversity_penalty": 0.0, **options}
    return options


DEFAULTS = GenerationConfig()
