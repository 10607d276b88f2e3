"""The adaptation of a generator: chosen on a validation text, and then applied once to another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

import numpy as np
import torch

from seqgen.adaptation.dynamic_evaluation import Dynamic, can_learn, dynamic, suitable_window
from seqgen.adaptation.mixture import mixed, mixture_weights
from seqgen.adaptation.neural_cache import SHARPNESSES, NeuralCache
from seqgen.adaptation.ngram import MOST_COUNTED, adaptive_ngrams, counted_in
from seqgen.adaptation.reading import Predicted, has_features, static
from seqgen.adaptation.temperature import TEMPERATURES, tempered
from seqgen.arguments import checked
from seqgen.errors import InputError, nearest
from seqgen.inference.generator import Generator
from seqgen.ngram_counts import token_numbers
from seqgen.settings import unaffected

Method = Literal["temperature", "cache", "dynamic", "ngram"]
METHODS: tuple[Method, ...] = ("temperature", "cache", "dynamic", "ngram")
CHOSEN_ON = 30_000  # tokens of a validation text at most, so that to choose takes no longer than to apply
COUNTED = "n-grams of training and read text", "of read text", "of the last 500 tokens"  # in the order of their weights


class Counted(NamedTuple):
    """The (length,) numbers of a training text that is counted, and the number of tokens of the longest n-grams."""

    train: np.ndarray
    order: int


class AdaptationSettings(NamedTuple):
    """The settings of each method, as they were chosen; None, or a temperature of 1, leaves it out."""

    learning: Dynamic | None = None
    temperature: float = 1.0
    sharpness: float | None = None
    counted: Counted | None = None


@dataclass(frozen=True)
class Adaptation:
    """A generator with the way in which it adapts to a text; its model stays as it is.

    Args:
        generator: the generator.
        settings: as they were chosen.
        weights: of the network, the cache and the n-gram models, as far as there are any, in their mixture.
    """

    generator: Generator
    settings: AdaptationSettings
    weights: np.ndarray

    @classmethod
    @checked
    @unaffected
    def chosen(
        cls,
        generator: Generator,
        valid: np.ndarray | Sequence[int],
        methods: Sequence[Method] = ("temperature", "cache", "dynamic"),
        *,
        train: np.ndarray | Sequence[int] | None = None,
    ) -> Self:
        """Return the adaptation with the lowest loss of a validation text.

        Args:
            generator: a generator whose model reads all steps at once.
            valid: (length,) numbers of the validation text, of which the first 30,000 are read.
            methods: how it adapts: by a softmax temperature, a neural cache, dynamic evaluation, n-grams counted anew.
            train: (length,) numbers of the training text, which the n-grams need; the last 2,000,000 are counted.

        Raises:
            InputError: a method that is unknown or that this model has not, no training text, a text that is none of
                the tokenizer's tokens, or weights that are not finite or not in fp32.
        """
        require_methods(methods, generator)
        _require_sound(generator)
        vocab_size = generator.tokenizer.vocab_size
        tokens, counted = token_numbers("valid", valid, vocab_size)[:CHOSEN_ON], None
        if "ngram" in methods:
            if train is None:
                raise InputError("train must be the training text, which the n-grams are counted in, but there is none")
            text = token_numbers("train", train[-MOST_COUNTED:], vocab_size)
            chain = counted_in(text, tokens, vocab_size=vocab_size)
            counted = Counted(text, chain.order)
        window = suitable_window(vocab_size)
        learning = Dynamic.chosen(generator.model, tokens, window) if "dynamic" in methods else None
        settings = AdaptationSettings(learning, counted=counted)
        temperatures = TEMPERATURES if "temperature" in methods else (1.0,)
        sharpnesses = SHARPNESSES if "cache" in methods else ()
        network, cached = _read(_reading(generator, tokens, settings), temperatures, sharpnesses)
        best = int(network.mean(axis=1).argmax())
        settings = settings._replace(temperature=temperatures[best])
        others = [network[best], *_ngrams(generator, tokens, settings)]
        found = []
        for sharpness, row in zip(sharpnesses, cached, strict=True) if len(cached) else [(None, None)]:
            components = np.stack([others[0], *([] if row is None else [row]), *others[1:]])
            weights = mixture_weights(components)
            loss = -float(mixed(components, weights).mean())
            found.append((loss, cls(generator, settings._replace(sharpness=sharpness), weights)))
        return min(found, key=lambda pair: pair[0])[1]

    @checked
    @unaffected
    def score(self, text: np.ndarray | Sequence[int]) -> np.ndarray:
        """Return the (length,) log-probabilities, in nats, of the tokens of a text, each given those before it.

        Raises:
            InputError: the text is none of the tokenizer's tokens, the weights are not finite, not in fp32 or diverged
                on it, or others are trained than those that the settings were chosen for.
        """
        _require_sound(self.generator)
        tokens, settings = token_numbers("text", text, self.generator.tokenizer.vocab_size), self.settings
        sharpnesses = () if settings.sharpness is None else (settings.sharpness,)
        network, cached = _read(_reading(self.generator, tokens, settings), (settings.temperature,), sharpnesses)
        if not np.isfinite(network).all():
            raise InputError("the weights must stay finite as they learn, but they diverged: adapt without dynamic")
        components = np.stack([*network, *cached, *_ngrams(self.generator, tokens, settings)])
        return mixed(components, self.weights)

    def __str__(self) -> str:
        learning, temperature, sharpness, counted = self.settings
        names = ["network", *["cache"] * (sharpness is not None)]
        names += COUNTED if counted else ()
        said = [f"temperature {temperature:g}"] * (temperature != 1)
        said += [f"dynamic evaluation ({learning.rates}, window {learning.window})"] if learning else []
        said += [f"cache (sharpness {sharpness:g})"] if sharpness is not None else []
        said += [f"{counted.order}-grams"] if counted else []
        weights = ", ".join(f"{name} {weight:.3f}" for name, weight in zip(names, self.weights, strict=True))
        return ", ".join(said or ["temperature 1, which changes nothing"]) + (
            f"; weights: {weights}" if len(names) > 1 else ""
        )


def methods_of(generator: Generator) -> list[Method]:
    """Return the methods by which a generator can adapt."""
    missing = {"cache": not has_features(generator.model), "dynamic": not can_learn(generator.model)}
    return [method for method in METHODS if not missing.get(method)]


def require_methods(methods: Sequence[str], generator: Generator | None = None) -> None:
    """Raise an InputError where a method is unknown, or not one of a generator."""
    for method in methods:
        if method not in METHODS:
            raise InputError(
                f"adapt must be one or several of {', '.join(METHODS)}, not {method!r}{nearest(method, METHODS)}"
            )
        if generator is not None and method not in (able := methods_of(generator)):
            raise InputError(f"this model can adapt by {', '.join(able)}, but not by {method}")


def _reading(generator: Generator, tokens: np.ndarray, settings: AdaptationSettings) -> Iterator[Predicted]:
    if settings.learning is None:
        return static(generator.model, tokens)
    return dynamic(generator.model, tokens, settings.learning)


def _read(
    reading: Iterator[Predicted], temperatures: Sequence[float], sharpnesses: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return (temperatures, length) and (sharpnesses, length) log-probabilities of a text, which is read once."""
    cache, network, cached = NeuralCache(sharpnesses), [], []
    for predicted in reading:
        network.append(tempered(predicted, temperatures))
        cached += [cache.read(predicted)] if sharpnesses else []
    return np.concatenate(network, axis=1), np.concatenate(cached, axis=1) if cached else np.empty((0, 0))


def _ngrams(generator: Generator, tokens: np.ndarray, settings: AdaptationSettings) -> np.ndarray:
    if settings.counted is None:
        return np.empty((0, len(tokens)))
    train, order = settings.counted
    return adaptive_ngrams(tokens, train=train, vocab_size=generator.tokenizer.vocab_size, order=order)


def _require_sound(generator: Generator) -> None:
    """Raise an InputError where weights are not finite or not in fp32, in which steps of learning are not lost."""
    for name, weight in generator.model.named_parameters():
        if weight.is_floating_point() and weight.dtype != torch.float32:
            raise InputError(f"a model that adapts must have weights in fp32, but {name} is in {weight.dtype}")
        if not weight.isfinite().all():
            raise InputError(f"a model that adapts must have finite weights, but {name} has some that are not")
