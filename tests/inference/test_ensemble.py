import itertools

import numpy as np
import PIL.Image
import pytest
import torch
from making import (
    MADE,
    TEXT,
    make_captioner,
    make_conditional_generator,
    make_generator,
    make_tagger,
    make_text_classifier,
    make_translator,
)

import seqgen
from seqgen.errors import InputError
from seqgen.generation.config import GenerationConfig
from seqgen.generation.ensemble import DecoderEnsemble, pooled
from seqgen.ngram import NGram
from seqgen.symbols import BOS, EOS
from seqgen.testing import check_decoder

PIXELS = [PIL.Image.fromarray(np.random.default_rng(n).integers(0, 255, (40, 30, 3), np.uint8)) for n in range(3)]
GIVEN = {
    "generator": ["the cat ", "a dog sat on the log and on the mat", ""],
    "text_classifier": ["fine film", "dull", "the cat sat on the mat"],
    "image_classifier": PIXELS,
    "tagger": ["the cat", "sat on the mat"],
    "translator": ["the cat", "a dog sat on the log", "mat"],
    "captioner": PIXELS,
    "conditional_generator": ["cat", "dog", "cat"],
}
SEARCHES = [
    {"do_sample": False},
    {"do_sample": False, "num_beams": 4, "num_return_sequences": 2},
    {"do_sample": True, "seed": 5, "top_p": 0.9, "temperature": 0.8},
]


def answers(bundle, given, search):
    """What a model answers, with all its numbers."""
    fp32 = search | {"precision": "fp32"}
    if bundle.builder == "generator":
        scores = [bundle.score(text) for text in given if text]
        return bundle.generate(given, max_new_tokens=25, **fp32), scores
    if bundle.builder == "translator":
        return bundle.translate(given, **fp32), bundle.score(given, given)
    if bundle.builder == "captioner":
        return bundle.caption(given, **fp32), bundle.score(given, ["w1 w2"] * len(given))
    if bundle.builder == "conditional_generator":
        return bundle.generate(given, **fp32), bundle.score(given, ["the cat"] * len(given))
    bundle.precision = "fp32"
    probabilities = bundle.probabilities([text.split() for text in given] if bundle.builder == "tagger" else given)
    return [row.tolist() for row in probabilities]


@pytest.mark.parametrize("search", SEARCHES, ids=("greedy", "beams", "sampled"))
@pytest.mark.parametrize("kind", MADE)
def test_equal_models_answer_as_one_of_them_bit_for_bit(kind, search, own_cache):
    for equal in (2, 3):
        several = seqgen.ensemble([MADE[kind]() for _ in range(equal)])
        assert type(several) is type(MADE[kind]())
        assert answers(several, GIVEN[kind], search) == answers(MADE[kind](), GIVEN[kind], search)
