"""The n-gram model: probabilities that sum to one and are those of nltk, and a decoder like any other."""

import json
import math
import random

import numpy as np
import pytest
import safetensors.torch
import torch
from making import TEXT
from nltk.lm import KneserNeyInterpolated
from nltk.util import everygrams

import seqgen
from seqgen.cli import main as cli
from seqgen.errors import InputError
from seqgen.ngram import NGram
from seqgen.symbols import BOS, EOS, SYMBOLS

WORDS = 12  # tokens of a small random text, beside the special ones
SIZE = len(SYMBOLS) + WORDS


def random_text(length=400, seed=0):
    """A text whose tokens depend on those before, but are rare enough that many n-grams of a test are unseen."""
    generator, text = random.Random(seed), [SIZE - 1]
    while len(text) < length:
        text.append(len(SYMBOLS) + (text[-1] * generator.choice([1, 2, 5]) + generator.choice([0, 0, 1])) % WORDS)
    return np.array(text)


def probability(model, context, token):
    """The probability of a token after a context, by steps."""
    state = model.start(batch_size=1)
    for each in context:
        logits, state = model.step(torch.tensor([each]), state)
    return logits[0, token].exp().item()


@pytest.fixture(scope="module")
def generator():
    tokenizer = seqgen.CharacterTokenizer.fit([TEXT])
    model = NGram.fit(tokenizer.encode(TEXT), vocab_size=tokenizer.vocab_size, order=4)
    return seqgen.Generator.of(model, tokenizer=tokenizer)


@pytest.mark.parametrize("order", [1, 2, 3, 6])
@pytest.mark.parametrize("discount", [None, 0.75])
def test_probabilities_sum_to_one_after_seen_and_unseen_contexts(order, discount):
    model = NGram.fit(random_text(), vocab_size=SIZE, order=order, discount=discount)
    assert model.order == order
    contexts = torch.randint(SIZE, (200, 5), generator=torch.Generator().manual_seed(0))
    contexts[:100] = torch.from_numpy(np.stack([random_text(seed=1)[place : place + 5] for place in range(100)]))
    logits, _ = model(contexts)
    assert (logits.double().exp().sum(dim=2) - 1).abs().max() < 1e-5
    assert logits.isfinite().all()


def test_order_1_is_the_unigram_and_forgets_what_it_read():
    text = random_text()
    model = NGram.fit(text, vocab_size=SIZE, order=1, discount=0.5)
    counts = np.bincount(text, minlength=SIZE)
    expected = ((counts - 0.5).clip(0) + 0.5 * (counts > 0).sum() / SIZE) / len(text)
    logits, _ = model(torch.arange(SIZE)[None])
    assert torch.allclose(logits[0].exp(), torch.from_numpy(expected).float().expand(SIZE, SIZE), atol=1e-6)


def nltks(text, order, discount):
    """nltk's model, but with unigrams that leave something to tokens without a count, which nltk gives none."""
    model = KneserNeyInterpolated(order, discount=discount)
    # One BOS before the text, as ours has it.
    grams = everygrams([str(BOS), *map(str, text)], max_len=order)
    model.fit([[gram for gram in grams if gram != (str(BOS),)]], [*map(str, range(SIZE))])
    left = discount * len(np.unique(text)) / SIZE

    def unigram_score(word):
        count, total = model.estimator._continuation_counts(word)
        return (max(count - discount, 0) + left) / total

    model.estimator.unigram_score = unigram_score
    return model


@pytest.mark.parametrize(("order", "discount"), [(2, 0.3), (3, 0.75), (4, 0.5)])
def test_a_small_text_has_the_probabilities_of_nltk(order, discount):
    text = random_text(120)
    model = NGram.fit(text, vocab_size=SIZE, order=order, discount=discount)
    theirs = nltks(text, order, discount)
    # Not compared is what follows BOS, which is counted otherwise.
    seen = [text[place : place + order - 1].tolist() for place in (3, 40, 77)]
    unseen = [[4, *seen[0]][: order - 1], [SIZE - 1] * (order - 1)]
    for context in seen + unseen:
        for token in range(len(SYMBOLS), SIZE):
            wanted = theirs.score(str(token), [*map(str, context)])
            assert probability(model, context, token) == pytest.approx(wanted, rel=1e-4), (context, token)


def test_it_is_a_decoder_and_a_row_does_not_depend_on_its_neighbours():
    for order in (1, 2, 5):
        model = NGram.fit(random_text(), vocab_size=SIZE, order=order)
        found = seqgen.check_decoder(model, SIZE)
        assert any("equal step after step" in line for line in found)
        assert any("neighbours" in line for line in found)


def test_the_score_of_a_text_is_that_of_its_steps():
    text, other = random_text(), random_text(60, seed=3)
    model = NGram.fit(text, vocab_size=SIZE, order=4)
    logits, _ = model(torch.from_numpy(np.append(BOS, other[:-1]))[None])
    assert model.score(other) == pytest.approx(logits[0, range(60), other].numpy(), abs=1e-5)


def test_no_ngram_crosses_the_end_of_a_document():
    documents = [[4, 5, 6, EOS], [7, 8, EOS], [4, 5, EOS], [9, EOS]]
    one = NGram.fit(np.concatenate(documents), vocab_size=SIZE, order=4)
    other = NGram.fit(np.concatenate(documents[::-1]), vocab_size=SIZE, order=4)
    assert all(torch.equal(weight, other.state_dict()[name]) for name, weight in one.state_dict().items())
    scores = [one.score(np.array(document)) for document in documents]
    assert one.score(np.concatenate(documents)) == pytest.approx(np.concatenate(scores), abs=1e-6)
    assert probability(one, [BOS], 4) > probability(one, [BOS], 7) > probability(one, [BOS], 6)


def test_a_beginning_is_counted_as_often_as_it_is_there():
    """What begins a document has no token before it that could be counted instead (Heafield et al. 2013)."""
    often = NGram.fit(np.array([*[4, 5, EOS] * 50, *[6, 5, EOS] * 10]), vocab_size=SIZE, order=3)
    assert probability(often, [BOS], 4) > 3 * probability(often, [BOS], 6)


def test_more_context_is_better_until_it_is_not():
    text, valid = random_text(4000), random_text(1000, seed=5)
    losses = [-NGram.fit(text, vocab_size=SIZE, order=order).score(valid).mean() for order in range(1, 7)]
    chosen = NGram.fit(text, vocab_size=SIZE, order=6, valid=valid)
    assert losses[0] > losses[1]
    assert chosen.order < 6
    assert -chosen.score(valid).mean() == pytest.approx(losses[chosen.order - 1])
    assert losses[chosen.order - 1] < 1.002 * min(losses)


def test_the_size_of_the_vocabulary_changes_no_counts():
    one, other = (NGram.fit(random_text(), vocab_size=size, order=5) for size in (SIZE, 2**48))
    assert one.ngrams == other.ngrams
    assert torch.equal(one.log_weights, other.log_weights)


def test_a_text_shorter_than_the_order_has_shorter_ngrams():
    model = NGram.fit(np.array([4, 5]), vocab_size=SIZE, order=9)
    assert model.order == 3
    assert model.score(np.array([4, 5])).mean() > model.score(np.array([5, 4])).mean()


def test_it_continues_streams_scores_and_searches(generator):
    prompt = "the dog"
    [text] = generator.generate(prompt, max_new_tokens=60, seed=7)
    assert text == "".join(generator.stream(prompt, max_new_tokens=60, seed=7))
    assert generator.generate([prompt, "", "a"], seed=7)[0] == generator.generate(prompt, seed=7)[0]
    [greedy] = generator.generate(prompt, do_sample=False, max_new_tokens=40)
    assert greedy[len(prompt) :].split()[:3] == ["sat", "on", "the"]
    [found] = generator.generate(prompt, num_beams=4, max_new_tokens=15)
    [alone] = generator.generate(prompt, do_sample=False, max_new_tokens=15)
    assert generator.score(found).log_probability >= generator.score(alone).log_probability - 1e-4
    score, encoded = generator.score("the cat sat"), generator.tokenizer.encode("the cat sat")
    assert score.log_probabilities == pytest.approx(generator.model.score(encoded).tolist(), abs=1e-5)
    assert generator.score("tac eht").perplexity > generator.score("the cat").perplexity


def test_of_documents_it_ends_its_texts():
    tokenizer = seqgen.CharacterTokenizer.fit([TEXT])
    documents = [np.append(tokenizer.encode(word), EOS) for word in TEXT.split()]
    model = NGram.fit(np.concatenate(documents), vocab_size=tokenizer.vocab_size, order=5)
    texts = seqgen.Generator.of(model, tokenizer=tokenizer, ends=True).generate([""] * 30, temperature=0.5, seed=1)
    assert sum(text in TEXT.split() for text in texts) > 20


def test_saved_and_loaded_it_has_the_same_probabilities(generator, tmp_path, command):
    generator.save_pretrained(tmp_path)
    again = seqgen.load(tmp_path)
    assert type(again.model) is NGram
    assert again.score(TEXT[:99]) == generator.score(TEXT[:99])
    assert str(seqgen.check_bundle(generator)).startswith("ok: ")
    assert again.device == torch.device("cpu")
    code, out, err = command(cli.main, "generate", tmp_path, "the ", "--seed", 3, "--max_new_tokens", 20)
    assert (code, out.rstrip("\n")) == (0, generator.generate("the ", seed=3, max_new_tokens=20)[0].rstrip("\n")), err
    code, out, err = command(cli.main, "info", tmp_path, "--json")
    assert code == 0, err
    described = json.loads(out)
    assert described["model"]["ngrams"] == generator.model.ngrams
    assert described["model"]["parameters"] == sum(weight.numel() for weight in generator.model.parameters())
    assert described["commands"][0].startswith("seqgen generate ")
    (tmp_path / "text.txt").write_text(TEXT)
    code, out, err = command(cli.main, "evaluate", tmp_path, tmp_path / "text.txt", "--json")
    encoded = generator.tokenizer.encode(TEXT)
    assert json.loads(out)["loss"] == pytest.approx(-generator.model.score(encoded).mean(), abs=0.02), err


def test_a_damaged_tree_is_refused(generator, tmp_path):
    generator.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    whole = safetensors.torch.load_file(path)
    keys = whole["keys"]
    for damaged in (keys.flip(0), keys + 10**9, keys - 5, torch.zeros_like(keys), keys * 2, torch.arange(len(keys))):
        safetensors.torch.save_file(whole | {"keys": damaged.contiguous()}, path)
        with pytest.raises(InputError, match="must be sorted and of contexts that it has"):
            seqgen.load(tmp_path)
    safetensors.torch.save_file(whole, path)
    config = json.loads((tmp_path / "config.json").read_text())
    for ngrams in ([], [2**70], [10**12], [-1], ["a"], [1] * 9, None, 3):
        (tmp_path / "config.json").write_text(json.dumps(config | {"arguments": {"vocab_size": 9, "ngrams": ngrams}}))
        with pytest.raises(InputError) as caught:
            seqgen.load(tmp_path)
        assert "\n" not in str(caught.value)


def test_a_model_of_another_vocabulary_is_refused(generator):
    other = NGram.fit(random_text(), vocab_size=SIZE)
    with pytest.raises(InputError, match=f"tokenizer, {generator.tokenizer.vocab_size} tokens, not {SIZE}"):
        seqgen.Generator.of(other, tokenizer=generator.tokenizer)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"order": 0}, "order must be at least 1, not 0"),
        ({"discount": 1.0}, "discount must be between 0 and 1, not 1.0"),
        ({"vocab_size": 9}, "tokens must be from 0 to 8, not from 4 to 15"),
        ({"tokens": np.array([], int)}, "tokens must be at least one beside BOS"),
        ({"tokens": [BOS]}, "tokens must be at least one beside BOS"),
        ({"tokens": np.ones((2, 2), int) * 5}, r"tokens must be a row of whole numbers, not int64 of shape \(2, 2\)"),
        ({"tokens": [0.5]}, "tokens must be"),
        ({"order": 1.5}, "order must be a whole number"),
        ({"valid": np.array([-1])}, "valid must be from 0 to 15, not from -1 to -1"),
    ],
)
def test_a_mistake_is_one_sentence(changed, sentence):
    with pytest.raises(InputError, match=sentence):
        NGram.fit(**({"tokens": random_text(), "vocab_size": SIZE} | changed))


def test_the_perplexity_of_a_repeated_text_is_near_one():
    model = NGram.fit(np.array([4, 5, 6, 7] * 500), vocab_size=SIZE, order=5)
    assert math.exp(-model.score(np.array([4, 5, 6, 7] * 10))[4:].mean()) < 1.5
