"""A generator that learned texts from their end: a prompt is the end of a text, and texts are in reading order."""

import numpy as np
import pytest
from making import TEXT, make_generator, sharpened

import seqgen
from seqgen.errors import InputError
from seqgen.export.web_tokenizer import web_tokenizer
from seqgen.inference.generator import Generator
from seqgen.text.backward import BackwardTokenizer
from seqgen.text.tokenizer import fit_tokenizer

LONG = {"max_new_tokens": 40, "seed": 7}


@pytest.fixture
def forward():
    return make_generator(ends=True)


@pytest.fixture
def backward(forward):
    """The same model, which takes what it generates for the text from its end."""
    tokenizer = BackwardTokenizer(forward.tokenizer)
    return Generator.of(forward.model, tokenizer=tokenizer, ends=True, arguments=forward.arguments)


@pytest.mark.parametrize("options", [{}, {"num_beams": 3}, {"num_return_sequences": 2}])
def test_it_generates_the_mirror_image_of_what_the_same_model_generates_forward(forward, backward, options):
    found = backward.generate(["mat.", ""], **LONG, **options)
    assert found == [text[::-1] for text in forward.generate([".tam", ""], **LONG, **options)]
    assert all(text.endswith("mat.") for text in found[: len(found) // 2])


def test_the_stream_is_the_text_and_then_the_prompt(backward):
    *before, prompt = backward.stream("mat.", **LONG)
    assert prompt == "mat."
    assert "".join(before) + prompt == backward.generate("mat.", **LONG)[0]


def test_words_before_a_prompt_are_a_word_away_from_it():
    tokenizer = BackwardTokenizer(fit_tokenizer("lowercase-word", TEXT))
    generator = sharpened(Generator.untrained(tokenizer=tokenizer, hidden_size=16, embedding_size=8))
    [text] = generator.generate("The dog", **LONG)
    assert text.endswith("The dog")  # as it was given
    assert text.lower() == tokenizer.decode(tokenizer.encode(text))
    assert len(text.split()) > 10


def test_a_text_has_the_log_probability_of_its_mirror_image(forward, backward):
    assert backward.score("the mat.").log_probability == forward.score(".tam eht").log_probability


def test_activations_are_in_reading_order(forward, backward):
    found, mirrored = backward.activations("the mat."), forward.activations(".tam eht")
    assert "".join(found.tokens) == "the mat."
    np.testing.assert_array_equal(found.h, mirrored.h[:, ::-1])


def test_a_saved_one_generates_the_same(backward, tmp_path):
    backward.save_pretrained(tmp_path)
    assert seqgen.load(tmp_path).generate("mat.", **LONG) == backward.generate("mat.", **LONG)


@pytest.mark.parametrize(
    ("use", "rule"),
    [
        (lambda one: one.generate("mat.", stop_strings=["a"]), "stop_strings must be empty for a backward generator"),
        (lambda one: one.pieces("mat."), "pieces must be of a forward generator"),
        (lambda one: one.batch_pieces(["mat."]), "pieces must be of a forward generator"),
        (lambda one: web_tokenizer(one.tokenizer), "a page's model must read texts forward"),
    ],
)
def test_what_needs_the_beginning_first_is_refused(backward, use, rule):
    with pytest.raises(InputError, match=rule):
        use(backward)


def test_force_words_are_generated(backward):
    options = {"num_beams": 4, "force_words": ["log"], "max_new_tokens": 12}
    [text] = backward.generate("mat.", **options)
    assert "log" in text
