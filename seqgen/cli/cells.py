"""`seqgen cells`: what the cells of a generator follow while it reads a text, as a table and as a page."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from seqgen.cli.inputs import open_model
from seqgen.cli.trained import as_trained, trained_options
from seqgen.data.corpus import Corpus
from seqgen.errors import InputError
from seqgen.figures.cells import cells_page
from seqgen.files import write_text
from seqgen.inference.activations import count_cells
from seqgen.inference.generator import Generator
from seqgen.metrics.followed import Followed, followed_properties
from seqgen.metrics.text_properties import text_properties
from seqgen.symbols import EOS

MOST_TOKENS, MOST_VALUES = 20_000, 1 << 24  # of a table, and of its tokens times the cells
SAMPLE = 10_000  # characters that tell how many a token has
LEAST_CHARACTERS, MOST_CHARACTERS = 1_000, 80_000  # of the end of the data, which validation, too, takes of it
WRITTEN = 4_000  # tokens that the model writes where there is no other text
ROW = "{:<26}{:<12}{:>5}{:>6}  {:<8}{:>6}{:>7}{:>11}{:>13}"


def cells(options: dict[str, Any]) -> None:
    """Print a table of the cells that follow properties of a text, and write the page of the text and its cells."""
    generator: Generator = open_model(options, "activations", "show its cells")
    text, note = _text(generator, options)
    print(f"reading {note}", file=sys.stderr)
    read = generator.activations(text, unseen=options["unseen"] or ("replace" if options["text"] is None else "error"))
    properties = text_properties(read.tokens)
    followed = followed_properties(read.tokens, read.cells, properties)
    _show(followed, options["json"])
    directory = Path(options["directory"])
    path = Path(options["output"] or (directory if (directory / "model").is_dir() else Path()) / "cells.html")
    title = f"Cells of {directory.resolve().name}"
    write_text(path, cells_page(title, f"The text is {note}.", read, properties, followed))
    print(f"the text, coloured by any cell, is in {path}: open it in a browser", file=sys.stderr)


def _text(generator: Generator, options: dict[str, Any]) -> tuple[str, str]:
    """Return the text to read, and what it is: a given one, the end of the model's data, or what the model writes."""
    if options["text"] is not None:
        corpus = Corpus.find(options["text"], as_trained(options)["encoding"])
        return _fitting(generator, _beginning(corpus.blocks())), f"the beginning of {options['text']}"
    trained = trained_options(options["directory"])
    valid = trained.get("valid")
    data = valid or trained.get("data")
    if data not in (None, "-"):
        try:
            text = _end(Corpus.find(str(data), as_trained(options)["encoding"], "valid" if valid else "train"))
        except InputError as error:
            print(f"the model's own data cannot be taken: {error}", file=sys.stderr)
        else:
            held_back = ", held back from training" if valid or trained.get("documents") == "none" else ""
            return _fitting(generator, text), f"the end of the model's own data, {data}{held_back}"
    return _fitting(generator, _written(generator)), "a text that the model wrote itself (--text reads another)"


def _beginning(blocks: Iterable[str]) -> str:
    text = ""
    for block in blocks:
        text += block
        if len(text) >= MOST_CHARACTERS:
            break
    return text


def _end(corpus: Corpus) -> str:
    """Return the end of a corpus, at most a tenth: the last files, as many as are whole, or else lines of the last."""
    most = min(MOST_CHARACTERS, sum(file.path.stat().st_size for file in corpus.text_files) // 10)
    text = tail = ""
    for file in reversed(corpus.text_files):
        tail = ""
        for block in file.blocks():
            tail = (tail + block)[-most - 1 :]
        if len(tail) + len(text) > most:
            break
        text = tail + text
    text = text or tail.partition("\n")[2] or tail
    if len(text) < LEAST_CHARACTERS:
        raise InputError(f"their last tenth must have at least {LEAST_CHARACTERS:,} characters, but it has {len(text)}")
    return text


def _written(generator: Generator) -> str:
    ends = EOS not in generator.generation.suppress_tokens
    texts = 64 if ends else 1
    options: dict[str, Any] = {"num_return_sequences": texts, "max_new_tokens": WRITTEN // texts}
    return "\n".join(generator.generate(seed=1, temperature=0.8, **options))


def _fitting(generator: Generator, text: str) -> str:
    """Return the beginning of a text whose activations fit the memory and take seconds."""
    sample = text[:SAMPLE]
    most = min(MOST_TOKENS, MOST_VALUES // count_cells(generator.model, generator.device))
    return text[: most * len(sample) // max(1, len(generator.tokenizer.encode(sample)))]


def _show(followed: list[Followed], json_lines: bool) -> None:
    if json_lines:
        for one in followed:
            print(json.dumps(one._asdict()))
        return
    print(
        "AUC: 0.5 is chance, 1 a cell that orders all tokens as the property does; null: the best that such a search\n"
        "finds where there is nothing, its mean and 95 % quantile; token alone: what the last token tells by itself",
        file=sys.stderr,
    )
    print(ROW.format("property", "", "layer", "cell", "", "AUC", "null", "null, 95 %", "token alone"))
    for one in followed:
        figures = (f"{figure:.3f}" for figure in (one.auc, one.null_mean, one.null_high, one.current_token))
        print(ROW.format(one.property, one.kind, one.layer, one.cell, one.direction(), *figures))
