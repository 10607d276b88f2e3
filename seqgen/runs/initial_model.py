"""The model that a run begins with, where it goes on with a saved one (`--init_from`)."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from seqgen.data.labelled import Labelled
from seqgen.data.splits import LabelledSplits, Splits, TaggedSplits
from seqgen.errors import InputError
from seqgen.generation.config import GenerationConfig
from seqgen.inference.bundle import Bundle
from seqgen.inference.continuation import continued
from seqgen.inference.tagger import Tagger
from seqgen.inference.translator import Translator
from seqgen.runs.initial_options import GENERATION
from seqgen.runs.new_tokens import tokenizer_for, vocabularies_for
from seqgen.runs.run import Run
from seqgen.symbols import EOS


def initial_model(run: Run, data: Splits[Any] | Iterable[str]) -> Any:
    """Return the model of `--init_from` for the data of a run, with its options; None without `--init_from`.

    Args:
        run: with the options.
        data: to train on, or the texts alone.

    Raises:
        InputError: a token is unknown to the model, or it does not fit the data.
    """
    bundle, config = run.initial, run.config
    if bundle is None:
        return None
    train = data.train if isinstance(data, Splits) else data
    labels = {name: found for name, found in _labels(data).items() if getattr(bundle, name, None)}
    for name, found in labels.items():
        _say_labels(run, name, getattr(bundle, name), found)
    parts = labels | _vocabularies(run, bundle, train)
    if hasattr(bundle, "generation"):
        parts["generation"] = _generation(bundle.generation, vars(config))
    if hasattr(bundle, "max_length"):
        parts["max_length"] = vars(config)["max_length"]
    own = config.builder is not None and config.builder.__name__ == bundle.builder
    return continued(bundle, config.model if own else {}, **parts)


def _labels(data: Any) -> dict[str, list[str]]:
    if isinstance(data, TaggedSplits):
        return {"tags": data.tags}
    if isinstance(data, LabelledSplits):
        return {"classes": data.classes, "categories": sorted(set(data.train.labels))}
    return {}


def _vocabularies(run: Run, bundle: Bundle[Any], train: Any) -> dict[str, Any]:
    """Return the tokenizers of a model, or the vocabularies of a tagger, for the data to train on."""
    if isinstance(bundle, Tagger):
        return dict(zip(("vocabulary", "alphabet"), vocabularies_for(run, bundle, train.tokens), strict=True))
    if isinstance(bundle, Translator):
        if bundle.source is bundle.target:
            shared = tokenizer_for(run, bundle.source, chain(train.sources, train.targets))
            return {"source": shared, "target": shared}
        sides = {"source": train.sources, "target": train.targets}
        return {name: tokenizer_for(run, getattr(bundle, name), texts) for name, texts in sides.items()}
    names = [name for name in ("tokenizer", "target") if hasattr(bundle, name)]
    if not names and run.config.new_tokens:
        raise InputError(f"--new_tokens must be left out for images, which have none, not {run.config.new_tokens}")
    texts = train.inputs if isinstance(train, Labelled) else train
    return {name: tokenizer_for(run, getattr(bundle, name), texts) for name in names}


def _generation(generation: GenerationConfig, options: dict[str, Any]) -> GenerationConfig:
    """Return the options that generation starts from with those of the run, and with EOS where documents end."""
    changed = {of_model: options[name] for name, of_model in GENERATION.items() if name in options}
    if "documents" in options:
        never = tuple(token for token in generation.suppress_tokens if token != EOS)
        changed["suppress_tokens"] = (*never, EOS) if options["documents"] == "none" else never
    return generation.with_options(**changed)


def _say_labels(run: Run, name: str, before: list[str], now: list[str]) -> None:
    new = [label for label in now if label not in before]
    if new or len(now) != len(before):
        known = len(now) - len(new)
        run.say(
            f"{name}: {len(now)}, of which the model of {run.config.init_from} knows {known} of its {len(before)}; "
            f"{'the weights of the others begin anew' if new else 'those of the others are left out'}"
        )
