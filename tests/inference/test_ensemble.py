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
    make_text_classifier,
    make_translator,
)

import seqgen
from seqgen.errors import InputError
from seqgen.inference.tagger import Tagger

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
def test_equal_models_answer_as_one_of_them_bit_for_bit(kind, search):
    for count in (2, 3):
        several = seqgen.ensemble([MADE[kind]() for _ in range(count)])
        assert type(several) is type(MADE[kind]())
        assert answers(several, GIVEN[kind], search) == answers(MADE[kind](), GIVEN[kind], search)


def drawn_anew(bundle, seed=2):
    """The bundle with other weights."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for weight in bundle.model.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return bundle


def make_tagger(**options):
    torch.manual_seed(1)
    sizes = {"hidden_size": 12, "embedding_size": 8, "spelling_size": 6} | options
    return Tagger.fit([TEXT.split()] * 2, ["A", "B", "C"], **sizes)


# Models that differ in cell, sizes and depth.
UNLIKE = {
    "generator": lambda: [make_generator(), make_generator(cell="gru", hidden_size=24, layers=2)],
    "text_classifier": lambda: [make_text_classifier(), make_text_classifier(cell="gru", hidden_size=20)],
    "image_classifier": lambda: [MADE["image_classifier"](), drawn_anew(MADE["image_classifier"]())],
    "tagger": lambda: [make_tagger(), make_tagger(cell="gru", hidden_size=20, layers=2)],
    "translator": lambda: [make_translator(), make_translator(cell="gru", hidden_size=24, input_feeding=True)],
    "captioner": lambda: [make_captioner(), make_captioner(cell="gru", hidden_size=24)],
    "conditional_generator": lambda: [make_conditional_generator(), drawn_anew(make_conditional_generator())],
}


def chances(bundle, given):
    """The probabilities that a model gives to answers, or to each of their tokens."""
    bundle.precision = "fp32"
    if bundle.builder == "generator":
        return [np.exp(bundle.score(text).log_probabilities) for text in given if text]
    if bundle.builder in ("text_classifier", "image_classifier"):
        return bundle.probabilities(given)
    if bundle.builder == "tagger":
        return bundle.probabilities([text.split() for text in given])
    texts = given if bundle.builder == "translator" else ["w1 w2" if bundle.builder == "captioner" else "a cat"] * 3
    return [np.exp(one.log_probabilities) for one in bundle.score(given, texts)]


@pytest.mark.parametrize("kind", UNLIKE)
def test_the_probabilities_of_unlike_models_are_averaged(kind):
    one, other = (chances(member, GIVEN[kind]) for member in UNLIKE[kind]())
    found = chances(seqgen.ensemble(UNLIKE[kind]()), GIVEN[kind])
    for mean, first, second in zip(found, one, other, strict=True):
        np.testing.assert_allclose(mean, (first + second) / 2, atol=1e-5)
        assert abs(first - second).max() > 1e-3


@pytest.mark.parametrize("search", [*SEARCHES[:2], {"do_sample": False, "num_beams": 3, "coverage_penalty": 0.2}])
@pytest.mark.parametrize("kind", ["translator", "captioner"])
def test_an_input_does_not_depend_on_its_neighbours(kind, search):
    several, given = seqgen.ensemble(UNLIKE[kind]()), GIVEN[kind]
    write = several.translate if kind == "translator" else several.caption
    together, alone = write(given, **search), [one for text in given for one in write(text, **search)]
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.score for one in together] == pytest.approx([one.score for one in alone], abs=1e-4)


@pytest.mark.parametrize("kind", ["translator", "captioner"])
def test_the_attention_is_the_mean_of_the_members(kind):
    def attention(bundle):
        write = bundle.translate if kind == "translator" else bundle.caption
        forced = {"max_new_tokens": 1, "num_beams": 1, "min_new_tokens": 1, "return_attention": True}
        return write(GIVEN[kind][0], **forced)[0].attention.weights

    one, other = map(attention, UNLIKE[kind]())
    np.testing.assert_allclose(attention(seqgen.ensemble(UNLIKE[kind]())), (one + other) / 2, atol=1e-5)


def test_a_markov_chain_is_a_member_beside_a_network():
    network = make_generator()
    tokens = network.tokenizer.encode(TEXT)
    chain = seqgen.NGram.fit(tokens, vocab_size=network.tokenizer.vocab_size, order=3)
    several = seqgen.ensemble([network, seqgen.Generator.of(chain, tokenizer=network.tokenizer)])
    mean = np.exp([one.score("the cat").log_probabilities for one in several.members]).mean(axis=0)
    np.testing.assert_allclose(np.exp(several.score("the cat").log_probabilities), mean, atol=1e-6)
    assert several.generate("the ", seed=1, max_new_tokens=30)[0].startswith("the ")


def test_the_loss_of_an_ensemble_is_at_most_the_mean_of_the_losses():
    members = UNLIKE["generator"]()
    tokens = torch.from_numpy(members[0].tokenizer.encode(TEXT)[:200])[None]
    batches = [
        seqgen.Batch(tokens[:, begin : begin + 50], tokens[:, begin + 1 : begin + 51], not begin) for begin in (0, 50)
    ]
    losses = [seqgen.evaluate(one.model, batches) for one in members]
    assert seqgen.evaluate(seqgen.ensemble(members).model, batches) < sum(losses) / 2


@pytest.mark.parametrize("precision", ["fp32", "bf16", "auto"])
def test_every_precision_has_about_the_same_probabilities(precision):
    several = seqgen.ensemble(UNLIKE["translator"]())
    options = {"do_sample": True, "seed": 1, "max_new_tokens": 1, "min_new_tokens": 0}
    [exact], [found] = (several.translate("the cat", **options, precision=each) for each in ("fp32", precision))
    assert found.text == exact.text
    assert found.score == pytest.approx(exact.score, abs=0.3)


def test_saved_models_are_loaded_as_an_ensemble(tmp_path):
    for name, member in zip("ab", UNLIKE["translator"](), strict=True):
        member.save_pretrained(tmp_path / name)
    loaded = seqgen.load([tmp_path / "a", tmp_path / "b"])
    unsaved, given = seqgen.ensemble(UNLIKE["translator"]()), GIVEN["translator"]
    assert loaded.translate(given) == unsaved.translate(given)
    nested = seqgen.ensemble([seqgen.ensemble(loaded.members[:1]), loaded.members[1]])
    assert nested.members == loaded.members


@pytest.mark.parametrize(
    ("bundles", "rule"),
    [
        ([], "at least one model, but there is none"),
        (
            [make_generator(), make_translator()],
            "of one kind, but model 1 is of kind generator and model 2 of kind translator",
        ),
        ([make_generator(), make_generator("abc")], "the same tokenizer, but model 1 and model 2 differ in it"),
        ([make_tagger(), make_tagger(), Tagger.fit(["ab"], ["A"])], "model 1 and model 3 differ in it"),
        ([make_text_classifier(), None], "each a Bundle"),
    ],
)
def test_models_that_are_not_alike_are_refused(bundles, rule):
    with pytest.raises(InputError, match=rule) as raised:
        seqgen.ensemble(bundles)
    assert "\n" not in str(raised.value)


def test_labels_and_preprocessing_must_be_the_same():
    one, other = make_text_classifier(), make_text_classifier()
    other.classes = ["bad", "odd", "fine"]
    with pytest.raises(InputError, match="the same labels"):
        seqgen.ensemble([one, other])
    other.classes, other.max_length = one.classes, 30
    with pytest.raises(InputError, match="the same preprocessing"):
        seqgen.ensemble([one, other])


@pytest.mark.parametrize(
    ("kind", "deed"),
    [
        ("generator", lambda one, folder: one.save_pretrained(folder)),
        ("generator", lambda one, folder: seqgen.export_onnx(one, folder)),
        ("generator", lambda one, folder: one.generate("the", runtime="onnx")),
        ("generator", lambda one, folder: one.activations("the")),
        ("generator", lambda one, folder: one.embeddings()),
        ("generator", lambda one, folder: one.rebuilt(layers=2)),
        ("generator", lambda one, folder: seqgen.continued(one)),
        ("generator", lambda one, folder: seqgen.TextClassifier.from_generator(one, ["a", "b"])),
        ("text_classifier", lambda one, folder: one.embeddings()),
        ("tagger", lambda one, folder: one.embeddings()),
        ("translator", lambda one, folder: one.source_embeddings()),
        ("translator", lambda one, folder: one.embeddings()),
        ("captioner", lambda one, folder: one.views(seqgen.Captioned([], [], []))),
        ("captioner", lambda one, folder: one.unfreeze_backbone()),
    ],
)
def test_what_only_a_single_model_has_is_refused(kind, deed, tmp_path):
    with pytest.raises(InputError, match="of a single model, not of an ensemble of 2: take one of its members"):
        deed(seqgen.ensemble(UNLIKE[kind]()), tmp_path / "new")
    assert not any(tmp_path.iterdir())
