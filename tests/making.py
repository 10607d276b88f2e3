"""What several tests need: a text, an untrained generator, the recipes as modules, and what their runs leave."""

import importlib.util
import json
import sys
from pathlib import Path

import torch

from seqgen.data.images import Preprocessing
from seqgen.generation.config import GenerationConfig
from seqgen.inference.captioner import Captioner
from seqgen.inference.classifiers import ImageClassifier, TextClassifier
from seqgen.inference.conditional_generator import ConditionalGenerator
from seqgen.inference.generator import Generator
from seqgen.inference.tagger import Tagger
from seqgen.inference.translator import Translator
from seqgen.state import State
from seqgen.symbols import BOS, EOS, PAD, UNK
from seqgen.tasks.encoder_decoder import search_options
from seqgen.text.characters import CharacterTokenizer
from seqgen.text.words import LowercaseWordTokenizer

ROOT = Path(__file__).parents[1]
CELLS = ("lstm", "gru", "rnn")
RECIPES = (
    "char_generator",
    "text_classifier",
    "image_classifier",
    "tagger",
    "translator",
    "image_captioner",
    "name_generator",
)
TEXT = "the cat sat on the mat. the dog sat on the log.\n" * 40

RUN_FILES = {
    ".lock",
    "config.yaml",
    "resolved.yaml",
    "metrics.jsonl",
    "curves.png",
    "results.json",
    "report.md",
    "report.html",
    "model",
    "state",
}
SMALL = ["--hidden_size", 16, "--embedding_size", 8, "--batch_size", 4, "--window", 16, "--precision", "fp32"]


def make_generator(text=TEXT, cell="lstm", *, ends=False, **options):
    """An untrained generator with weights large enough that its choices differ."""
    torch.manual_seed(1)
    arguments = {"cell": cell, "hidden_size": 16, "embedding_size": 8, **options}
    generator = Generator.untrained(tokenizer=CharacterTokenizer.fit([text]), ends=ends, **arguments)
    return sharpened(generator)


def sharpened(bundle, factor=8, ending=0.0):
    """The bundle in evaluation mode, with an output layer whose choices differ and that ends texts early."""
    output = bundle.model.eval().output
    with torch.no_grad():
        output.weight.mul_(factor)
        output.bias[EOS] += ending
    return bundle


def make_text_classifier(**options):
    """An untrained classifier of texts."""
    torch.manual_seed(1)
    tokenizer = CharacterTokenizer.fit([TEXT + "fine film dull"])
    arguments = {"hidden_size": 12, "embedding_size": 8, **options}
    parts = {"classes": ["bad", "fine", "odd"], "tokenizer": tokenizer, "max_length": 40}
    classifier = TextClassifier.untrained(**parts, **arguments)
    classifier.model.eval()
    return classifier


def make_image_classifier():
    """An untrained classifier of images."""
    torch.manual_seed(1)
    classifier = ImageClassifier.untrained(classes=["blue", "green", "red"], preprocessing=Preprocessing(16), width=4)
    classifier.model.eval()
    return classifier


def make_tagger(words=False):
    """An untrained tagger of characters, or of words."""
    torch.manual_seed(1)
    tokens = [TEXT.split()] if words else [TEXT + "x = 1"]
    tagger = Tagger.fit(tokens * 2, ["A", "B", "C"], hidden_size=12, embedding_size=8, spelling_size=6)
    tagger.model.eval()
    return tagger


def make_translator(**options):
    """An untrained translator of characters, which ends its sentences early."""
    torch.manual_seed(1)
    tokenizer = CharacterTokenizer.fit([TEXT.replace("\n", " ")])
    generation = GenerationConfig(
        do_sample=False,
        num_beams=4,
        min_new_tokens=3,
        max_new_tokens=12,
        suppress_tokens=(PAD, BOS, UNK),
        precision="fp32",
    )
    parts = {"source": tokenizer, "target": tokenizer, "generation": generation, "max_length": 50}
    arguments = {"hidden_size": 16, "embedding_size": 8, **options}
    return sharpened(Translator.untrained(**parts, **arguments), 10, 1.5)


def make_captioner(**options):
    """An untrained captioner of words, which ends its captions early."""
    torch.manual_seed(1)
    words = " ".join(f"w{number}" for number in range(30))
    tokenizer = LowercaseWordTokenizer.fit([f"{words} {words}"])
    generation = search_options(tokenizer, 3, 1.0, 8).with_options(min_new_tokens=2, precision="fp32")
    parts = {"target": tokenizer, "generation": generation, "preprocessing": Preprocessing(32)}
    arguments = {"memory_size": 16, "hidden_size": 16, "embedding_size": 8, **options}
    captioner = Captioner.untrained(**parts, **arguments)
    with torch.no_grad():
        captioner.model.encoder.places.place.normal_()
    return sharpened(captioner, 10, 1.5)


def make_conditional_generator(categories=("cat", "dog"), mean=(), deviation=()):
    """An untrained generator of characters for categories, or for numbers."""
    torch.manual_seed(1)
    tokenizer = CharacterTokenizer.fit([TEXT.replace("\n", " ")])
    generation = GenerationConfig(max_new_tokens=12, suppress_tokens=(PAD, BOS, UNK), precision="fp32")
    conditions = {"categories": list(categories), "mean": list(mean), "deviation": list(deviation)}
    arguments = {"hidden_size": 16, "embedding_size": 8, "condition_size": 8}
    parts = {"target": tokenizer, "generation": generation, **conditions}
    return sharpened(ConditionalGenerator.untrained(**parts, **arguments), 10)


def load_recipe(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "recipes" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def results_of(directory):
    return json.loads((directory / "results.json").read_text())


def weights_of(directory):
    return (directory / "model" / "model.safetensors").read_bytes()


MADE = {
    "generator": make_generator,
    "text_classifier": make_text_classifier,
    "image_classifier": make_image_classifier,
    "tagger": lambda: make_tagger(words=True),
    "translator": make_translator,
    "captioner": make_captioner,
    "conditional_generator": make_conditional_generator,
}


class Chain:
    """A Markov chain for torch's search."""

    def __init__(self, table):
        self.table = torch.from_numpy(table)

    def start(self, memory=None, *, batch_size=None):
        return State(torch.zeros(1, batch_size, 1))

    def step(self, tokens, state, memory=None):
        return self.table[tokens], state
