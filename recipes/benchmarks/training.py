"""The speed of training, compared to the plain loop around torch's own layers.

All take turns in one process. One table has usual updates: of the plain loop in fp32 with AdamW, and of seqgen with
AdamW and with Muon, in the precision and with the threads that a run would choose, with the time that the optimizers
take of them. Another has many networks, all with AdamW, and the last one has the time of an update by the size of the
text, the window, the hidden state and the batch.
"""

from seqgen.exits import run_main

from dataclasses import dataclass
from functools import partial
from itertools import product, repeat
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from machine import begin
from measuring import (
    OURS,
    VOCABULARY,
    Options,
    Plain,
    columns,
    in_turns,
    parse_options,
    peak_memory,
    precisions,
    ratios,
    save,
    show,
)
from updates import calculation, generator, plain_update, updates, window
from usual import usual_updates

from seqgen import patterns
from seqgen.batches.stream import Stream
from seqgen.hardware.devices import find_device, use_huge_pages
from seqgen.nn.cells import Cell
from seqgen.training.losses import next_token
from seqgen.training.optimizers import optimizers


@dataclass(kw_only=True)
class Config(Options):
    """Options of the benchmark of training."""

    window: int = 64
    """tokens of an update, in each row"""


def compare(
    cell: Cell, layers: int, width: int, rows: int, config: Config, device: torch.device, limits: dict[str, Any]
) -> dict[str, Any]:
    """Return the speed of one network in all systems, with AdamW."""
    sizes: dict[str, Any] = {"layers": layers, "hidden_size": width, "embedding_size": config.embedding_size}
    build, batch = partial(generator, device, cell=cell, **sizes), window(rows, config.window, device)
    systems = {"plain": plain_update(Plain(build()).to(device), batch)}
    chosen = {}
    for precision in precisions(device):
        model = build()
        name = f"{layers} x {width} {cell}, {rows} x {config.window} tokens"
        chosen[precision] = calculation(precision, name, model, batch, next_token)
        systems[precision] = updates(model, repeat(batch), optimizers(model, "adamw"), chosen[precision], next_token)
    seconds = in_turns(systems, config.rounds)
    # A product of (m, k) and (k, n) is 2 m k n operations; the backward pass has two for each of the forward pass.
    matrices = (
        sum(weight.numel() for weight in build().parameters() if weight.ndim == 2) - VOCABULARY * config.embedding_size
    )
    rates = {name: 6 * rows * config.window * matrices / seconds[name] for name in chosen}
    return {
        "cell": cell,
        "layers": layers,
        "width": width,
        "batch": rows,
        **columns("ms", {name: taken * 1e3 for name, taken in seconds.items()}, ["plain", *OURS]),
        "chosen": str(chosen["auto"]),
        **ratios(seconds),
        "auto tokens/s": rows * config.window / seconds["auto"],
        **columns("of limit", {name: rates[name] / limits[f"{chosen[name].precision}_flops"] for name in chosen}),
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
        name = f"1 x {sizes['width']} LSTM, {sizes['batch']} x {sizes['window']} tokens"
        chosen = calculation("auto", name, model, next(stream.starting_at(0)).to(device), next_token)
        update = updates(model, stream.starting_at(0), optimizers(model, "adamw"), chosen, next_token)
        [seconds] = in_turns({"update": update}, 3 * config.rounds).values()
    microseconds = seconds * 1e6 / (sizes["batch"] * sizes["window"])
    return {
        "ms a step": seconds * 1e3,
        "chosen": str(chosen),
        "microseconds a token": microseconds,
        "peak MiB": peak_memory(),
    }


def main() -> None:
    """Measure, print the tables, and write the file."""
    config = parse_options(Config, __doc__ or "")
    use_huge_pages()
    device, limits = begin(config)
    usual = usual_updates(config.window, config.rounds, device)
    show("Usual updates", usual)
    networks = product(config.cells, config.layers, config.widths, config.batches)
    grid = [compare(*network, config, device, limits) for network in networks]
    show(f"Networks, {config.window} tokens a row", grid)
    grown = growth(config)
    show("The time of an update as one size grows", grown)
    save(config.json, {"machine": limits, "usual": usual, "networks": grid, "growth": grown})


if __name__ == "__main__":
    run_main(main)
