"""`seqgen evaluate` of generators: static and adaptive figures of one, or of several side by side."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from seqgen.adaptation.adaptation import Adaptation, methods_of, require_methods
from seqgen.adaptation.ngram import counted_in
from seqgen.batches.documents import Documents
from seqgen.batches.stream import held_back_windows
from seqgen.batches.text import VALIDATION_ROWS, VALIDATION_WINDOW
from seqgen.cli.inputs import open_model
from seqgen.cli.labelled import refuse_others
from seqgen.cli.trained import as_trained, trained_options
from seqgen.data.corpus import Corpus
from seqgen.data.encoded import encode_documents, encode_stream
from seqgen.data.sets.benchmark_texts import Part
from seqgen.data.splits import split_stream
from seqgen.errors import InputError, a_kind
from seqgen.hardware.devices import find_device
from seqgen.inference.causal_language_model import CausalLanguageModel, is_causal_language_model
from seqgen.inference.generator import Generator
from seqgen.metrics.text_loss import TextLoss
from seqgen.symbols import EOS
from seqgen.training.losses import evaluate as mean_loss

NGRAM = "ngram"  # the Markov chain in the place of a model
COLUMNS = ("bits_per_character", "word_perplexity", "perplexity", "loss")  # of a table of several models

Figures = dict[str, float | str | None]


def evaluate_texts(models: dict[str, Any], options: dict[str, Any]) -> None:
    """Print the figures of generators on a text, each static and, with `--adapt`, adaptive ones.

    Args:
        models: generators, causal language models, and None for the Markov chain, by their names.
        options: of the command; "file" is the text.
    """
    refuse_others(options, "generator", "documents", "adapt", "valid", "train")
    run = next((place for place, model in models.items() if isinstance(model, Generator)), next(iter(models)))
    options = as_trained(options | {"directory": run})
    if options["file"] is None:
        raise InputError("a text must be given as a file, a folder or -, but there is none")
    if options["valid"] and options["adapt"] is None and None not in models.values():
        raise InputError("--valid must come with --adapt, whose settings it chooses, or with ngram")
    if options["train"] and "ngram" not in (options["adapt"] or "") and None not in models.values():
        raise InputError("--train must come with --adapt ngram or with ngram, which count it")
    corpus = Corpus.find(options["file"], options["encoding"], "test")
    if None in models.values():
        models = {place: model or _markov_chain(models.get(run), corpus, options) for place, model in models.items()}
    rows = {place: _figures(model, place, corpus, options) for place, model in models.items()}
    if options["adapt"] is not None and not any("adaptation" in figures for figures in rows.values()):
        raise InputError(f"--adapt must be with a model that can adapt, but none here can by {options['adapt']}")
    if options["json"]:
        for place, figures in rows.items():
            named = {"model": place} if len(rows) > 1 else {}
            print(json.dumps(named | figures, ensure_ascii=False))
    elif len(rows) > 1:
        _show_table(rows)
    else:
        _show(*rows.values())


def open_generator(place: str, options: dict[str, Any]) -> Any:
    """Return the model at a place, or None for the Markov chain.

    Raises:
        InputError: there is no model that can score a text.
    """
    if place == NGRAM and not Path(place).exists():
        return None
    if is_causal_language_model(place):
        return CausalLanguageModel.from_directory(place).to(find_device(options["device"]))
    return open_model(options | {"directory": place}, "score")


def of_text(generator: Generator, corpus: Corpus, documents: Any = None) -> Figures:
    """Return the static figures of a text: the loss, the perplexity and the bits a character.

    Args:
        generator: the model.
        corpus: the text.
        documents: kind of separate documents; by default lines where the model was trained on documents, else none.
    """
    tokenizer, documents = generator.tokenizer, documents or ("lines" if _ends(generator) else "none")
    if documents == "none":
        tokens = np.asarray(encode_stream(corpus, tokenizer))
        batches = held_back_windows(tokens, window=VALIDATION_WINDOW)
    else:
        rows = encode_documents(corpus, tokenizer, documents)
        several = Documents(rows, min(VALIDATION_ROWS, len(rows)), VALIDATION_WINDOW)
        tokens, batches = several.chosen_tokens(), several.once()
    return of_loss(mean_loss(generator.model, batches), tokens, corpus)


def of_loss(loss: float, tokens: np.ndarray, corpus: Corpus) -> Figures:
    """Return what a mean loss means in the units in which language models are compared.

    Characters and words are those of the text itself, whatever the tokens are; a line end is a word, too, as in the
    published benchmarks, where it is `<eos>`.
    """
    blocks = list(corpus.blocks())
    measured = TextLoss.of(loss, tokens, characters=sum(map(len, blocks)))
    words = sum(len(block.split()) + block.count("\n") for block in blocks)
    return {
        "loss": loss,
        "perplexity": _perplexity(loss),
        "word_perplexity": _perplexity(loss * len(tokens) / max(words, 1)),
        "bits_per_character": measured.bits_per_character,
        "unknown_tokens": measured.unknown_tokens,
        "tokens": len(tokens),
    }


def _figures(model: Any, place: str, corpus: Corpus, options: dict[str, Any]) -> Figures:
    if isinstance(model, CausalLanguageModel):
        tokens, logs = model.score("".join(corpus.blocks()))
        return of_loss(-float(logs.mean()), tokens, corpus) | {"unknown_tokens": 0.0}
    if not isinstance(model, Generator):
        raise InputError(f"with several models each must be a generator, but {place} holds {a_kind(model.builder)}")
    static = of_text(model, corpus, options["documents"])
    if options["adapt"] is None:
        return static
    adaptive = _adaptive(model, place, corpus, options)
    return static | {name if name == "adaptation" else f"adaptive_{name}": one for name, one in adaptive.items()}


def _adaptive(generator: Generator, place: str, corpus: Corpus, options: dict[str, Any]) -> Figures:
    """Return the figures of a generator that adapts to a text by all methods that it has."""
    asked = [method.strip() for method in options["adapt"].split(",")]
    require_methods(asked)
    methods = [method for method in methods_of(generator) if method in asked]
    if left_out := [method for method in asked if method not in methods]:
        print(f"{place} cannot adapt by {', '.join(left_out)}", file=sys.stderr)
    if not methods:
        return {}
    if options["documents"] not in (None, "none") or _ends(generator):
        raise InputError(f"--adapt must be with a model of one stream, but {place} reads separate documents")
    tokens = np.asarray(encode_stream(corpus, generator.tokenizer))
    valid = _own_text(generator, options, "valid")
    _require_other("--data", tokens, valid, "settings are chosen by")
    train = _counted_text(generator, tokens, options) if "ngram" in methods else None
    if train is not None:
        _require_other("--valid", valid, train, "n-grams are counted in")
    print(f"{place}: choosing how to adapt, then reading {len(tokens):,} tokens", file=sys.stderr)
    adaptation = Adaptation.chosen(generator, valid, methods, train=train)
    loss = -float(adaptation.score(tokens).mean())
    return of_loss(loss, tokens, corpus) | {"adaptation": str(adaptation)}


def _own_text(generator: Generator, options: dict[str, Any], part: Part) -> np.ndarray:
    """Return the numbers of the text of `--valid` or `--train`, by default those that the run has for it.

    Raises:
        InputError: neither the command nor the run names one.
    """

    def tokens(name: str, of_name: Part) -> np.ndarray:
        return np.asarray(encode_stream(Corpus.find(name, options["encoding"], of_name), generator.tokenizer))

    if options[part] is not None:
        return tokens(options[part], part)
    trained = trained_options(options["directory"])
    if trained.get("data") in (None, "-") or trained.get("documents", "none") != "none":
        raise InputError(f"--{part} must name a text, as {options['directory']} was trained on no stream that it names")
    valid = trained.get("valid")
    parts = split_stream(tokens(trained["data"], "train"), None if valid is None else tokens(valid, "valid"))
    return np.asarray(parts[part == "valid"])


def _counted_text(generator: Generator, tokens: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    """Return the numbers of the text that n-grams are counted in, which must not be the (length,) ones of `--data`."""
    train = _own_text(generator, options, "train")
    _require_other("--data", tokens, train, "n-grams are counted in")
    return train


def _require_other(option: str, tokens: np.ndarray, others: np.ndarray, use: str) -> None:
    """Raise an InputError where the text of an option is the one that is used otherwise."""
    if np.array_equal(tokens, others):
        raise InputError(f"{option} must be another text than that which {use}, but it is the same")


def _markov_chain(generator: Any, corpus: Corpus, options: dict[str, Any]) -> Generator:
    """Return the Markov chain of a generator's training text."""
    if not isinstance(generator, Generator):
        raise InputError("ngram must come with the run of a generator, whose tokenizer and training text it takes")
    train = _counted_text(generator, np.asarray(encode_stream(corpus, generator.tokenizer)), options)
    model = counted_in(train, _own_text(generator, options, "valid"), vocab_size=generator.tokenizer.vocab_size)
    return Generator.of(model, tokenizer=generator.tokenizer, ends=_ends(generator))


def _ends(generator: Generator) -> bool:
    return EOS not in generator.generation.suppress_tokens


def _perplexity(loss: float) -> float | None:
    """Return the exponential of a loss; None where no number of 64 bits holds it."""
    return math.exp(loss) if loss < 700 else None


def _shown(figure: Any) -> str:
    return "-" if figure is None else f"{figure:.4f}" if isinstance(figure, float) else str(figure)


def _show(figures: Figures) -> None:
    """Print the figures of one model in rows, adaptive ones in a column of their own."""
    adaptive = {name.removeprefix("adaptive_"): one for name, one in figures.items() if name.startswith("adaptive_")}
    print("\tstatic\tadaptive\n" if adaptive else "", end="")
    for name in (name for name in figures if not name.startswith("adapt")):
        print(name, _shown(figures[name]), *[_shown(adaptive[name])] if adaptive else [], sep="\t")
    print(f"adaptation\t{figures['adaptation']}\n" if adaptive else "", end="")


def _show_table(rows: dict[str, Figures]) -> None:
    """Print a row of figures for each model, adaptive ones in columns of their own."""
    adaptive = any("adaptation" in figures for figures in rows.values())
    names = [name for column in COLUMNS for name in (column, *[f"adaptive_{column}"] * adaptive)]
    names += ["unknown_tokens", "tokens"]
    table = [["model", *names], *([place, *(_shown(row.get(name)) for name in names)] for place, row in rows.items())]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        print(line[0].ljust(widths[0]), *(one.rjust(width) for one, width in zip(line[1:], widths[1:], strict=True)))
    if any(row["unknown_tokens"] for row in rows.values()):
        print("a model with unknown tokens need not spell them, so that its figures are too good beside the others")
    for place, figures in rows.items():
        print(f"{place} adapts by {figures['adaptation']}\n" if "adaptation" in figures else "", end="")
