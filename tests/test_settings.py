"""A model in use answers the same whatever a program has set, and leaves the program's settings as they were."""

import logging
import sys
import warnings
from contextlib import ExitStack, contextmanager, nullcontext

import numpy as np
import PIL.Image
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

import seqgen

PICTURE = PIL.Image.effect_noise((20, 30), 60).convert("RGB")
KINDS = {
    "generator": (
        make_generator,
        lambda model: [
            model.generate("the", max_new_tokens=8, seed=1),
            model.generate("the", max_new_tokens=5, num_beams=2),
            list(model.stream("the", max_new_tokens=5, seed=1)),
            model.score("the cat"),
            model.activations("the").h,
        ],
    ),
    "text classifier": (make_text_classifier, lambda model: [model.probabilities(["fine", "dull film"])]),
    "image classifier": (make_image_classifier, lambda model: [model.probabilities([PICTURE])]),
    "tagger": (lambda: make_tagger(words=True), lambda model: [model.tag("the cat"), model.score(["cat"], [["A"]])]),
    "translator": (
        make_translator,
        lambda model: [
            model.translate("the cat", return_attention=True)[0].attention.weights,
            model.translate(["a dog", "a"], do_sample=True, seed=1),
            model.score("the", "cat"),
            model.source_embeddings().vectors,
        ],
    ),
    "captioner": (make_captioner, lambda model: [model.caption(PICTURE), model.score(PICTURE, "w1 w2")]),
    "conditional generator": (
        lambda: make_conditional_generator((), (0.1, 2.0), (1.0, 2.0)),
        lambda model: [model.generate("0.3, 2", seed=1), model.score("0.3, 2", "the")],
    ),
}


@contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def no_gradients():
    with torch.set_grad_enabled(False):
        yield


@contextmanager
def strict():
    """Everything else that a careful program may set."""
    limit = sys.getrecursionlimit()
    with ExitStack() as settings:
        settings.enter_context(np.errstate(all="raise"))
        settings.enter_context(warnings.catch_warnings())
        warnings.simplefilter("error")
        settings.callback(torch._C._set_deterministic_algorithms, False)
        torch._C._set_deterministic_algorithms(True)  # the public function takes seconds to import torch's compiler
        settings.callback(logging.disable, logging.NOTSET)
        logging.disable()
        settings.callback(sys.setrecursionlimit, limit)
        sys.setrecursionlimit(400)
        yield


SETTINGS = {
    "float64": lambda: default_dtype(torch.float64),
    "float16": lambda: default_dtype(torch.float16),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "device": lambda: torch.device("meta"),
    "no gradients": no_gradients,
    "inference": torch.inference_mode,
    "strict": strict,
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of a saved model of each kind, and its answers without any setting."""
    folder, answers = tmp_path_factory.mktemp("models"), {}
    for name, (make, use) in KINDS.items():
        make().save_pretrained(folder / name)
        answers[name] = use(loaded(folder / name))
    return folder, answers


@pytest.fixture(autouse=True)
def kept_decisions(saved, monkeypatch):
    """What is fastest here is measured once for all tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(saved[0] / "cache"))


def loaded(directory):
    model = seqgen.load(directory)
    if hasattr(model, "precision"):
        model.precision = "fp32"
    if hasattr(model, "generation"):
        model.generation = model.generation.with_options(precision="fp32")
    return model


def same(one, other):
    """Whether two answers are equal but for rounding."""
    if isinstance(one, float | np.ndarray):
        return np.allclose(one, other, atol=1e-5)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def settings_now():
    return (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_autocast_enabled("cpu"),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.get_num_threads(),
        np.geterr(),
        sys.getrecursionlimit(),
    )


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_no_setting_changes_an_answer_and_no_answer_changes_a_setting(saved, kind, setting):
    folder, answers = saved
    with SETTINGS[setting]():
        before, random_state = settings_now(), torch.get_rng_state()
        model = loaded(folder / kind)
        assert same(answers[kind], KINDS[kind][1](model))
        assert settings_now() == before
        assert torch.equal(torch.get_rng_state(), random_state)
        model.save_pretrained(folder / "again")
    assert all(parameter.dtype == torch.float32 for parameter in model.model.parameters())
    assert not any(parameter.is_inference() for parameter in model.model.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_in_training_stays_in_training(saved, kind):
    folder, answers = saved
    model = loaded(folder / kind)
    list(model.model.train().children())[-1].eval()
    before = [module.training for module in model.model.modules()]
    assert same(answers[kind], KINDS[kind][1](model))
    assert [module.training for module in model.model.modules()] == before


def losses(setting, updates=2):
    """The losses of a translator's first updates."""
    torch.manual_seed(1)
    translator = make_translator(dropout=0.2)
    with setting():
        batches = translator.examples(seqgen.Parallel(["the cat", "a"] * 4, ["tac", "mat"] * 4)).batches(50)
        how = seqgen.optimizers(translator.model, "adamw"), seqgen.Schedule(max_steps=updates)
        starting, loss = batches.starting_at(0), seqgen.target_tokens
        return [step.loss for step in seqgen.train_steps(translator.model, starting, *how, loss_function=loss)]


@pytest.mark.parametrize("setting", [name for name in SETTINGS if name != "autocast"])
def test_no_setting_changes_training(setting):
    assert same(losses(SETTINGS[setting]), losses(nullcontext))


def test_a_surrounding_autocast_calculates_with_the_weights_of_each_update():
    cached, fresh = (
        losses(lambda cache=cache: torch.autocast("cpu", torch.bfloat16, cache_enabled=cache), 6)
        for cache in (True, False)
    )
    assert same(cached, fresh)


def test_a_loop_of_ones_own_obeys_autocast():
    generator = make_generator()
    tokens = torch.zeros(1, 4, dtype=torch.long)
    with torch.autocast("cpu", torch.bfloat16):
        assert generator.model(tokens)[0].dtype == torch.bfloat16


def test_a_stream_changes_no_setting_of_the_loop_that_reads_it():
    with torch.autocast("cpu", torch.bfloat16):
        for _ in make_generator().stream("the", max_new_tokens=3):
            assert torch.is_autocast_enabled("cpu")
            assert not torch.is_inference_mode_enabled()
