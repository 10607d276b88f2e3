"""The speed of training, compared to the plain loop around torch's own layers.

Both take turns in one process: the plain loop in fp32 with AdamW, and seqgen in fp32 and bf16 with AdamW and with Muon.
A second table has the time of an update by the size of the text, the window, the hidden state and the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from measuring import (
    VOCABULARY,
    Options,
    Plain,
    in_turns,
    machine,
    parse_options,
    peak_memory,
    save,
    show,
    show_machine,
)
from torch import nn

from seqgen import patterns
from seqgen.batches.stream import Stream
from seqgen.batches.windows import Batch
from seqgen.errors import run_main
from seqgen.hardware.devices import find_device, use_huge_pages
from seqgen.hardware.precision import has_bf16
from seqgen.nn.cells import Cell
from seqgen.training.loop import train_steps
from seqgen.training.optimizers import optimizers
from seqgen.training.schedules import Schedule


@dataclass(kw_only=True)
class Config(Options):
    """Options of the benchmark of training."""

    window: int = 64
    """tokens of an update, in each row"""


def plain_step(plain: nn.Module, batch: Batch) -> Callable[[], None]:
    """Return an update of the usual loop: fp32, carried state, AdamW, gradient clipping, the loss read each time."""
    optimizer = torch.optim.AdamW(plain.parameters(), lr=1e-3)
    state: Any = None

    def step() -> None:
        nonlocal state
        logits, state = plain(batch.inputs, state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
        optimizer.step()
        loss.item()
        state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()

    return step


def our_step(model: nn.Module, batch: Batch, optimizer: str, precision: str) -> Callable[[], None]:
    """Return an update of seqgen's loop, always with the same batch."""
    device = next(model.parameters()).device
    kept = batch._replace(starts=False)
    schedule = Schedule(max_steps=10**9, decay="none")
    steps = train_steps(model, iter(lambda: kept, None), optimizers(model, optimizer), schedule)

    def step() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            next(steps)

    return step


def compare(
    cell: Cell, layers: int, width: int, rows: int, config: Config, limits: dict[str, Any], optimizer: str = "adamw"
) -> dict[str, Any]:
    """Return the speed of one network in all systems."""
    device = find_device(config.device)
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(4, VOCABULARY, (rows, config.window + 1), generator=generator)
    batch = Batch(tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous(), starts=True).to(device)

    def model() -> Any:
        torch.manual_seed(0)
        return patterns.generator(
            VOCABULARY, cell=cell, layers=layers, hidden_size=width, embedding_size=config.embedding_size
        ).to(device)

    systems: dict[str, Callable[[], object]] = {"plain": plain_step(Plain(model()).to(device), batch)}
    precisions = ("fp32", "bf16") if has_bf16(device) else ("fp32",)
    for precision in precisions:
        systems[precision] = our_step(model(), batch, optimizer, precision)
    seconds = in_turns(systems, config.rounds)
    # A product of (m, k) and (k, n) is 2 m k n operations; the backward pass has two for each of the forward pass.
    matrices = (
        sum(weight.numel() for weight in model().parameters() if weight.ndim == 2) - VOCABULARY * config.embedding_size
    )
    operations = 6 * rows * config.window * matrices
    return {
        "cell": cell,
        "layers": layers,
        "width": width,
        "batch": rows,
        "optimizer": optimizer,
        **{f"{name} ms": taken * 1e3 for name, taken in seconds.items()},
        **{f"{name} ratio": seconds["plain"] / seconds[name] for name in precisions},
        **{f"{name} tokens/s": rows * config.window / seconds[name] for name in precisions},
        **{f"fraction of {name} limit": operations / seconds[name] / limits[f"{name}_flops"] for name in precisions},
    }


def growth(config: Config) -> list[dict[str, Any]]:
    """Return the time and memory of an update as one size grows, each in a process of its own to measure its memory."""
    usual = {"text": 10**6, "window": 64, "width": 256, "batch": 32}
    larger = {
        "text": [10**6, 10**7, 10**8],
        "window": [32, 64, 128, 256],
        "width": [128, 256, 512, 1024],
        "batch": [16, 32, 64, 128],
    }
    rows = []
    for name, values in larger.items():
        for value in values:
            with get_context("spawn").Pool(1) as pool:
                figures = pool.apply(one_size, (usual | {name: value}, config))
            rows.append({"what grows": name, "to": f"{value:,}", **figures})
    return rows


def one_size(sizes: dict[str, int], config: Config) -> dict[str, Any]:
    """Train on a memory-mapped text of random characters; return the time of an update, and the peak memory."""
    use_huge_pages()
    device = find_device(config.device)
    model = patterns.generator(VOCABULARY, hidden_size=sizes["width"], embedding_size=config.embedding_size).to(device)
    with TemporaryDirectory() as directory:
        path = Path(directory) / "tokens"
        with path.open("wb") as file:
            for _ in range(sizes["text"] // 10**6):
                file.write(np.random.default_rng(0).integers(4, VOCABULARY, 10**6, dtype=np.uint8).tobytes())
        stream = Stream(np.memmap(path, dtype=np.uint8, mode="r"), sizes["batch"], sizes["window"])
        schedule = Schedule(max_steps=10**9, decay="none")
        steps = train_steps(model, stream.starting_at(0), optimizers(model, "adamw"), schedule)
        with torch.autocast(device.type, torch.bfloat16):
            [seconds] = in_turns({"step": lambda: next(steps)}, 3 * config.rounds).values()
        tokens = sizes["batch"] * sizes["window"]
        return {"ms a step": seconds * 1e3, "microseconds a token": seconds * 1e6 / tokens, "peak MiB": peak_memory()}


def main() -> None:
    """Measure, print the tables, and write the file."""
    config = parse_options(Config, __doc__ or "")
    use_huge_pages()
    limits = machine(find_device(config.device))
    show_machine(limits)
    usual = [compare("lstm", 1, 512, 32, config, limits, optimizer) for optimizer in ("adamw", "muon")]
    show("A usual update: 1 x 512 LSTM, batch 32", usual)
    networks = product(config.cells, config.layers, config.widths, config.batches)
    grid = [compare(*network, config, limits) for network in networks]
    show(f"Networks, {config.window} tokens a row", grid)
    grown = growth(config)
    show("The time of an update as one size grows", grown)
    save(config.json, {"machine": limits, "usual": usual, "networks": grid, "growth": grown})


if __name__ == "__main__":
    run_main(main)
