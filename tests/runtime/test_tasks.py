"""Each kind of model without torch's tensors: the answers and texts that torch's has."""

import io

import numpy as np
import PIL.Image
import pytest
from exports import as_exported
from making import (
    CELLS,
    TEXT,
    make_captioner,
    make_conditional_generator,
    make_generator,
    make_image_classifier,
    make_tagger,
    make_text_classifier,
    make_translator,
)

from seqgen.errors import InputError

PROMPTS = ["the ", "", "the cat sat on the mat. the dog sat"]
SENTENCES = ["the cat sat", "a dog", "", "on the mat on the mat"]
SEARCHES = [
    {},
    {"num_beams": 1},
    {"num_return_sequences": 3},
    {"coverage_penalty": 0.7},
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5},
    {"no_repeat_ngram_size": 2, "repetition_penalty": 1.2},
    {"prefix": "th"},
]


def same(mine, theirs):
    """Return whether two lists of texts with scores are the same but for rounding."""
    assert [one.text for one in mine] == [one.text for one in theirs]
    assert [one.score for one in mine] == pytest.approx([one.score for one in theirs], abs=1e-4)
    return True


def some_images(count=3):
    random = np.random.default_rng(1)
    return [random.integers(0, 256, (40 + 9 * number, 50, 3), dtype=np.uint8) for number in range(count)]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("options", [{"do_sample": False}, {"num_beams": 4, "num_return_sequences": 2}])
def test_a_generator_writes_the_same(cell, options):
    generator = make_generator(cell=cell, ends=True, layers=2)
    asked = {"max_new_tokens": 25, "precision": "fp32", **options}
    assert as_exported(generator).generate(PROMPTS, **asked) == generator.generate(PROMPTS, **asked)


def test_a_generator_stops_at_the_same_strings():
    generator = make_generator()
    asked = {"max_new_tokens": 60, "do_sample": False, "stop_strings": ["d", "aa"], "precision": "fp32"}
    texts = generator.generate(PROMPTS, **asked)
    assert as_exported(generator).generate(PROMPTS, **asked) == texts
    assert any(text.endswith(("d", "aa")) for text in texts)


def test_what_takes_tensors_of_torch_is_refused_in_a_sentence():
    generator, translator = as_exported(make_generator()), as_exported(make_translator())
    sentence = "logits_processor must be left out with onnxruntime"
    for options in ({}, {"num_beams": 3}):
        for use in (generator.generate, translator.translate):
            with pytest.raises(InputError, match=sentence):
                use("the", logits_processor=[lambda input_ids, scores: scores], **options)
    with pytest.raises(InputError, match=sentence):
        list(generator.stream("the", logits_processor=[lambda input_ids, scores: scores]))


@pytest.mark.parametrize("window", [3, 4096])
def test_a_generator_scores_the_same_in_windows_of_any_length(window, monkeypatch):
    monkeypatch.setattr("seqgen.runtime.generator.WINDOW", window)
    monkeypatch.setattr("seqgen.runtime.decoder.WINDOW", window)
    generator = make_generator()
    mine, theirs = (one.score("the cat sat on the mat.") for one in (as_exported(generator), generator))
    assert mine.tokens == theirs.tokens
    assert mine.log_probabilities == pytest.approx(theirs.log_probabilities, abs=1e-4)
    options = {"do_sample": False, "max_new_tokens": 9, "precision": "fp32"}
    assert as_exported(generator).generate(PROMPTS, **options) == generator.generate(PROMPTS, **options)


@pytest.mark.parametrize("options", SEARCHES)
def test_a_translator_writes_the_same(options):
    translator = make_translator()
    assert same(as_exported(translator).translate(SENTENCES, **options), translator.translate(SENTENCES, **options))


@pytest.mark.parametrize(
    "architecture", [{"input_feeding": True}, {"cell": "gru"}, {"attention": "additive", "heads": 2}]
)
def test_other_architectures_write_the_same(architecture):
    translator = make_translator(**architecture)
    for options in ({}, {"prefix": "th"}):
        assert same(as_exported(translator).translate(SENTENCES, **options), translator.translate(SENTENCES, **options))


def test_the_attention_of_a_translator_is_the_same():
    translator = make_translator()
    mine, theirs = (one.translate(SENTENCES, return_attention=True) for one in (as_exported(translator), translator))
    for one, other in zip(mine, theirs, strict=True):
        assert one.attention[:2] == other.attention[:2]
        np.testing.assert_allclose(one.attention.weights, other.attention.weights, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "inputs", "answers"),
    [
        (make_translator, ["the cat", "a dog sat"], ["the", "on the mat"]),
        (make_captioner, some_images(2), ["w1 w2", "w3"]),
        (make_conditional_generator, ["cat", "dog"], ["the", "on the mat"]),
        (make_text_classifier, ["fine", "dull"], ["odd", "bad"]),
        (make_tagger, ["ab", "the"], ["AB", "CCA"]),
    ],
)
def test_answers_have_the_same_scores(make, inputs, answers):
    model = make()
    given = [list(tags) for tags in answers] if make is make_tagger else answers
    mine, theirs = (one.score(inputs, given) for one in (as_exported(model), model))
    for one, other in zip(mine, theirs, strict=True):
        logs = [getattr(found, "log_probabilities", found) for found in (one, other)]
        assert logs[0] == pytest.approx(logs[1], abs=2e-2)  # torch's may be in bf16


@pytest.mark.parametrize("options", [{}, {"coverage_penalty": 0.5}, {"return_attention": True}])
def test_a_captioner_writes_the_same(options):
    captioner = make_captioner()
    mine, theirs = (one.caption(some_images(), **options) for one in (as_exported(captioner), captioner))
    assert [one.text for one in mine] == [one.text for one in theirs]
    for one, other in zip(mine, theirs, strict=True):
        if options.get("return_attention"):
            np.testing.assert_allclose(one.attention.weights, other.attention.weights, atol=1e-2)


@pytest.mark.parametrize("numbers", [False, True])
def test_a_conditional_generator_writes_the_same(numbers):
    conditions = {"categories": (), "mean": [1.0, 2.0], "deviation": [0.5, 2.0]} if numbers else {}
    generator, given = make_conditional_generator(**conditions), ["1, 3.5", "-2 0"] if numbers else ["dog", "cat"]
    options = {"num_beams": 3, "num_return_sequences": 2}
    assert as_exported(generator).generate(given, **options) == generator.generate(given, **options)


def test_samples_for_an_input_are_the_same_again_and_the_typical_one_is_among_them():
    generator = as_exported(make_conditional_generator())
    options = {"seed": 3, "num_return_sequences": 5}
    texts = generator.generate(["cat", "dog"], **options)
    assert texts == generator.generate(["cat", "dog"], **options)
    assert generator.generate("dog", **options) == texts[5:]
    [typical] = generator.generate("dog", seed=3, minimum_bayes_risk=5)
    assert typical in texts[5:]


@pytest.mark.parametrize("words", [False, True])
def test_a_tagger_tags_the_same(words):
    tagger = make_tagger(words)
    texts = ["the cat sat on a xylophone.", "", "x = 1"]
    mine, theirs = (one.tag(texts) for one in (as_exported(tagger), tagger))
    assert [[one.token for one in row] for row in mine] == [[one.token for one in row] for row in theirs]
    for one, other in zip(as_exported(tagger).probabilities(texts), tagger.probabilities(texts), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-2)  # torch's may be in bf16


def test_classifiers_have_the_same_probabilities():
    texts, images = [TEXT[:30], "fine", "dull " * 20], some_images()
    for classifier, inputs in ((make_text_classifier(), texts), (make_image_classifier(), images)):
        mine = as_exported(classifier)
        np.testing.assert_allclose(mine.probabilities(inputs), classifier.probabilities(inputs), atol=1e-2)
        assert [len(labels) for labels in mine.classify(inputs, top_k=2)] == [2] * len(inputs)


def test_images_of_all_sorts_are_read_as_torch_reads_them(tmp_path):
    classifier = make_image_classifier()
    pixels = some_images(1)[0]
    image, file = PIL.Image.fromarray(pixels), io.BytesIO()
    image.save(file, "PNG")
    image.convert("L").save(tmp_path / "grey.png")
    given = [pixels, image, file.getvalue(), str(tmp_path / "grey.png")]
    [mine], [theirs] = as_exported(classifier).arrays(given), classifier.collate(given)
    assert np.array_equal(mine, theirs.numpy())
    with pytest.raises(InputError, match="an image must be a file, but it does not exist"):
        as_exported(classifier).classify([str(tmp_path / "none.png")])


@pytest.mark.parametrize(
    ("make", "call"),
    [
        (make_generator, lambda model: model.generate("the", temperature=-1)),
        (make_generator, lambda model: model.generate("#")),
        (make_generator, lambda model: model.generate("the", tempe=1)),
        (make_generator, lambda model: model.stream("the", num_beams=2)),
        (make_generator, lambda model: model.generate(3)),
        (make_generator, lambda model: model.score("")),
        (make_text_classifier, lambda model: model.classify("a", top_k=0)),
        (make_translator, lambda model: model.translate("a", prefix="#")),
        (make_conditional_generator, lambda model: model.generate("cow")),
        (make_tagger, lambda model: model.score(["ab"], [["A"]])),
    ],
)
def test_mistakes_are_the_same_sentences(make, call):
    sentences = []
    for model in (make(), as_exported(make())):
        with pytest.raises(InputError) as error:
            call(model)
        sentences.append(str(error.value))
    assert sentences[0] == sentences[1]
