"""Recurrent sequence models: the same few parts write, classify, tag, caption and translate.

The names below are loaded when they are first used, so that importing the package costs next to nothing.
"""

import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqgen.batches.buckets import Buckets
    from seqgen.batches.documents import Documents
    from seqgen.batches.examples import ExampleBatches, Examples
    from seqgen.batches.pairs import Pairs, pairs
    from seqgen.batches.stream import Stream
    from seqgen.batches.windows import padded
    from seqgen.errors import InputError
    from seqgen.inference.bundle import load
    from seqgen.inference.captioner import Captioner
    from seqgen.inference.classifiers import ImageClassifier, TextClassifier
    from seqgen.inference.conditional_generator import ConditionalGenerator
    from seqgen.inference.generator import Generator
    from seqgen.inference.tagger import Tagger
    from seqgen.inference.translator import Translator
    from seqgen.models import EncoderClassifier, EncoderDecoder, EncoderTagger
    from seqgen.nn.attention import Attention
    from seqgen.nn.bridge import Bridge
    from seqgen.nn.decoder import RecurrentDecoder
    from seqgen.nn.embedding import ScaledEmbedding
    from seqgen.nn.encoders import SequenceEncoder, VectorEncoder
    from seqgen.nn.image_encoder import ImageEncoder, Places
    from seqgen.nn.pooling import Attentive, Last, Max, Mean
    from seqgen.nn.recurrent import Recurrent
    from seqgen.patterns import (
        captioner,
        conditional_generator,
        generator,
        image_classifier,
        tagger,
        text_classifier,
        translator,
    )
    from seqgen.state import Memory, State
    from seqgen.text.bytes import ByteTokenizer
    from seqgen.text.characters import CharacterTokenizer
    from seqgen.text.subwords import SubwordTokenizer
    from seqgen.text.words import LowercaseWordTokenizer, WordTokenizer
    from seqgen.training.loop import train_steps
    from seqgen.training.losses import Loss, evaluate, next_token, right_answer, target_tokens
    from seqgen.training.optimizers import optimizers
    from seqgen.training.schedules import Schedule

__version__ = "0.1.0"

_HOMES = {
    "Attention": "seqgen.nn.attention",
    "Attentive": "seqgen.nn.pooling",
    "Bridge": "seqgen.nn.bridge",
    "Buckets": "seqgen.batches.buckets",
    "ByteTokenizer": "seqgen.text.bytes",
    "Captioner": "seqgen.inference.captioner",
    "CharacterTokenizer": "seqgen.text.characters",
    "EncoderClassifier": "seqgen.models",
    "ConditionalGenerator": "seqgen.inference.conditional_generator",
    "Documents": "seqgen.batches.documents",
    "EncoderDecoder": "seqgen.models",
    "ExampleBatches": "seqgen.batches.examples",
    "Examples": "seqgen.batches.examples",
    "ImageClassifier": "seqgen.inference.classifiers",
    "ImageEncoder": "seqgen.nn.image_encoder",
    "InputError": "seqgen.errors",
    "Last": "seqgen.nn.pooling",
    "Loss": "seqgen.training.losses",
    "LowercaseWordTokenizer": "seqgen.text.words",
    "Max": "seqgen.nn.pooling",
    "Mean": "seqgen.nn.pooling",
    "Memory": "seqgen.state",
    "Pairs": "seqgen.batches.pairs",
    "Places": "seqgen.nn.image_encoder",
    "Recurrent": "seqgen.nn.recurrent",
    "RecurrentDecoder": "seqgen.nn.decoder",
    "ScaledEmbedding": "seqgen.nn.embedding",
    "Schedule": "seqgen.training.schedules",
    "SequenceEncoder": "seqgen.nn.encoders",
    "State": "seqgen.state",
    "Stream": "seqgen.batches.stream",
    "SubwordTokenizer": "seqgen.text.subwords",
    "EncoderTagger": "seqgen.models",
    "TextClassifier": "seqgen.inference.classifiers",
    "Tagger": "seqgen.inference.tagger",
    "Translator": "seqgen.inference.translator",
    "VectorEncoder": "seqgen.nn.encoders",
    "WordTokenizer": "seqgen.text.words",
    "Generator": "seqgen.inference.generator",
    "captioner": "seqgen.patterns",
    "conditional_generator": "seqgen.patterns",
    "evaluate": "seqgen.training.losses",
    "generator": "seqgen.patterns",
    "image_classifier": "seqgen.patterns",
    "load": "seqgen.inference.bundle",
    "next_token": "seqgen.training.losses",
    "optimizers": "seqgen.training.optimizers",
    "padded": "seqgen.batches.windows",
    "pairs": "seqgen.batches.pairs",
    "right_answer": "seqgen.training.losses",
    "tagger": "seqgen.patterns",
    "target_tokens": "seqgen.training.losses",
    "text_classifier": "seqgen.patterns",
    "train_steps": "seqgen.training.loop",
    "translator": "seqgen.patterns",
}

__all__ = [
    "Attention",
    "Attentive",
    "Bridge",
    "Buckets",
    "ByteTokenizer",
    "Captioner",
    "CharacterTokenizer",
    "ConditionalGenerator",
    "Documents",
    "EncoderClassifier",
    "EncoderDecoder",
    "EncoderTagger",
    "ExampleBatches",
    "Examples",
    "Generator",
    "ImageClassifier",
    "ImageEncoder",
    "InputError",
    "Last",
    "Loss",
    "LowercaseWordTokenizer",
    "Max",
    "Mean",
    "Memory",
    "Pairs",
    "Places",
    "Recurrent",
    "RecurrentDecoder",
    "ScaledEmbedding",
    "Schedule",
    "SequenceEncoder",
    "State",
    "Stream",
    "SubwordTokenizer",
    "Tagger",
    "TextClassifier",
    "Translator",
    "VectorEncoder",
    "WordTokenizer",
    "captioner",
    "conditional_generator",
    "evaluate",
    "generator",
    "image_classifier",
    "load",
    "next_token",
    "optimizers",
    "padded",
    "pairs",
    "right_answer",
    "tagger",
    "target_tokens",
    "text_classifier",
    "train_steps",
    "translator",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return pkgutil.resolve_name(f"{_HOMES[name]}:{name}")


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
