"""Data from which each recipe learns in seconds, as the options that name it."""

import numpy as np
import PIL.Image
from making import SMALL, TEXT

GOOD, BAD = ("a good film", "good and fine", "what a fine one"), ("a bad film", "bad and dull", "what a dull one")
GERMAN, ENGLISH = ("ein", "zwei", "drei", "vier", "fünf"), ("one", "two", "three", "four", "five")
COLOURS = {"red": (200, 0, 0), "green": (0, 200, 0), "blue": (0, 0, 200)}
WORDS = ["--hidden_size", 12, "--embedding_size", 8, "--batch_tokens", 200]


def text(folder):
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    (folder / "test.txt").write_text(TEXT[: len(TEXT) // 2], encoding="utf-8")
    return ["--data", folder / "text.txt", "--test", folder / "test.txt"]


def labelled(folder):
    rows = [
        f"{label}\t{text} {number}\n"
        for number in range(20)
        for label, three in (("pos", GOOD), ("neg", BAD))
        for text in three
    ]
    (folder / "data.tsv").write_text("".join(rows))
    return ["--data", folder / "data.tsv"]


def pictures(folder):
    generator = np.random.default_rng(0)
    for label, colour in (("red", (200, 30, 40)), ("blue", (30, 40, 200))):
        (folder / "pictures" / label).mkdir(parents=True)
        for number in range(20):
            noisy = generator.normal(colour, 20, (12, 10, 3)).clip(0, 255).astype(np.uint8)
            PIL.Image.fromarray(noisy).save(folder / "pictures" / label / f"{number}.png")
    return ["--data", folder / "pictures"]


def spans(folder):
    rows = []
    for number in range(40):
        who = ["Ann", "Bob", "Cleo"][number % 3]
        rows.append(f"{who} B-PER\nSmith{number} I-PER\nsaw O\nthe O\nriver{number} O\n")
    (folder / "spans.txt").write_text("\n".join(rows))
    return ["--data", folder / "spans.txt"]


def sentences(count=60):
    """Counting in two languages: each word has its own, so that it can be learned."""
    for number in range(count):
        places = [number % 5, number // 5 % 5, number // 25]
        yield " ".join(GERMAN[place] for place in places), " ".join(ENGLISH[place] for place in places)


def parallel(folder, rows=None):
    columns = zip(*(rows or sentences()), strict=True)
    for name, column in zip(("de", "en"), columns, strict=True):
        (folder / name).write_text("".join(text + "\n" for text in column), encoding="utf-8")
    return ["--source", folder / "de", "--target", folder / "en"]


def captioned(folder):
    """Plain colours, and what they are called."""
    photographs = folder / "photographs"
    photographs.mkdir()
    generator = np.random.default_rng(0)
    rows = ["image,caption"]
    for number in range(60):
        name = list(COLOURS)[number % 3]
        pixels = np.array(COLOURS[name]) + generator.integers(0, 50, (40, 32, 3))
        PIL.Image.fromarray(pixels.astype(np.uint8)).save(photographs / f"{number}.png")
        rows += [f"{number}.png,A {name} picture.", f"{number}.png,It is {name}!"]
    (folder / "captions.csv").write_text("\n".join(rows) + "\n")
    data = ["--data", photographs, "--captions", folder / "captions.csv"]
    return [*data, "--backbone", "small", "--image_size", 32]


def words(folder):
    """Words of one letter or another."""
    rows = [f"{letter}\t{letter * (1 + number % 7)}{'xyz'[number % 3]}" for number in range(60) for letter in "ab"]
    (folder / "words.tsv").write_text("label\ttext\n" + "\n".join(rows) + "\n")
    return ["--data", folder / "words.tsv"]


OPTIONS = {
    "char_generator": (text, [*SMALL, "--dropout", 0.2, "--layers", 2]),
    "text_classifier": (labelled, [*WORDS, "--dropout", 0.1, "--word_dropout", 0.1, "--embedding_dropout", 0]),
    "image_classifier": (pictures, ["--batch_size", 8, "--width", 4]),
    "tagger": (spans, [*WORDS, "--spelling_size", 6, "--dropout", 0.1]),
    "translator": (parallel, [*WORDS[:4], "--tokenizer", "word", "--batch_tokens", 400, "--max_length", 30]),
    "image_captioner": (
        captioned,
        [*WORDS[:4], "--memory_size", 16, "--batch_tokens", 300, "--mirror", "true", "--self_critical", 0.4],
    ),
    "name_generator": (words, [*WORDS[:4], "--condition_size", 8, "--batch_tokens", 200]),
}


def small_options(name, folder):
    """Make the data of a recipe in a folder, and return the options for a small model of it."""
    make, options = OPTIONS[name]
    return [*make(folder), *options, "--precision", "fp32", "--optimizer", "adamw"]
