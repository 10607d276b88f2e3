"""The speed of generation, compared to the plain loop around torch's own layers.

The plain loop is a fair one: evaluation mode, no gradients, the state carried from one token to the next, in fp32.
seqgen chooses kernels and threads, and with "auto" the precision, too; with --onnx, columns have onnxruntime. The limit
is that of what "auto" chose: the time to read the packed weights once for all texts at the measured bandwidth of memory
or cache or, with many texts, that of the matrix products. A second table has the time of a token and the peak memory by
the length of the text.
"""

from seqgen.exits import run_main

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain, product
from multiprocessing import get_context
from typing import Any, cast

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

from seqgen import patterns
from seqgen.generation.config import GenerationConfig
from seqgen.generation.packed import PackedDecoder, packed
from seqgen.generation.sampling import sample
from seqgen.hardware.devices import find_device
from seqgen.hardware.precision import Precision
from seqgen.inference.generator import Generator
from seqgen.inference.onnx import Runtime, in_onnxruntime
from seqgen.nn.cells import Cell
from seqgen.nn.decoder import RecurrentDecoder
from seqgen.runtime.decoder import Decoder
from seqgen.runtime.sampling import sample as sample_exported
from seqgen.symbols import BOS, EOS, PAD, SYMBOLS, UNK
from seqgen.text.characters import CharacterTokenizer

TEMPERATURE = 0.8
RUNTIMES: tuple[Runtime, ...] = "onnx", "onnx-int8"


@dataclass(kw_only=True)
class Config(Options):
    """Options of the benchmark of generation."""

    tokens: int = 100
    """tokens of a text"""
    onnx: bool = False
    """also measure onnxruntime, with weights in fp32 and in int8; each network is exported first, in ten seconds"""


@torch.no_grad()
def write_plainly(plain: Plain, rows: int, tokens: int, device: torch.device) -> None:
    """Sample by the usual loop."""
    plain.eval()
    token, state = torch.full((rows, 1), BOS, device=device), None
    texts: list[list[int]] = []
    for _ in range(tokens):
        logits, state = plain(token, state)
        token = torch.multinomial((logits[:, -1] / TEMPERATURE).softmax(dim=-1), 1)
        texts.append(token.flatten().tolist())


def write(model: RecurrentDecoder, rows: int, tokens: int, device: torch.device, precision: Precision) -> None:
    """Sample by seqgen, the time of packing the weights included."""
    config = GenerationConfig(
        max_new_tokens=tokens, temperature=TEMPERATURE, suppress_tokens=(PAD, BOS, EOS, UNK), precision=precision
    )
    for _ in sample(model, [[BOS]] * rows, config, seeds=range(rows), device=device):
        pass


def write_exported(decoder: Decoder, rows: int, tokens: int) -> None:
    """Sample by seqgen's runtime without torch."""
    config = GenerationConfig(max_new_tokens=tokens, temperature=TEMPERATURE, suppress_tokens=(PAD, BOS, EOS, UNK))
    for _ in sample_exported(decoder, [[BOS]] * rows, config, seeds=range(rows), start=decoder.start(rows)):
        pass


@cache
def network(cell: Cell, layers: int, width: int, embedding_size: int, device: torch.device) -> Generator:
    """Return an untrained generator, once for all batch sizes."""
    characters = CharacterTokenizer.fit([*map(chr, range(ord("0"), ord("0") + VOCABULARY - len(SYMBOLS)))])
    sizes: dict[str, Any] = {"layers": layers, "hidden_size": width, "embedding_size": embedding_size}
    generator = Generator.untrained(tokenizer=characters, cell=cell, **sizes)
    generator.model.eval()
    return generator.to(device)


def compare(
    cell: Cell, layers: int, width: int, rows: int, config: Config, device: torch.device, limits: dict[str, Any]
) -> dict[str, Any]:
    """Return the speed of one network in all systems."""
    generator = network(cell, layers, width, config.embedding_size, device)
    model = cast("RecurrentDecoder", generator.model)
    plain = Plain(model).to(device)
    systems: dict[str, Callable[[], object]] = {"plain": lambda: write_plainly(plain, rows, config.tokens, device)}
    for precision in precisions(device):
        systems[precision] = partial(write, model, rows, config.tokens, device, precision)
    for runtime in RUNTIMES if config.onnx else ():
        decoder = in_onnxruntime(generator, runtime).decoder
        systems[runtime] = partial(write_exported, decoder, rows, config.tokens)
    seconds = in_turns(systems, config.rounds)
    rates = {name: rows * config.tokens / taken for name, taken in seconds.items()}
    chosen = packed(model, rows=rows)
    assert isinstance(chosen, PackedDecoder)
    # The embeddings are multiplied by the first layer's input weights in advance; all others are read for each token.
    first, *above = (layer.all_weights[0][:2] for layer in model.recurrent.stack)
    inside, output = sum(weight.numel() for weight in (first[1], *chain(*above))), model.output.weight.numel()
    bytes_read = chosen.dtype.itemsize * inside + 4 * output  # the output layer stays in fp32
    products = limits[f"{chosen.way.precision}_flops"] / (2 * (inside + output))
    limit = {
        place: min(rows * limits[f"{place}_bytes_per_second"] / bytes_read, products) for place in ("memory", "cache")
    }
    return {
        "cell": cell,
        "layers": layers,
        "width": width,
        "batch": rows,
        **columns("tokens/s", rates, ["plain", *OURS, *(RUNTIMES if config.onnx else ())]),
        "chosen": str(chosen.way),
        **ratios(seconds),
        **({f"{one} against auto": rates[one] / rates["auto"] for one in RUNTIMES} if config.onnx else {}),
        "auto of memory limit": rates["auto"] / limit["memory"],
        "auto of cache limit": rates["auto"] / limit["cache"],
    }


def growth(config: Config) -> list[dict[str, Any]]:
    """Return the time and memory of texts of growing length, each in a process of its own to measure its memory."""
    rows = []
    for length in (1_000, 4_000, 16_000):
        with get_context("spawn").Pool(1) as pool:
            rows.append({"tokens": f"{length:,}", **pool.apply(one_length, (length, config))})
    return rows


def one_length(length: int, config: Config) -> dict[str, Any]:
    """Generate one text; return the time of a token, and the peak memory."""
    device = find_device(config.device)
    model = patterns.generator(VOCABULARY, hidden_size=256).to(device).eval()
    [seconds] = in_turns({"text": lambda: write(model, 1, length, device, "auto")}, 1).values()
    return {"microseconds a token": seconds * 1e6 / length, "peak MiB": peak_memory()}


def main() -> None:
    """Measure, print the tables, and write the file."""
    config = parse_options(Config, __doc__ or "")
    device, limits = begin(config)
    networks = product(config.cells, config.layers, config.widths, config.batches)
    grid = [compare(*network, config, device, limits) for network in networks]
    show(f"Networks, texts of {config.tokens} tokens", grid)
    grown = growth(config)
    show("The time of a token by the length of the text: 1 x 256 LSTM, one text", grown)
    save(config.json, {"machine": limits, "networks": grid, "growth": grown})


if __name__ == "__main__":
    run_main(main)
