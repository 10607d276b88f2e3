"""Models of one's own in use: what can be saved is recorded, and what a file names is never imported."""

import importlib
import json
import pkgutil
import random
import sys

import pytest
import torch
from making import (
    make_captioner,
    make_conditional_generator,
    make_generator,
    make_image_classifier,
    make_tagger,
    make_text_classifier,
    make_translator,
)
from torch import nn

import seqgen
from seqgen import patterns
from seqgen.errors import InputError
from seqgen.inference.saved import USED_AS

MADE = {
    "generator": make_generator,
    "text_classifier": make_text_classifier,
    "image_classifier": make_image_classifier,
    "tagger": make_tagger,
    "translator": make_translator,
    "captioner": make_captioner,
    "conditional_generator": make_conditional_generator,
}
# The inputs that each kind takes, and the method that takes them.
USED = {
    "generator": ("score", "the cat"),
    "text_classifier": ("classify", ["a fine film"]),
    "tagger": ("tag", ["x = 1"]),
    "translator": ("translate", ["the cat"]),
    "conditional_generator": ("embeddings", None),
}


def parts_of(bundle):
    """The parts of a bundle but its model, by the names of their fields."""
    names = [[part.field] if hasattr(part, "field") else part.model_fields for part in bundle.files.values()]
    return {name: getattr(bundle, name) for fields in names for name in fields}


class Widened(nn.Module):
    """Any model inside another: what no builder of seqgen makes."""

    def __init__(self, kind, sizes, options):
        super().__init__()
        self.inner = getattr(patterns, kind)(*sizes, **options)

    def __getattr__(self, name):
        return super().__getattr__(name) if name == "inner" else getattr(self.inner, name)

    def forward(self, *inputs):
        return self.inner(*inputs)


def own(kind):
    """A bundle with a model of one's own, and the arguments of `Widened` that make it."""
    made = MADE[kind]()
    sizes = {
        "generator": lambda: [made.tokenizer.vocab_size],
        "text_classifier": lambda: [made.tokenizer.vocab_size, 3],
        "image_classifier": lambda: [3],
        "tagger": lambda: [len(made.vocabulary), 3, 0],
        "translator": lambda: [made.source.vocab_size],
        "captioner": lambda: [made.target.vocab_size, "small", 32],
        "conditional_generator": lambda: [made.target.vocab_size, 2, 0],
    }
    arguments = {"kind": kind, "sizes": sizes[kind](), "options": made.arguments}
    return type(made), Widened(**arguments), parts_of(made), arguments


def test_every_kind_is_tried():
    assert set(MADE) == set(USED_AS)


@pytest.mark.parametrize("kind", MADE)
def test_a_model_of_ones_own_is_loaded_by_its_builder(kind, tmp_path):
    bundle_class, model, parts, arguments = own(kind)
    bundle = bundle_class.of(model, **parts, builder=Widened, arguments=arguments)
    bundle.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["builder"], config["used_as"]) == (f"{__name__}:Widened", kind)
    for again in (seqgen.load(tmp_path, builder=Widened), bundle_class.from_pretrained(tmp_path, builder=Widened)):
        assert type(again) is bundle_class
        assert type(again.model) is Widened
        assert again.arguments == arguments
        for name, weight in model.state_dict().items():
            assert torch.equal(weight, again.model.state_dict()[name])
        if kind in USED and USED[kind][1]:
            method, given = USED[kind]
            assert getattr(again, method)(given) == getattr(bundle, method)(given)
    assert str(seqgen.check_bundle(bundle)).startswith("ok: ")


@pytest.mark.parametrize("kind", MADE)
def test_without_its_builder_it_is_not_saved(kind, tmp_path):
    bundle_class, model, parts, _ = own(kind)
    bundle = bundle_class.of(model, **parts)
    with pytest.raises(InputError, match=f"its builder, patterns.{kind}, makes .* give {bundle_class.__name__}.of"):
        bundle.save_pretrained(tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("kind", MADE)
def test_ours_with_the_arguments_of_its_builder_is_saved(kind, tmp_path):
    made = MADE[kind]()
    again = type(made).of(made.model, **parts_of(made), arguments=made.arguments)
    before = torch.get_rng_state()
    again.save_pretrained(tmp_path)
    assert torch.equal(torch.get_rng_state(), before)
    assert type(seqgen.load(tmp_path)) is type(made)
    with pytest.raises(InputError, match="leave out builder"):
        seqgen.load(tmp_path, builder=Widened)


def test_a_subclass_with_the_same_weights_is_not_taken_for_ours(tmp_path):
    class Louder(seqgen.RecurrentDecoder):
        def forward(self, *inputs):
            logits, state = super().forward(*inputs)
            return 2 * logits, state

    generator = make_generator()
    generator.model.__class__ = Louder
    with pytest.raises(InputError, match="Louder"):
        generator.save_pretrained(tmp_path / "model")


def test_a_builder_that_makes_another_model_is_refused_at_once():
    bundle_class, model, parts, arguments = own("generator")
    other = arguments | {"options": arguments["options"] | {"hidden_size": 17}}
    with pytest.raises(InputError, match=r"test_own_models:Widened, makes .*\(17, 16\)|of shape"):
        bundle_class.of(model, **parts, builder=Widened, arguments=other)
    with pytest.raises(InputError, match="makes of its arguments"):
        bundle_class.of(model, **parts, builder=Widened, arguments={"unknown": 1})
    for strange in ({"sizes": (1, 2)}, {"sizes": {3, 4}}, {1: 2}):
        with pytest.raises(InputError, match="arguments must be plain data"):
            bundle_class.of(model, **parts, builder=Widened, arguments=strange)


def test_building_again_draws_no_random_numbers():
    bundle_class, model, parts, arguments = own("translator")
    before = torch.get_rng_state()
    bundle_class.of(model, **parts, builder=Widened, arguments=arguments)
    assert torch.equal(torch.get_rng_state(), before)


NAMED = ["os:system", "builtins:exec", "seqgen.inference.loading:load", f"{__name__}:Widened", "trap:build"]


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("kind", MADE)
def test_what_a_file_names_is_never_imported(name, kind, tmp_path, monkeypatch):
    (tmp_path / "trap.py").write_text("raise SystemExit('the trap was imported')")
    monkeypatch.syspath_prepend(tmp_path)

    def watched(resolve):
        def watching(wanted, *more):
            assert wanted not in (name, name.partition(":")[0]), "what the file names was resolved"
            return resolve(wanted, *more)

        return watching

    monkeypatch.setattr(pkgutil, "resolve_name", watched(pkgutil.resolve_name))
    monkeypatch.setattr(importlib, "import_module", watched(importlib.import_module))
    bundle_class, model, parts, arguments = own(kind)
    bundle_class.of(model, **parts, builder=Widened, arguments=arguments).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"builder": name}))
    for loading in (seqgen.load, bundle_class.from_pretrained):
        with pytest.raises(InputError, match=f"built by '{name}', which is not imported .* as builder") as caught:
            loading(tmp_path)
        assert "\n" not in str(caught.value)
    assert type(seqgen.load(tmp_path, builder=Widened).model) is Widened
    del config["used_as"]
    (tmp_path / "config.json").write_text(json.dumps(config | {"builder": name}))
    with pytest.raises(InputError, match="a newer version"):
        seqgen.load(tmp_path)
    assert "trap" not in sys.modules


@pytest.mark.parametrize("values", [{"used_as": "os:system"}, {"used_as": []}, {"builder": []}, {"builder": None}])
def test_a_config_that_names_no_kind_is_refused(values, tmp_path):
    make_generator().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"used_as": "generator"} | values))
    with pytest.raises(InputError, match="a newer version"):
        seqgen.load(tmp_path)


def test_a_builder_that_does_not_fit_the_file_is_told_so(tmp_path):
    bundle_class, model, parts, arguments = own("generator")
    bundle_class.of(model, **parts, builder=Widened, arguments=arguments).save_pretrained(tmp_path)
    for other in (lambda: model, lambda **arguments: nn.Linear(2, 2)):
        with pytest.raises(InputError, match=r"the file|does not fit"):
            seqgen.load(tmp_path, builder=other)


# What a bundle's `examples` gives to the model in training is what its own `encode` gives to it in use.
def test_training_reads_what_using_reads():
    texts = ["the cat sat", "a", "dog on the log"]
    translator, classifier, tagger = make_translator(), make_text_classifier(), make_tagger()
    names = make_conditional_generator()
    for bundle, data, inputs in (
        (translator, seqgen.Parallel(texts, texts[::-1]), texts),
        (classifier, seqgen.Labelled(texts, ["odd", "bad", "fine"]), texts),
        (tagger, seqgen.Tagged(texts, [["A"] * len(text) for text in texts]), texts),
        (names, seqgen.Labelled(texts, ["cat", "dog", "dog"]), ["cat", "dog", "dog"]),
    ):
        examples = bundle.examples(data)
        in_use = bundle.collate([bundle.encode(one) for one in inputs])
        for trained, used in zip(examples.collate(torch.arange(3).numpy()).inputs, in_use, strict=True):
            assert torch.equal(trained, used)
        assert sum(len(batch.inputs[0]) for batch in examples.batches(1000).once()) == 3


def test_a_model_of_ones_own_translates_what_it_was_trained_to():
    """An encoder and a decoder of one's own, trained on texts alone: no special token is the caller's concern."""

    class Copy(nn.Module):
        """A decoder that starts from the first position of a memory and reads one further at each step."""

        def __init__(self, vocab_size, size):
            super().__init__()
            self.cell = seqgen.Recurrent("gru", size, size)
            self.embedding, self.output = nn.Embedding(vocab_size, size), nn.Linear(size, vocab_size)

        def start(self, memory=None, *, batch_size=None):
            return seqgen.State(memory.summary[None].contiguous())

        def step(self, tokens, state, memory=None):
            out, state = self.cell.step(self.embedding(tokens), state)
            return self.output(out), state

        def forward(self, tokens, state=None, memory=None):
            out, state = self.cell(self.embedding(tokens), state)
            return self.output(out), state

    def build(vocab_size, size):
        table = nn.Embedding(vocab_size, size)
        encoder = seqgen.SequenceEncoder(table, seqgen.Recurrent("gru", size, size), None, seqgen.Last(size), size)
        return seqgen.EncoderDecoder(encoder, Copy(vocab_size, size))

    random.seed(0)
    words = ["".join(random.choices("abc", k=random.randint(1, 3))) for _ in range(100)]
    tokenizer = seqgen.CharacterTokenizer.fit(words)
    arguments = {"vocab_size": tokenizer.vocab_size, "size": 32}
    model = build(**arguments)
    memory = model.encoder(torch.tensor([[4, 5, 2], [5, 2, 0]]))
    assert "ok: forward(tokens, state, memory) must equal step after step" in seqgen.check_decoder(
        model.decoder, tokenizer.vocab_size, memory=memory
    )
    translator = seqgen.Translator.of(model, source=tokenizer, builder=build, arguments=arguments)
    batches = translator.examples(seqgen.Parallel(words, [word[::-1] for word in words])).batches(500)
    learning = seqgen.optimizers(model, "adamw"), seqgen.Schedule(max_steps=150)
    steps = seqgen.train_steps(model, batches.starting_at(0), *learning, loss_function=seqgen.target_tokens)
    assert [step.loss for step in steps][-1] < 0.3
    written = [one.text for one in translator.translate(words)]
    assert sum(one == word[::-1] for one, word in zip(written, words, strict=True)) > 90


def test_columns_of_ones_own_are_numbered_and_of_equal_length():
    data = seqgen.Parallel(["a", "b"], ["c", "d"])
    assert data.where == ["example 1", "example 2"]
    assert data.chosen([1]).where == ["example 2"]
    with pytest.raises(InputError, match="targets must have an item for each of the 2 sources, but it has 1"):
        seqgen.Parallel(["a", "b"], ["c"])
    with pytest.raises(InputError, match="example 2: the label must be one of"):
        make_text_classifier().examples(seqgen.Labelled(["a", "b"], ["odd", "new"]))
