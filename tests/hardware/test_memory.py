"""What does not fit the memory is refused before it is made."""

import tracemalloc
from inspect import signature

import pytest
import torch
from making import RECIPES, load_recipe, make_generator, make_translator

from seqgen import patterns
from seqgen.errors import InputError
from seqgen.hardware import building, devices, memory
from seqgen.runs.config import model_options
from seqgen.training.losses import next_token
from seqgen.training.trial import update

SIZES = {"vocab_size": 9, "source_vocab_size": 9, "classes": 3, "tags": 3, "alphabet_size": 9}


def builders():
    for name in RECIPES:
        builder = load_recipe(name).Config.builder
        needed = {given: size for given, size in SIZES.items() if given in signature(builder).parameters}
        needed |= {"categories": 3} if builder is patterns.conditional_generator else {}
        for option in model_options(builder):
            if option.annotation in (int, "int"):
                yield pytest.param(builder, needed, option.name, id=f"{name}-{option.name}")


@pytest.mark.parametrize("size", [10**9, 10**30])
@pytest.mark.parametrize(("builder", "needed", "option"), [*builders()])
def test_a_model_of_any_absurd_size_is_a_sentence_at_once(builder, needed, option, size):
    tracemalloc.start()
    with pytest.raises(InputError, match=r"must fit the memory, but it takes at least|layers must be at|heads must be"):
        builder(**needed, **{option: size})
    assert tracemalloc.get_traced_memory()[1] < 1 << 24
    tracemalloc.stop()


def test_counting_changes_neither_the_weights_nor_the_random_numbers():
    torch.manual_seed(1)
    one = patterns.translator(9, hidden_size=8, embedding_size=4)
    after = torch.rand(3)
    torch.manual_seed(1)
    other = patterns.translator.__wrapped__(9, hidden_size=8, embedding_size=4)
    assert torch.equal(after, torch.rand(3))
    assert all(map(torch.equal, one.parameters(), other.parameters()))


def test_the_limit_is_the_memory_that_is_available(monkeypatch):
    weights = sum(parameter.numel() for parameter in patterns.generator(9).parameters())
    monkeypatch.setattr(building, "available_memory", lambda: memory.FLOAT * weights)
    patterns.generator(9)
    monkeypatch.setattr(building, "available_memory", lambda: memory.FLOAT * weights - 1)
    with pytest.raises(InputError, match=r"a model of these sizes must fit the memory, .*choose smaller sizes"):
        patterns.generator(9)


@pytest.mark.parametrize("options", [{"num_beams": 10**9}, {"num_return_sequences": 10**9}, {"max_new_tokens": 10**15}])
def test_generation_that_does_not_fit_is_a_sentence(options):
    options |= {"do_sample": True} if "num_return_sequences" in options else {}
    for generate in (make_generator().generate, make_translator().translate):
        with pytest.raises(InputError, match="must fit the memory"):
            generate("the cat", **options)


def test_an_update_that_does_not_fit_is_a_sentence(monkeypatch):
    model, tokens = make_generator().model, torch.zeros(100, 100, dtype=torch.long)
    update("test", model, (tokens, tokens), next_token, [])
    monkeypatch.setattr(devices, "available_memory", lambda: 10_000 * 4 * 16)  # of one gate of each
    with pytest.raises(InputError, match=r"an update of .* weights by 10,000 tokens must fit the memory"):
        update("test", model, (tokens, tokens), next_token, [])


def test_a_full_gpu_is_a_sentence(command):
    def main():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    assert command(main) == (
        2,
        "",
        "error: a GPU's memory must be large enough, but it is full: choose a smaller --size, model or batch\n",
    )
