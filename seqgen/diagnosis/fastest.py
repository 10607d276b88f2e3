"""The choices of each part on this machine: decisions that its own code makes, at the sizes of default models."""

import string
import textwrap
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch

from seqgen.batches.windows import Batch
from seqgen.diagnosis.rows import NO_BREAK, Found, Rows
from seqgen.generation.config import GenerationConfig
from seqgen.generation.packed import packed
from seqgen.hardware.decisions import BUSY, Decision, decisions, forget, kept_in, milliseconds, noted
from seqgen.hardware.precision import (
    SMALL_PRODUCTS,
    Calculation,
    fastest_calculation,
    possible_threads,
    using_threads,
)
from seqgen.inference.classifiers import TextClassifier
from seqgen.inference.generator import Generator
from seqgen.inference.inputs import InputBundle
from seqgen.inference.translator import Translator
from seqgen.protocols import Decoder
from seqgen.symbols import UNK
from seqgen.text.characters import CharacterTokenizer
from seqgen.training.losses import next_token
from seqgen.training.optimizers import optimizers
from seqgen.training.trial import update

ROWS, STEPS = 64, 64  # of a batch of the character generator
TOKENIZER = CharacterTokenizer.fit([string.printable])  # about as many characters as in Python's own source
SLOWER = 5  # candidates that are shown beside the one that is used
OTHERS = 8  # further decisions that are shown


def fastest(device: torch.device) -> Rows:
    """Return a row for each part with its decision, and one for all other decisions that are kept."""
    seen: set[str] = set()
    parts: dict[str, Callable[[], object]] = {
        f"training, {ROWS} x {STEPS} tokens": lambda: training(device),
        "Muon's products": lambda: muon(device),
        **{f"writing {rows} text{'s' * (rows > 1)}": partial(writing, device, rows) for rows in (1, 16, 128)},
        "classifying texts": lambda: reading(_classifier(), device, (64, 128)),
        "reading for a translation": lambda: reading(_translator(), device, (128, 25)),
    }

    def row(calculate: Callable[[], object]) -> Found:
        with noted() as notes:
            way = calculate()
        made = [note for note in notes if note.question != SMALL_PRODUCTS]
        seen.update(note.question for note in notes)
        if not made:
            return Found(f"{way}, the only way here", {"choice": str(way)})
        return Found(_described(made[-1]), _plain(made[-1]))

    return {
        **{name: partial(row, calculate) for name, calculate in parts.items()},
        "other decisions": lambda: _others(device, seen),
        "kept in": lambda: _place(device),
    }


def training(device: torch.device) -> Calculation:
    """Return how the default generator learns fastest from its usual batches."""
    model = usual_generator().to(device).model.train()
    return fastest_calculation(
        *update("char_generator", model, usual_batch(device), next_token, optimizers(model, "muon")), device
    )[0]


def muon(device: torch.device) -> None:
    """Make an update of the default generator with Muon, with the threads of its training."""
    model = usual_generator().to(device).model.train()
    with using_threads(training(device).threads):
        torch.autograd.backward(next_token(model, usual_batch(device)).total)
        for optimizer in optimizers(model, "muon"):
            optimizer.step()


def writing(device: torch.device, rows: int) -> None:
    """Pack the default generator for this number of texts."""
    packed(cast("Decoder", usual_generator().to(device).model.eval()), rows=rows)


@torch.inference_mode()
def reading(bundle: InputBundle[Any], device: torch.device, shape: tuple[int, int]) -> Calculation:
    """Return how a model, or the encoder of one that writes, reads a batch of this shape fastest."""
    model = bundle.to(device).model.eval()
    network = model.encoder if isinstance(bundle, Translator) else model
    return bundle.fastest(network, [_tokens(shape).to(device)], "auto")


def usual_generator() -> Generator:
    """Return an untrained generator of the default sizes."""
    return Generator.untrained(tokenizer=TOKENIZER)


def usual_batch(device: torch.device) -> Batch:
    """Return a batch as the recipe of the default generator makes them."""
    return Batch(_tokens((ROWS, STEPS)), _tokens((ROWS, STEPS)), starts=True).to(device)


def forget_all(device: torch.device) -> None:
    """Forget the decisions for this device, those for fewer threads, too."""
    for threads in possible_threads(device):
        with using_threads(threads):
            forget(device)


def _tokens(shape: tuple[int, int]) -> torch.Tensor:
    return torch.randint(UNK + 1, TOKENIZER.vocab_size, shape)


def _classifier() -> TextClassifier:
    return TextClassifier.untrained(classes=["one", "other"], tokenizer=TOKENIZER)


def _translator() -> Translator:
    return Translator.untrained(source=TOKENIZER, generation=GenerationConfig())


def _described(decision: Decision) -> str:
    """Return the choice with its time, and on another line the times of what it was faster than."""
    ordered = sorted(decision.seconds, key=lambda name: decision.seconds[name])
    times = {name: f"{name}: {milliseconds(decision.seconds[name])}" for name in ordered}
    chosen = times.pop(decision.choice)
    chosen += f"; {BUSY}" * decision.busy
    if not times:
        return f"{chosen}; nothing else was measured"
    # A candidate with its time stays on one line.
    others = [text.replace(" ", NO_BREAK) for text in list(times.values())[:SLOWER]]
    rest = [f"{len(times) - SLOWER} slower ones"] if len(times) > SLOWER else []
    return f"{chosen}\nnot {'; '.join([*others, *rest])}"


def _plain(decision: Decision) -> dict[str, Any]:
    milliseconds = {name: 1000 * seconds for name, seconds in decision.seconds.items()}
    kept = {"question": decision.question, "choice": decision.choice, "milliseconds": milliseconds}
    return kept | {"busy": decision.busy}


def _others(device: torch.device, seen: set[str]) -> Found:
    found: dict[int, list[Decision]] = {}
    for threads in possible_threads(device):
        with using_threads(threads):
            found[threads] = [each for each in decisions(device) if each.question not in seen]
    lines = [
        f"{textwrap.shorten(each.question, 90, placeholder=' ...')}: {each.choice}, "
        f"{milliseconds(each.seconds[each.choice])}{', while other programs ran' * each.busy}"
        for kept in found.values()
        for each in kept
    ]
    rest = [f"and {len(lines) - OTHERS} more, all of which --json prints"] if len(lines) > OTHERS else []
    data = {str(threads): [_plain(each) for each in kept] for threads, kept in found.items()}
    return Found("\n".join([*lines[:OTHERS], *rest]) or "none", {"by_threads": data})


def _place(device: torch.device) -> Found:
    folder = kept_in(device)
    if not folder.is_dir():
        return Found("nowhere: without a cache, each process measures anew", None)
    return Found(f"{folder}; --measure_again deletes them and measures anew", str(folder))
