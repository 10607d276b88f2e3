"""Options of generation that have no effect with the others are refused, but only where they are given."""

import pytest
from making import make_conditional_generator, make_generator, make_translator

from seqgen.errors import InputError
from seqgen.generation.config import GenerationConfig


@pytest.mark.parametrize("option", [{"temperature": 0.5}, {"top_k": 3}, {"top_p": 0.9}, {"min_p": 0.1}])
def test_sampling_options_need_sampling(option):
    for others in ({"num_beams": 3}, {"do_sample": False}):
        with pytest.raises(InputError, match="must be given where tokens are sampled"):
            GenerationConfig().with_options(**option, **others)
        # What a model's own file says is no mistake of who asks for a search.
        assert GenerationConfig(**option).with_options(**others)
    assert GenerationConfig().with_options(**option)


@pytest.mark.parametrize("option", [{"coverage_penalty": 0.5}, {"num_beam_groups": 2}, {"diversity_penalty": 1.0}])
def test_options_of_the_beams_need_beams(option):
    with pytest.raises(InputError):
        GenerationConfig().with_options(**option)
    assert GenerationConfig().with_options(coverage_penalty=0.5, num_beams=2)


def test_a_default_that_is_given_changes_nothing_and_is_no_mistake():
    usual = GenerationConfig().to_data()
    assert GenerationConfig(do_sample=False, num_beams=2).with_options(temperature=1.0, coverage_penalty=0.0)
    assert GenerationConfig().with_options(**usual) == GenerationConfig()


def test_what_was_saved_is_read_again_whatever_it_says():
    odd = GenerationConfig(do_sample=False, temperature=0.5, coverage_penalty=0.2, top_k=3)
    assert GenerationConfig.from_data(odd.to_data()) == odd
    assert GenerationConfig.from_data({"num_beams": 3}) == GenerationConfig(num_beams=3, do_sample=False)
    with pytest.raises(InputError, match="did you mean temperature"):
        GenerationConfig.from_data({"temprature": 1.0})


def test_models_refuse_what_they_cannot_use():
    for options, sentence in (
        ({"coverage_penalty": 0.5, "num_beams": 2}, "coverage_penalty must be 0 for a generator without an input"),
        ({"length_penalty": 0.5}, "length_penalty must be given with several beams"),
        ({"min_new_tokens": 3}, "min_new_tokens must be 0 for a generator trained on one stream"),
    ):
        with pytest.raises(InputError, match=sentence):
            make_generator().generate("the", **options)
    assert make_generator(ends=True).generate("the", min_new_tokens=3, max_new_tokens=5)
    with pytest.raises(InputError, match="only one position to attend to"):
        make_conditional_generator().generate("cat", coverage_penalty=0.5, num_beams=2)
    with pytest.raises(InputError, match="do_sample must be on with minimum_bayes_risk"):
        make_translator().translate("the", minimum_bayes_risk=2, do_sample=False)
    with pytest.raises(InputError, match="top_p must be given where"):
        make_translator().translate("the", top_p=0.5)
    assert make_translator().translate("the", top_p=0.5, do_sample=True)
