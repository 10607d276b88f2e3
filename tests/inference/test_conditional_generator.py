"""Texts to a category or to numbers."""

import io
import sys

import numpy as np
import pytest
from making import make_conditional_generator

import seqgen
from seqgen import patterns
from seqgen.cli import main as cli
from seqgen.errors import InputError


def test_a_text_depends_on_its_condition_and_not_on_its_neighbours():
    generator = make_conditional_generator()
    options = {"seed": 1, "num_return_sequences": 3}
    cats, dogs = generator.generate("cat", **options), generator.generate("dog", **options)
    assert cats != dogs
    assert generator.generate(["dog", "cat", "dog"], **options) == dogs + cats + dogs
    assert all(text.startswith("the") for text in generator.generate(["cat", "dog"], "the", **options))
    assert generator.generate("cat", do_sample=False) == generator.generate("cat", do_sample=False, num_beams=1)


def test_it_is_the_same_after_saving_and_loading(tmp_path):
    for generator, conditions in (
        (make_conditional_generator(), ["cat", "dog"]),
        (make_conditional_generator((), (1.0, 2.0), (0.5, 3.0)), ["0.5, 3", [2, 1.5]]),
    ):
        generator.save_pretrained(tmp_path)
        assert seqgen.load(tmp_path).generate(conditions, seed=1) == generator.generate(conditions, seed=1)


def test_numbers_are_read_in_every_form_and_scaled():
    generator = make_conditional_generator((), (1.0, 2.0), (0.5, 4.0))
    expected = np.array([2.0, -1.0])
    for condition in ("2 -2", "2,-2", [2, -2], (2.0, -2.0), np.array([2, -2])):
        assert np.array_equal(generator.encode(condition), expected)


@pytest.mark.parametrize("condition", ["1", "1 2 3", "one two", "nan 1", [float("inf"), 1], None, [1]])
def test_other_numbers_are_a_sentence(condition):
    with pytest.raises(InputError, match="a condition must be 2 finite numbers, not"):
        make_conditional_generator((), (1.0, 2.0), (0.5, 4.0)).generate([condition])


def test_an_unknown_category_names_the_nearest():
    with pytest.raises(InputError, match=r"must be one of cat, dog, not 'dgo' \(did you mean dog\?\)"):
        make_conditional_generator().generate("dgo")
    with pytest.raises(InputError, match="either categories or numbers, not 0 and 0"):
        patterns.conditional_generator(9)


def test_the_command(command, tmp_path, monkeypatch):
    generator = make_conditional_generator()
    generator.save_pretrained(tmp_path / "names")
    _, out, _ = command(cli.main, "generate", tmp_path / "names", "dog", "--seed", 1)
    assert out == generator.generate("dog", seed=1)[0] + "\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO("dog\ncat\n"))
    _, out, _ = command(cli.main, "generate", tmp_path / "names", "--seed", 1, "--prompt", "the")
    assert out.splitlines() == [generator.generate(one, "the", seed=1)[0] for one in ("dog", "cat")]
    code, _, err = command(cli.main, "generate", tmp_path / "names", "cow")
    assert (code, err) == (2, "error: a condition must be one of cat, dog, not 'cow'\n")
    code, _, err = command(cli.main, "generate", tmp_path / "names", "cat", "--unseen", "replace")
    assert (code, err.count("\n")) == (2, 1)
    assert "--unseen must be with a generator without conditions" in err
