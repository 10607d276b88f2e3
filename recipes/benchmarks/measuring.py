"""The method of the benchmarks: their options, all systems in turns in one process, medians, and tables."""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from seqgen.errors import InputError
from seqgen.hardware.precision import Precision, is_worth_trying
from seqgen.nn.cells import Cell
from seqgen.nn.decoder import RecurrentDecoder
from seqgen.options import new_parser, parse

VOCABULARY = 65  # of a character model of English
TORCH_LAYERS: dict[str, Callable[..., nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
OURS: tuple[Precision, ...] = "fp32", "bf16", "auto"  # the precisions of seqgen

Isa = Literal["avx2", "avx512", "native"]

C = TypeVar("C")


@dataclass(kw_only=True)
class Options:
    """The options that all benchmarks share."""

    cells: list[Cell] = field(default_factory=lambda: ["lstm", "gru", "rnn"])
    """kinds of recurrent cell"""
    layers: list[int] = field(default_factory=lambda: [1, 2])
    """numbers of recurrent layers"""
    widths: list[int] = field(default_factory=lambda: [128, 256, 512, 1024])
    """sizes of the hidden state"""
    batches: list[int] = field(default_factory=lambda: [1, 16, 128])
    """batch sizes: lanes of a training text, or texts generated at once"""
    embedding_size: int = 64
    """size of a token's embedding"""
    rounds: int = 5
    """measurements of each system, of which the median is taken"""
    device: str = "cpu"
    """cpu, cuda and so on"""
    isa: Isa = "native"
    """instructions that torch may use: avx2, avx512 (without bf16 arithmetic), or native for all that there are"""
    json: str | None = None
    """a file for the results as JSON"""

    def __post_init__(self) -> None:
        for name in ("cells", "layers", "widths", "batches", "rounds"):
            value = getattr(self, name)
            if not value or (name != "cells" and min(np.atleast_1d(value)) < 1):
                raise InputError(f"--{name} must be one or more numbers above 0, not {value}")


def parse_options(options_class: type[C], description: str) -> C:
    """Return the options of the command line."""
    parser = new_parser(description)
    parser.add_class_arguments(options_class)
    types = {each.name: each.type for each in fields(options_class)}  # type: ignore[arg-type]
    return options_class(**parse(parser, sys.argv[1:], types))


class Plain(nn.Module):
    """The usual model around `nn.LSTM`, with the same weights as a decoder of ours."""

    def __init__(self, decoder: RecurrentDecoder):
        super().__init__()
        layers = decoder.recurrent.stack
        self.embedding = nn.Embedding(*decoder.embedding.weight.shape)
        self.embedding.load_state_dict(decoder.embedding.state_dict())
        self.recurrent = TORCH_LAYERS[decoder.recurrent.cell](
            layers[0].input_size, layers[0].hidden_size, len(layers), batch_first=True
        )
        self.output = nn.Linear(layers[0].hidden_size, decoder.output.out_features)
        self.output.load_state_dict(decoder.output.state_dict())
        weights = {
            name.replace("_l0", f"_l{index}"): tensor
            for index, layer in enumerate(layers)
            for name, tensor in layer.state_dict().items()
        }
        self.recurrent.load_state_dict(weights)

    def forward(self, tokens: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Read (batch, steps) tokens; return (batch, steps, vocabulary) logits and torch's own state."""
        hidden, state = self.recurrent(self.embedding(tokens), state)
        return self.output(hidden), state


def in_turns(systems: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median seconds of a call of each system, measured in turns after one call to warm up."""
    for call in systems.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in systems}
    for _ in range(rounds):
        for name, call in systems.items():
            wait()
            began = time.perf_counter()
            call()
            wait()
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def wait() -> None:
    """Wait until the GPU has finished."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def precisions(device: torch.device) -> list[Precision]:
    """Return the precisions to measure: not bf16 where it is emulated, and a single step may take minutes."""
    return [precision for precision in OURS if precision != "bf16" or is_worth_trying(device)]


def columns(unit: str, figures: dict[str, float], systems: Sequence[str] = OURS) -> dict[str, float | None]:
    """Return a column for each system, of None for one that was not measured."""
    return {f"{system} {unit}": figures.get(system) for system in systems}


def ratios(seconds: dict[str, float], to: str = "plain") -> dict[str, float | None]:
    """Return how many times as fast as the plain loop each of seqgen's precisions is."""
    return columns("ratio", {name: seconds[to] / taken for name, taken in seconds.items()})


def show(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print rows of the same columns as a table."""
    columns = list(rows[0])
    cells = [[_text(row[column]) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    print(f"\n{title}\n")
    for line in [columns, *cells]:
        print("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return str(value)


def peak_memory() -> float:
    """Return the peak memory of this process in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where `ru_maxrss` includes the memory of the parent process
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def save(path: str | None, results: dict[str, Any]) -> None:
    """Write the results as JSON where a file was asked for."""
    if path is not None:
        Path(path).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
