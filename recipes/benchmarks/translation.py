"""The speed of translation: by beam search, by greedy search, and by the usual loop of one sentence at a time.

With --model and --source it measures a trained translator on a file; without them an untrained one of the usual size on
random sentences, with translations of the mean length of the sources.
"""

from seqgen.exits import run_main

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from machine import begin
from measuring import OURS, Options, columns, in_turns, parse_options, precisions, save, show
from torch import nn

from seqgen.data.text_file import TextFile
from seqgen.generation.config import GenerationConfig
from seqgen.generation.packed import PackedDecoder, packed
from seqgen.hardware.devices import use_huge_pages
from seqgen.inference.translator import Translator
from seqgen.nn.cells import Cell
from seqgen.symbols import BOS, EOS, PAD, UNK
from seqgen.text.words import WordTokenizer

WORDS = 6000


@dataclass(kw_only=True)
class Config(Options):
    """Options of the benchmark of translation."""

    cells: list[Cell] = field(default_factory=lambda: ["lstm"])
    """kinds of recurrent cell"""
    layers: list[int] = field(default_factory=lambda: [2])
    """numbers of recurrent layers of the decoder"""
    widths: list[int] = field(default_factory=lambda: [384])
    """sizes of the hidden state"""
    batches: list[int] = field(default_factory=lambda: [5])
    """numbers of beams"""
    embedding_size: int = 256
    """size of a token's embedding"""
    sentences: int = 1000
    """number of random sentences, of 5 to 25 words"""
    alone: int = 50
    """number of these for the loop of one sentence at a time"""
    model: str | None = None
    """a trained translator, instead of an untrained one"""
    source: str | None = None
    """with --model, a file of sentences"""


def untrained(config: Config, cell: str, layers: int, width: int) -> tuple[Translator, list[str]]:
    """Return an untrained translator, and random sentences."""
    generator = np.random.default_rng(0)
    lengths = generator.integers(5, 26, config.sentences)
    texts = [" ".join(f"w{number}" for number in generator.integers(0, WORDS, length)) for length in lengths]
    tokenizer = WordTokenizer.fit([" ".join(f"w{number} w{number}" for number in range(WORDS))])
    torch.manual_seed(0)
    generation = GenerationConfig(
        do_sample=False, min_new_tokens=15, max_new_tokens=15, suppress_tokens=(PAD, BOS, UNK)
    )
    sizes: dict[str, Any] = {"layers": layers, "hidden_size": width, "embedding_size": config.embedding_size}
    translator = Translator.untrained(source=tokenizer, target=tokenizer, generation=generation, cell=cell, **sizes)
    translator.model.eval()
    return translator, texts


@torch.no_grad()
def alone(translator: Translator, text: str, beams: int, longest: int, shortest: int) -> list[int]:
    """Return the tokens of the usual beam search: one sentence at a time, its beams as a batch, in fp32, not packed."""
    model = translator.model
    memory = model.encoder(torch.from_numpy(translator.encode(text))[None])
    rows = torch.zeros(beams, dtype=torch.long)
    memory, state = memory.select(rows), model.decoder.start(memory).select(rows)
    tokens, scores = torch.full((beams,), BOS), torch.tensor([0.0] + [-torch.inf] * (beams - 1))
    texts: list[list[int]] = [[] for _ in range(beams)]
    found: list[tuple[float, list[int]]] = []
    for length in range(1, longest + 1):
        logits, state = model.decoder.step(tokens, state, memory)
        logits[:, [PAD, BOS, UNK, *([EOS] if length <= shortest else [])]] = -torch.inf
        totals = scores[:, None] + logits.log_softmax(dim=1)
        scores, places = totals.flatten().topk(beams)
        parents, tokens = places // totals.shape[1], places % totals.shape[1]
        texts = [[*texts[parent], token] for parent, token in zip(parents.tolist(), tokens.tolist(), strict=True)]
        for beam in range(beams):
            if tokens[beam] == EOS or length == longest:
                found.append((float(scores[beam]) / length, texts[beam]))
                scores[beam] = -torch.inf
        if len(found) >= beams:
            break
        state = state.select(parents)
    return max(found)[1]


def compare(config: Config, translator: Translator, texts: list[str], beams: int) -> dict[str, Any]:
    """Return the sentences per second of each system."""
    few = texts[: config.alone]
    longest, shortest = translator.generation.max_new_tokens, translator.generation.min_new_tokens
    systems: dict[str, Callable[[], object]] = {
        "one at a time": lambda: [alone(translator, text, beams, longest, shortest) for text in few],
        "greedy": lambda: translator.translate(texts, num_beams=1, precision="auto"),
    }
    for precision in precisions(translator.device):
        systems[precision] = partial(translator.translate, texts, num_beams=beams, precision=precision)
    taken = in_turns(systems, config.rounds)
    counts = {name: len(few) if name == "one at a time" else len(texts) for name in systems}
    speeds = {name: counts[name] / seconds for name, seconds in taken.items()}
    encoder, decoder = chosen(translator, texts, beams)
    return {
        **columns("sentences/s", speeds, ["one at a time", *OURS, "greedy"]),
        "encoder": encoder,
        "decoder": decoder,
        **columns("ratio", {name: speed / speeds["one at a time"] for name, speed in speeds.items()}),
        "of greedy": speeds["auto"] / speeds["greedy"],
    }


@torch.inference_mode()
def chosen(translator: Translator, texts: list[str], beams: int) -> tuple[str, str]:
    """Return how the encoder and the decoder calculate by themselves, decided with the first batch."""
    rows = [translator.encode(text) for text in texts]
    numbers, inputs = next(translator.batches(rows, translator.budget(beams)))
    encoder, given = translator.model.encoder, [tensor.to(translator.device) for tensor in inputs]
    calculation = translator.fastest(cast("nn.Module", encoder), given, "auto")
    decoder = packed(translator.model.decoder, rows=len(numbers) * beams, memory=encoder(*given))
    return str(calculation), str(decoder.way) if isinstance(decoder, PackedDecoder) else "not packed"


def main() -> None:
    """Measure, and print a table."""
    config = parse_options(Config, __doc__ or "")
    use_huge_pages()
    device, limits = begin(config)
    rows = []
    for beams in config.batches:
        if config.model is not None:
            translator = Translator.from_pretrained(config.model).to(device)
            texts = [text for text in TextFile(Path(config.source or ""), config.source or "").lines() if text.strip()]
            rows.append({"model": config.model, "beams": beams, **compare(config, translator, texts, beams)})
            continue
        for cell in config.cells:
            for layers in config.layers:
                for width in config.widths:
                    translator, texts = untrained(config, cell, layers, width)
                    row = compare(config, translator, texts, beams)
                    rows.append({"cell": cell, "layers": layers, "width": width, "beams": beams, **row})
    show("Beam search", rows)
    save(config.json, {"machine": limits, "networks": rows})


if __name__ == "__main__":
    run_main(main)
