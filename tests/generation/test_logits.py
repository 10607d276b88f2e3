import pytest
import torch

from seqgen.errors import InputError
from seqgen.generation.config import GenerationConfig
from seqgen.generation.history import History
from seqgen.generation.logits import min_p, processor, repetition_penalty, top_k, top_p
from seqgen.generation.sampling import choose
from seqgen.symbols import EOS


def kept(logits):
    return [row.isfinite().nonzero().flatten().tolist() for row in logits]


@pytest.mark.parametrize("k", [1, 2, 5, 20])
def test_top_k_keeps_the_k_largest(k):
    logits = torch.randn(4, 20)
    for row, numbers in zip(logits, kept(top_k(logits, k)), strict=True):
        assert sorted(numbers) == sorted(row.topk(k).indices.tolist())


def test_top_k_among_equals_keeps_exactly_k():
    assert kept(top_k(torch.zeros(1, 10), 3)) == [[0, 1, 2]]


def test_a_k_larger_than_the_vocabulary_keeps_all():
    logits = torch.randn(2, 5)
    assert torch.equal(top_k(logits, 50), logits)


@pytest.mark.parametrize("p", [0.01, 0.3, 0.9, 1.0])
def test_top_p_keeps_the_smallest_set_of_that_probability(p):
    logits = torch.randn(5, 30) * 2
    for row, numbers in zip(logits.softmax(-1), kept(top_p(logits, p)), strict=True):
        assert numbers
        mass, out = row[numbers].sum(), row.clone()
        out[numbers] = 0
        assert mass >= p - 1e-5
        assert mass - row[numbers].min() < p
        assert out.max() <= row[numbers].min()


def test_top_p_among_equals_keeps_no_more_than_it_needs():
    assert kept(top_p(torch.zeros(1, 4), 0.5)) == [[0, 1]]


def test_min_p_compares_with_the_likeliest():
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
    assert kept(min_p(logits, 0.3)) == [[0, 1, 2]]
    assert kept(min_p(logits, 1.0)) == [[0]]
    assert kept(min_p(logits, 0.0)) == [[0, 1, 2, 3]]


def at_temperature(logits, temperature):
    config = GenerationConfig(temperature=temperature)
    rows = list(range(len(logits)))
    return processor(config, History([[]] * len(logits), logits.shape[1], config))(logits, rows)


def test_a_temperature_towards_zero_is_the_argmax():
    logits = torch.randn(50, 30)
    chosen = choose(at_temperature(logits, 1e-6), torch.rand(50, 1, dtype=torch.float64))
    assert torch.equal(chosen, logits.argmax(-1))
    for least in (1e-30, 1e-300):
        assert at_temperature(logits, least).isfinite().all()


def test_temperature_sharpens_and_flattens():
    logits = torch.randn(1, 30)
    entropies = [torch.distributions.Categorical(logits=at_temperature(logits, t)).entropy() for t in (0.5, 1.0, 2.0)]
    assert entropies[0] < entropies[1] < entropies[2]


def test_choosing_follows_the_probabilities():
    probabilities = torch.tensor([0.5, 0.0, 0.3, 0.2])
    uniform = torch.linspace(0, 1, 10_001, dtype=torch.float64)[:-1, None]
    counts = choose(probabilities.log().expand(10_000, 4), uniform).bincount(minlength=4) / 10_000
    torch.testing.assert_close(counts, probabilities, atol=2e-4, rtol=0)
    assert counts[1] == 0


def test_where_nothing_may_be_written_the_row_ends():
    logits = torch.full((1, 6), float("-inf"))
    assert choose(logits, None).item() == EOS
    assert choose(logits, torch.tensor([[0.5]], dtype=torch.float64)).item() == EOS


def test_the_repetition_penalty_lowers_used_tokens_only():
    logits = torch.tensor([[2.0, -2.0, 2.0, -2.0]])
    used = torch.tensor([[True, True, False, False]])
    assert repetition_penalty(logits, used, 2.0).tolist() == [[1.0, -4.0, 2.0, -2.0]]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_ngram_is_completed_twice(size):
    config = GenerationConfig(no_repeat_ngram_size=size)
    history = History([[5, 6, 7, 5, 6]], 10, config)
    expected = {1: {5, 6, 7}, 2: {7}, 3: {7}}[size]
    logits = processor(config, history)(torch.zeros(1, 10), [0])
    assert set(range(10)) - set(kept(logits)[0]) == expected


def test_suppressed_tokens_and_an_early_end_are_never_chosen():
    config = GenerationConfig(suppress_tokens=(4, 5), min_new_tokens=2)
    history = History([[6]], 8, config)
    process = processor(config, history)
    assert kept(process(torch.zeros(1, 8), [0])) == [[0, 1, 3, 6, 7]]
    history.written = 2
    assert EOS in kept(process(torch.zeros(1, 8), [0]))[0]


def test_the_logits_of_the_model_are_not_changed():
    logits = torch.zeros(1, 8)
    config = GenerationConfig(suppress_tokens=(4,), top_k=2)
    processor(config, History([[6]], 8, config))(logits, [0])
    assert (logits == 0).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": 0},
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"top_p": 1.5},
        {"top_p": 0},
        {"min_p": 2},
        {"top_k": 0},
        {"max_new_tokens": 0},
        {"repetition_penalty": 0},
        {"no_repeat_ngram_size": -1},
        {"num_return_sequences": 0},
        {"stop_strings": [""]},
        {"seed": -1},
        {"max_new_tokens": 2.5},
        {"temperature": "hot"},
        {"temperature": None},
        {"stop_strings": 5},
        {"top_k": "many"},
        {"top_k": True},
    ],
)
def test_a_value_out_of_range_is_named(wrong):
    [(name, value)] = wrong.items()
    with pytest.raises(InputError, match=rf"{name} must be .*, not ") as caught:
        GenerationConfig().with_options(**wrong)
    assert str(value).strip("[]") in str(caught.value)


def test_misspelt_and_contradictory_options_are_errors():
    with pytest.raises(InputError, match=r"'temprature' \(did you mean temperature\?\)"):
        GenerationConfig().with_options(temprature=1)
    with pytest.raises(InputError, match="do_sample"):
        GenerationConfig(do_sample=False, num_return_sequences=2)
