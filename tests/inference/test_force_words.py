"""Words that every text must have, in each kind of model, as each kind of tokenizer spells them."""

import pytest
import torch
from exports import as_exported
from making import TEXT, make_captioner, make_conditional_generator, make_generator, make_translator

import seqgen
from seqgen.errors import InputError
from seqgen.generation.config import GenerationConfig
from seqgen.symbols import BOS
from seqgen.tasks.force_words import spelled
from seqgen.text.tokenizer import KINDS, fit_tokenizer


@pytest.mark.parametrize("ends", [True, False])
def test_every_text_of_a_generator_has_every_word(ends):
    options = {"num_beams": 4, "num_return_sequences": 2, "max_new_tokens": 40, "precision": "fp32"}
    generator, words, prompts = make_generator(ends=ends), ("dog", "the mat"), ["the cat", "", "on "]
    texts = generator.generate(prompts, force_words=words, **options)
    for number, text in enumerate(texts):
        new = text.removeprefix(prompts[number // 2])
        assert all(word in new for word in words)
    assert as_exported(generator).generate(prompts, force_words=words, **options) == texts
    assert generator.generate(prompts, force_words=(), **options) == generator.generate(prompts, **options) != texts


@pytest.mark.parametrize("make", [make_translator, make_captioner, make_conditional_generator])
def test_every_text_for_an_input_has_every_word(make):
    model = make()
    picture = torch.rand(32, 32, 3).mul(255).byte().numpy()
    use, given, words = {
        "translator": ("translate", ["the cat", "on the mat. the dog"], ["dog", "og s"]),
        "captioner": ("caption", [picture, picture // 2], ["w7 w3", "W12"]),
        "conditional_generator": ("generate", ["cat", "dog"], ["mat."]),
    }[model.builder]
    for one in (model, as_exported(model)):
        found = getattr(one, use)(given, num_beams=4, force_words=words)
        assert len(found) == 2
        for text in (each if isinstance(each, str) else each.text for each in found):
            assert all(word.lower() in text for word in words)
    [one] = model.generation.with_options(num_beams=2, force_words="dog").force_words
    assert one == "dog"


def spaced(text, kind):
    """Return a text with spaces before its marks, which alone make them tokens where white space separates these."""
    return text.replace(".", " .") if kind == "whitespace" else text


@pytest.mark.parametrize("kind", KINDS)
def test_a_word_is_spelled_as_in_a_text(kind):
    """What a tokenizer makes of a text has the tokens of the words in it, and what it decodes has the words."""
    tokenizer = fit_tokenizer(kind, spaced(TEXT * 3, kind))
    text = spaced("the cat sat on the mat. the dog", kind)
    tokens = [BOS, *tokenizer.encode(text).tolist()]
    for word in ("cat", "the mat", spaced("mat.", kind), "the", "on the", "dog"):
        [spellings] = spelled((word,), tokenizer)
        places = [
            begin
            for spelling in spellings
            for begin in range(len(tokens))
            if tokens[begin : begin + len(spelling)] == spelling
        ]
        assert len(places) >= text.count(word)
        assert all(word in tokenizer.decode(spelling) for spelling in spellings)
    [missing] = spelled(("sat the",), tokenizer)
    assert not any(tokens[begin : begin + len(missing[0])] == missing[0] for begin in range(len(tokens)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_tokens_has_them_in_its_text(kind):
    torch.manual_seed(1)
    tokenizer = fit_tokenizer(kind, spaced(TEXT * 3, kind))
    generator = seqgen.Generator.untrained(tokenizer=tokenizer, hidden_size=16, embedding_size=8)
    words = ("dog sat", spaced("mat.", kind), "cat")
    options = {"num_beams": 6, "num_return_sequences": 3, "max_new_tokens": 40, "precision": "fp32"}
    for text in generator.generate(["the log", ""], force_words=words, **options):
        assert all(word in text.removeprefix("the log") for word in words)


def test_spaces_make_whole_words_of_characters_and_are_nothing_to_words():
    characters, words, subwords = (fit_tokenizer(kind, TEXT * 3) for kind in ("char", "word", "subword"))
    assert spelled((" at ",), characters) == [[characters.encode(" at ").tolist()]]
    assert spelled((" cat ",), words) == spelled(("cat",), words)
    assert spelled((" cat",), subwords)[0][0] == spelled(("cat",), subwords)[0][0]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"force_words": ["cat"]},
            r"force_words must be with several beams in one group, not \['cat'\] with num_beams 1",
        ),
        ({"force_words": ["cat"], "do_sample": False}, "give more num_beams, without sampling"),
        ({"force_words": ["cat"], "num_beams": 4, "num_beam_groups": 2}, "num_beam_groups 2"),
        ({"force_words": [""], "num_beams": 4}, "force_words must be texts that are not empty"),
        ({"force_words": 5, "num_beams": 4}, "force_words must be a list, each a text"),
        (
            {"force_words": ["cat", "x²"], "num_beams": 4},
            "must have only tokens seen in training, not 'x', '²' in 'x²'",
        ),
        ({"force_words": ["cat sat on"], "num_beams": 4, "max_new_tokens": 9}, "fit 9 tokens, but .*, or fewer words$"),
        (
            {"force_words": ["cat"], "num_beams": 4, "suppress_tokens": (*range(4, 19),)},
            "change suppress_tokens",
        ),
        (
            {"force_words": ["tttt"], "num_beams": 2, "no_repeat_ngram_size": 2},
            "change no_repeat_ngram_size",
        ),
    ],
)
def test_what_cannot_be_is_a_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence):
        make_generator().generate("the", **options)


def test_they_are_saved_and_kept(tmp_path):
    generator = make_generator()
    generator.generation = GenerationConfig(
        force_words=("dog",), num_beams=3, do_sample=False, max_new_tokens=30, precision="fp32"
    )
    generator.save_pretrained(tmp_path)
    loaded = seqgen.load(tmp_path)
    assert loaded.generation == generator.generation
    assert "dog" in loaded.generate("the")[0]
    with pytest.raises(InputError, match="force_words must be with several beams"):
        loaded.generate("the", do_sample=True)  # which could not keep the promise
    assert loaded.generate("the", do_sample=True, force_words=())
