"""Every pattern learns and is used on a GPU: on the real one of this machine, or on a pretended one."""

from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest
import torch
from making import (
    CELLS,
    RECIPES,
    TEXT,
    load_recipe,
    make_captioner,
    make_conditional_generator,
    make_generator,
    make_image_classifier,
    make_tagger,
    make_text_classifier,
    make_translator,
    results_of,
)
from pretended_gpu import GPU
from small_batches import IMAGE, example, pair, text
from small_data import small_options

from seqgen.batches.semi_supervised import SemiSupervised
from seqgen.inference.classifiers import TextClassifier
from seqgen.nn.dropout import LockedDropout
from seqgen.runs import run, training
from seqgen.runs.processes import Processes
from seqgen.training.adversarial import adversarial, virtual_adversarial
from seqgen.training.averaging import Average
from seqgen.training.cross_entropy import sampling_shares
from seqgen.training.language_model import OutputLayer, with_language_model
from seqgen.training.loop import train_steps
from seqgen.training.losses import evaluate, next_token, right_answer, target_tokens
from seqgen.training.optimizers import optimizers
from seqgen.training.schedules import Schedule
from seqgen.training.self_critical import cider_loss

# What makes each model, the methods that use it, and the batches and losses that train it.
GENERATORS = {f"{cell} generator": partial(make_generator, cell=cell) for cell in CELLS} | {
    "generator with everything": partial(
        make_generator, layers=2, dropout=0.5, embedding_dropout=0.5, weight_drop=0.5, tie_embeddings=True
    )
}
TRANSLATORS = {
    "translator": make_translator,
    "translator with everything": partial(
        make_translator, cell="gru", attention="additive", heads=2, input_feeding=True, word_dropout=0.5
    ),
}
EXAMPLES = {
    "text classifier": (make_text_classifier, ["a fine film", "dull"], [1, 0]),
    "text classifier with attention": (
        partial(make_text_classifier, pooling="attentive", layers=2),
        ["fine", "film"],
        [1, 2],
    ),
    "image classifier": (make_image_classifier, [IMAGE, IMAGE], [1, 2]),
}
PAIRS = TRANSLATORS | {
    "captioner": make_captioner,
    "captioner with a gate": partial(make_captioner, gated=True),
    "conditional generator": make_conditional_generator,
    "conditional generator of numbers": partial(make_conditional_generator, (), [0.0], [1.0]),
}
INPUTS = {
    "captioner": [IMAGE, IMAGE],
    "conditional generator": ["cat", "dog"],
    "conditional generator of numbers": [[1.0], [2.0]],
}


def inputs_of(name):
    return INPUTS.get(name, [IMAGE, IMAGE] if "captioner" in name else ["the cat sat.", "on"])


def learns(bundle, batches, loss_function, name="muon"):
    """Two updates, as in training, and the moving average of the weights; all of it stays on the GPU."""
    model = bundle.to(GPU).model
    average = Average(model, lambda updates: 10.0)
    steps = train_steps(
        model, batches, optimizers(model, name), Schedule(max_steps=len(batches)), loss_function=loss_function
    )
    for _ in steps:
        average.update_parameters(model)
    assert all(tensor.is_cuda for tensor in (*model.parameters(), *average.module.parameters()))
    assert np.isfinite(evaluate(model, batches, loss_function))


@pytest.mark.parametrize("name", ["muon", "adamw"])
@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
def test_generators_learn(gpu, make, name):
    bundle = make()
    learns(bundle, text(bundle), partial(next_token, label_smoothing=0.1), name)


def test_a_sampled_softmax_learns(gpu):
    bundle = make_generator()
    shares = sampling_shares(torch.ones(bundle.tokenizer.vocab_size), 5).to(gpu)
    learns(bundle, text(bundle), partial(next_token, shares=shares))


@pytest.mark.parametrize(("make", "given", "targets"), EXAMPLES.values(), ids=EXAMPLES)
def test_classifiers_learn(gpu, make, given, targets):
    bundle = make()
    weights = torch.tensor([1.0, 2.0, 3.0]).to(gpu)
    loss = partial(right_answer, class_weights=weights, label_smoothing=0.1)
    learns(bundle, [example(bundle, given, targets)] * 2, loss)


def test_adversarial_training_learns(gpu):
    bundle = make_text_classifier()
    labelled, unlabelled = (example(bundle, texts, [1, 0]) for texts in (["a fine film", "dull"], ["film", "fine"]))
    learns(bundle, [labelled] * 2, adversarial(right_answer, 0.1))
    learns(bundle, [SemiSupervised(labelled, unlabelled)] * 2, virtual_adversarial(right_answer, 0.1))


def test_a_language_model_loss_beside_that_of_the_classes_is_learned(gpu):
    generator = make_generator()
    bundle = TextClassifier.from_generator(generator.to(gpu), ["a", "b"])
    model = generator.model.requires_grad_(False)
    loss = with_language_model(right_answer, [OutputLayer(model.projection, model.output)], 0.1)
    learns(bundle, [example(bundle, ["the cat", "the"], [1, 0])] * 2, loss)


@pytest.mark.parametrize("words", [False, True])
def test_taggers_learn(gpu, words):
    bundle = make_tagger(words)
    sentence = ["the", "cat"] if words else "the"
    learns(bundle, [example(bundle, [sentence, sentence], [[0, 1, 2][: len(sentence)]] * 2)] * 2, right_answer)


@pytest.mark.parametrize("name", PAIRS)
def test_what_writes_to_an_input_learns(gpu, name):
    bundle = PAIRS[name]()
    loss = partial(target_tokens, label_smoothing=0.1, scheduled_sampling=0.5, doubly_stochastic=0.5)
    learns(bundle, [pair(bundle, *inputs_of(name))] * 2, loss)


def test_self_critical_training_learns(gpu):
    bundle = make_captioner()
    loss = cider_loss(bundle.generation, bundle.target, [["w1 w2", "w3"], ["w4 w5"]], target_tokens)
    learns(bundle, [pair(bundle, IMAGE, IMAGE)] * 2, loss)


@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
def test_generators_write(gpu, make):
    bundle = make().to(gpu)
    prompts, penalties = ["the ", "the dog sat on the log. "], {"repetition_penalty": 1.2, "no_repeat_ngram_size": 3}
    words, processed = {"force_words": ["dog", "e c"]}, {"logits_processor": [lambda tokens, scores: scores / 2]}
    sampling = penalties | {"top_k": 5, "top_p": 0.9, "min_p": 0.01}
    for options in ({}, sampling | processed, penalties | {"num_beams": 3}, {"num_beams": 3} | words | processed):
        texts = bundle.generate(prompts, max_new_tokens=20, seed=1, **options)
        assert all(written.startswith(prompt) for written, prompt in zip(texts, prompts, strict=True))
    assert "".join(bundle.stream("the ", max_new_tokens=20, stop_strings=["a"])).startswith("the ")
    assert bundle.score(TEXT).perplexity == pytest.approx(make().score(TEXT).perplexity, rel=1e-4)


@pytest.mark.parametrize(("make", "given", "targets"), EXAMPLES.values(), ids=EXAMPLES)
def test_classifiers_answer(gpu, make, given, targets):
    expected = make().probabilities(given)
    np.testing.assert_allclose(make().to(gpu).probabilities(given), expected, atol=1e-5)


@pytest.mark.parametrize("words", [False, True])
def test_taggers_answer(gpu, words):
    there, here = make_tagger(words).to(gpu).tag("the cat sat")[0], make_tagger(words).tag("the cat sat")[0]
    assert [one.token for one in there] == [one.token for one in here]
    assert [one.probability for one in there] == pytest.approx([one.probability for one in here], abs=1e-5)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("options", [{"num_beams": 3, "num_beam_groups": 3}, {"num_beams": 1}])
def test_what_writes_to_an_input_writes(gpu, name, options):
    bundle = PAIRS[name]().to(gpu)
    rows = [bundle.encode(one) for one in inputs_of(name)]
    for more in ({"do_sample": False}, {"do_sample": True, "seed": 1, "num_beams": 1, "num_beam_groups": 1}):
        written = bundle.write(rows, return_attention=True, **(options | more))
        assert len(written) == len(rows)
        assert all(len(of_row[0].weights) for of_row in written)


def test_a_classifier_can_begin_with_a_generator_of_the_gpu(gpu):
    here = TextClassifier.from_generator(make_generator(), ["a", "b"])
    there = TextClassifier.from_generator(make_generator().to(gpu), ["a", "b"])
    for name, tensor in here.model.encoder.state_dict().items():
        torch.testing.assert_close(there.model.encoder.state_dict()[name].cpu(), tensor.cpu())


def test_a_model_of_the_gpu_is_saved(gpu, tmp_path):
    make_generator().to(gpu).save_pretrained(tmp_path / "there")
    make_generator().save_pretrained(tmp_path / "here")
    for path in (tmp_path / "here").iterdir():
        assert path.read_bytes() == (tmp_path / "there" / path.name).read_bytes()


@pytest.mark.parametrize("mistake", ["forward", "input", "target"])
def test_a_mixture_is_found(gpu, monkeypatch, mistake):
    def forward(self, x):
        return x * (torch.rand(x.shape[0], 1, x.shape[2]) >= self.p)

    if mistake == "forward":
        monkeypatch.setattr(LockedDropout, "forward", forward)
    bundle = make_text_classifier().to(gpu)
    batch = example(bundle, ["a fine film", "dull"], [1, 0]).to("cpu" if mistake == "input" else gpu)
    if mistake == "target":
        batch = batch._replace(targets=torch.tensor([1, 0]))
    with pytest.raises(RuntimeError, match=r"(?i)expected all tensors (to be )?on the same device"):
        right_answer(bundle.model.train(), batch)


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_train_and_go_on(gpu, command, monkeypatch, tmp_path, name):
    class OnOneGPU(Processes):
        def __init__(self, device):
            super().__init__("cpu")
            self.device = gpu

        def random_state(self):
            return {"cpu": torch.get_rng_state()}

        def load_random_state(self, state):
            torch.set_rng_state(state["cpu"])

    if not torch.cuda.is_available():
        monkeypatch.setattr(run, "Processes", OnOneGPU)
        monkeypatch.setattr(training, "unchanged_random_state", lambda device: nullcontext())
    directory = ["--output_dir", tmp_path / "run"]
    first = [*small_options(name, tmp_path), "--device", "cuda", "--eval_every", 2, "--max_steps", 2]
    for options in (first, ["--max_steps", 4, "--resume"]):
        code, _, err = command(load_recipe(name).main, *directory, *options)
        assert code == 0, err
        assert "parameters on cuda" in err
    assert results_of(tmp_path / "run")["steps"] == 4
