"""The speed of training and using a text classifier, compared to the plain loop around torch's packed layers.

Both take turns in one process over the same texts of unequal lengths: the plain loop in batches of 32 in given order,
padded and packed, in fp32 with AdamW; seqgen in buckets of similar length, never packed, in fp32, bf16 and its default.
"""

from seqgen.exits import run_main

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import Any, cast

import numpy as np
import torch
from machine import begin
from measuring import OURS, TORCH_LAYERS, Options, columns, in_turns, parse_options, precisions, ratios, save, show
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence
from updates import calculation, updates

from seqgen import patterns
from seqgen.batches.buckets import Buckets
from seqgen.batches.examples import ExampleBatches, Examples
from seqgen.batches.padded import padded
from seqgen.errors import InputError
from seqgen.hardware.devices import use_huge_pages
from seqgen.hardware.precision import Calculation, Precision
from seqgen.inference.classifiers import TextClassifier
from seqgen.models import EncoderClassifier
from seqgen.nn.cells import Cell
from seqgen.nn.encoders import SequenceEncoder
from seqgen.symbols import UNK
from seqgen.text.bytes import ByteTokenizer
from seqgen.training.losses import right_answer
from seqgen.training.optimizers import optimizers

VOCABULARY, CLASSES = 10_000, 2
BATCH = 32  # texts of a batch of the plain loop


@dataclass(kw_only=True)
class Config(Options):
    """Options of the benchmark of classification."""

    cells: list[Cell] = field(default_factory=lambda: ["lstm", "gru"])
    """kinds of recurrent cell"""
    layers: list[int] = field(default_factory=lambda: [1])
    """numbers of recurrent layers"""
    widths: list[int] = field(default_factory=lambda: [128, 256])
    """sizes of the hidden state in each direction"""
    batches: list[int] = field(default_factory=lambda: [4096])
    """tokens of seqgen's batches, padding included"""
    embedding_size: int = 128
    """size of a token's embedding"""
    texts: int = 512
    """number of texts, of 10 to 500 tokens, 100 on average"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers != [1]:
            raise InputError(f"--layers must be [1], as torch's second layer reads another input, not {self.layers}")


class PlainClassifier(nn.Module):
    """The usual classifier around packed layers, with the same weights as ours."""

    def __init__(self, model: nn.Module, cell: str):
        super().__init__()
        encoder = cast("SequenceEncoder", model.encoder)
        backwards = encoder.backwards
        assert backwards is not None
        self.embedding = encoder.embedding
        inside = encoder.forwards.stack[0]
        self.recurrent = TORCH_LAYERS[cell](inside.input_size, inside.hidden_size, batch_first=True, bidirectional=True)
        weights = inside.state_dict()
        weights |= {f"{name}_reverse": tensor for name, tensor in backwards.stack[0].state_dict().items()}
        self.recurrent.load_state_dict(weights)
        self.output = cast("nn.Sequential", model.head)[1]

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Return (batch, classes) logits of right-padded (batch, steps) tokens."""
        packed = pack_padded_sequence(self.embedding(tokens), lengths, batch_first=True, enforce_sorted=False)
        _, final = self.recurrent(packed)
        hidden = final[0] if isinstance(final, tuple) else final
        logits: Tensor = self.output(torch.cat([hidden[0], hidden[1]], dim=1))
        return logits


def texts_of(count: int) -> list[np.ndarray]:
    """Return random texts of unequal lengths."""
    generator = np.random.default_rng(0)
    lengths = generator.lognormal(4.3, 0.8, count).clip(10, 500).astype(int)
    return [generator.integers(UNK + 1, VOCABULARY, length) for length in lengths]


def batched(rows: list[np.ndarray], budget: int) -> ExampleBatches[Examples]:
    """Return seqgen's batches of texts."""

    def collate(numbers: np.ndarray) -> Examples:
        tokens = torch.from_numpy(padded([rows[number] for number in numbers]))
        return Examples((tokens,), torch.from_numpy(numbers % CLASSES))

    return ExampleBatches(Buckets(np.array([len(row) for row in rows]), budget), collate)


def plain_passes(plain: nn.Module, rows: list[np.ndarray], device: torch.device) -> dict[str, Callable[[], None]]:
    """Return an epoch of training, and of classification, by the plain loop."""
    optimizer = torch.optim.AdamW(plain.parameters(), lr=1e-3)

    def once(learning: bool) -> None:
        plain.train(learning)
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            tokens, lengths = torch.from_numpy(padded(part)).to(device), torch.tensor([len(row) for row in part])
            logits = plain(tokens, lengths)
            if not learning:
                logits.softmax(dim=1).cpu()
                continue
            loss = nn.functional.cross_entropy(logits, torch.arange(start, start + len(part), device=device) % CLASSES)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
            optimizer.step()
            loss.item()

    def use() -> None:
        with torch.no_grad():
            once(learning=False)

    return {"train": lambda: once(learning=True), "use": use}


def training_pass(
    model: EncoderClassifier, rows: list[np.ndarray], budget: int, precision: Precision
) -> tuple[Callable[[], None], Calculation]:
    """Return an epoch of training by seqgen as in the recipe, and how it is calculated."""
    batches = batched(rows, budget)
    first = next(batches.starting_at(0)).to(next(model.parameters()).device)
    name = f"texts of {' x '.join(map(str, first.inputs[0].shape))} tokens"
    chosen = calculation(precision, name, model, first, right_answer)
    update = updates(model, batches.starting_at(0), optimizers(model, "adamw", 1e-3), chosen, right_answer)

    def train() -> None:
        for _ in range(batches.batches_per_epoch):
            update()

    return train, chosen


def pass_in_use(
    model: EncoderClassifier, rows: list[np.ndarray], budget: int, precision: Precision
) -> tuple[Callable[[], None], Calculation]:
    """Return the classification of all texts by seqgen, and how it is calculated."""
    parts: dict[str, Any] = {"tokenizer": ByteTokenizer(), "max_length": 500}  # not used: the texts are encoded
    used = TextClassifier(model=model.eval(), arguments={}, classes=["no", "yes"], precision=precision, **parts)
    with torch.inference_mode():
        inputs = [tensor.to(used.device) for tensor in next(used.batches(rows, budget))[1]]
        chosen = used.fastest(model, inputs, precision)

    def use() -> None:
        for _, logits in used.logits(rows, budget):
            logits.softmax(dim=1).cpu()

    return use, chosen


def compare(config: Config, device: torch.device) -> list[dict[str, Any]]:
    """Return a row for each network, for training and for classification."""
    rows = []
    texts = texts_of(config.texts)
    for cell, width, budget in product(config.cells, config.widths, config.batches):
        options = {"cell": cell, "hidden_size": width, "embedding_size": config.embedding_size}

        def build(options: dict[str, Any] = options) -> EncoderClassifier:
            torch.manual_seed(0)
            model = patterns.text_classifier(VOCABULARY, CLASSES, pooling="last", skip=False, dropout=0.0, **options)
            return model.to(device)

        plain = plain_passes(PlainClassifier(build(), cell), texts, device)
        for work, passed in {"train": training_pass, "use": pass_in_use}.items():
            ours = {precision: passed(build(), texts, budget, precision) for precision in precisions(device)}
            seconds = in_turns({"plain": plain[work]} | {name: call for name, (call, _) in ours.items()}, config.rounds)
            speeds = columns("texts/s", {name: len(texts) / taken for name, taken in seconds.items()}, ["plain", *OURS])
            network = {"cell": cell, "width": width, "batch": budget, "work": work}
            rows.append({**network, **speeds, "chosen": str(ours["auto"][1]), **ratios(seconds)})
    return rows


def main() -> None:
    """Measure, and print tables."""
    config = parse_options(Config, __doc__ or "")
    use_huge_pages()
    device, limits = begin(config)
    networks = compare(config, device)
    show(f"Bidirectional classifiers, {config.texts} texts of 10 to 500 tokens", networks)
    save(config.json, {"machine": limits, "networks": networks})


if __name__ == "__main__":
    run_main(main)
