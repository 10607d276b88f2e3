"""What several tests need: a text, an untrained generator, the recipes as modules, and what their runs leave."""

import importlib.util
import json
import sys
from pathlib import Path

import torch

from seqgen import patterns
from seqgen.data.images import Preprocessing
from seqgen.generation.config import GenerationConfig
from seqgen.inference.captioner import Captioner
from seqgen.inference.classifiers import ImageClassifier, TextClassifier
from seqgen.inference.conditional_generator import ConditionalGenerator
from seqgen.inference.encoder_decoder import searching
from seqgen.inference.generator import Generator
from seqgen.inference.tagger import Tagger
from seqgen.inference.translator import Translator
from seqgen.symbols import BOS, EOS, PAD, UNK
from seqgen.text.characters import CharacterTokenizer
from seqgen.text.words import LowercaseWordTokenizer

ROOT = Path(__file__).parents[1]
CELLS = ("lstm", "gru", "rnn")
TEXT = "the cat sat on the mat. the dog sat on the log.\n" * 40

SMALL = ["--hidden_size", 16, "--embedding_size", 8, "--batch_size", 4, "--window", 16, "--precision", "fp32"]


def make_generator(text=TEXT, cell="lstm", *, ends=False, **options):
    """An untrained generator with weights large enough that its choices differ."""
    tokenizer = CharacterTokenizer.fit([text])
    arguments = {"cell": cell, "hidden_size": 16, "embedding_size": 8, **options}
    torch.manual_seed(1)
    model = patterns.generator(tokenizer.vocab_size, **arguments)
    with torch.no_grad():
        model.output.weight.mul_(8)
    return Generator.of(model.eval(), tokenizer, arguments, ends=ends)


def make_text_classifier(**options):
    """An untrained classifier of texts."""
    tokenizer = CharacterTokenizer.fit([TEXT + "fine film dull"])
    arguments = {"hidden_size": 12, "embedding_size": 8, **options}
    torch.manual_seed(1)
    model = patterns.text_classifier(tokenizer.vocab_size, 3, **arguments).eval()
    return TextClassifier(model, arguments, ["bad", "fine", "odd"], tokenizer, 40)


def make_image_classifier():
    """An untrained classifier of images."""
    torch.manual_seed(1)
    return ImageClassifier(patterns.image_classifier(3).eval(), {}, ["blue", "green", "red"], Preprocessing(16))


def make_tagger(words=False):
    """An untrained tagger of characters, or of words."""
    torch.manual_seed(1)
    tokens = [TEXT.split()] if words else [TEXT + "x = 1"]
    tagger = Tagger.fit(tokens * 2, ["A", "B", "C"], {"hidden_size": 12, "embedding_size": 8, "spelling_size": 6})
    tagger.model.eval()
    return tagger


def make_translator(**options):
    """An untrained translator of characters, which ends its sentences early."""
    tokenizer = CharacterTokenizer.fit([TEXT.replace("\n", " ")])
    arguments = {"hidden_size": 16, "embedding_size": 8, **options}
    torch.manual_seed(1)
    model = patterns.translator(tokenizer.vocab_size, **arguments).eval()
    with torch.no_grad():
        model.output.weight.mul_(10)
        model.output.bias[EOS] += 1.5
    generation = GenerationConfig(
        do_sample=False,
        num_beams=4,
        min_new_tokens=3,
        max_new_tokens=12,
        suppress_tokens=(PAD, BOS, UNK),
        precision="fp32",
    )
    return Translator(model, arguments, tokenizer, generation, tokenizer, 50)


def make_captioner(**options):
    """An untrained captioner of words, which ends its captions early."""
    words = " ".join(f"w{number}" for number in range(30))
    tokenizer = LowercaseWordTokenizer.fit([f"{words} {words}"])
    arguments = {"image_size": 32, "memory_size": 16, "hidden_size": 16, "embedding_size": 8, **options}
    torch.manual_seed(1)
    model = patterns.captioner(tokenizer.vocab_size, **arguments).eval()
    with torch.no_grad():
        model.encoder.places.place.normal_()
        model.output.weight.mul_(10)
        model.output.bias[EOS] += 1.5
    generation = searching(tokenizer, 3, 1.0, 8).with_options(min_new_tokens=2, precision="fp32")
    return Captioner(model, arguments, tokenizer, generation, Preprocessing(32))


def make_conditional_generator(categories=("cat", "dog"), mean=(), deviation=()):
    """An untrained generator of characters to categories, or to numbers."""
    tokenizer = CharacterTokenizer.fit([TEXT.replace("\n", " ")])
    arguments = {"hidden_size": 16, "embedding_size": 8, "condition_size": 8}
    torch.manual_seed(1)
    model = patterns.conditional_generator(
        tokenizer.vocab_size, categories=len(categories), numbers=len(mean), **arguments
    ).eval()
    with torch.no_grad():
        model.output.weight.mul_(10)
    generation = GenerationConfig(max_new_tokens=12, suppress_tokens=(PAD, BOS, UNK), precision="fp32")
    return ConditionalGenerator(model, arguments, tokenizer, generation, list(categories), list(mean), list(deviation))


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
