"""Text classifiers that begin with generators of both directions, and learn from unlabelled texts, too."""

import shutil

import pytest
import torch
from making import SMALL, load_recipe, results_of, weights_of
from small_data import BAD, GOOD, labelled

import seqgen
from seqgen.symbols import BOS
from seqgen.text.words import LowercaseWordTokenizer

FIXED = ["--max_steps", 4, "--eval_every", 20, "--precision", "fp32", "--batch_tokens", 200]
UNCHANGED = ["--unfreeze", 0.95, "--averaging", 0]
TEXTS = [*GOOD, *BAD]


@pytest.fixture
def generators(command, tmp_path):
    """Generators of both directions, trained on the texts for a few steps."""
    (tmp_path / "texts.txt").write_text("".join(f"{text} {number}\n" for number in range(20) for text in TEXTS))
    options = ["--data", tmp_path / "texts.txt", "--documents", "lines", "--tokenizer", "lowercase-word", *SMALL]
    for direction in ("forward", "backward"):
        given = [
            "--direction",
            direction,
            "--max_steps",
            4,
            "--output_dir",
            tmp_path / direction,
            "--seed",
            len(direction),
        ]
        code, _, err = command(load_recipe("char_generator").main, *options, *given)
        assert code == 0, err
    return [seqgen.load(tmp_path / direction) for direction in ("forward", "backward")]


@pytest.fixture
def train(command, tmp_path):
    def run(*options, directory="run"):
        given = [*labelled(tmp_path), "--output_dir", tmp_path / directory, *FIXED, *options]
        return command(load_recipe("text_classifier").main, *given)

    return run


@pytest.fixture
def both(generators, tmp_path):
    return ["--init_from", tmp_path / "forward", "--init_from_backward", tmp_path / "backward"]


def test_a_run_begins_with_the_states_of_both_generators(train, both, generators, tmp_path):
    code, _, err = train(*both, *UNCHANGED)
    assert code == 0, err
    encoder = seqgen.load(tmp_path / "run").model.encoder
    tokens = generators[0].tokenizer.encode("a good film").tolist()
    with torch.no_grad():
        found = encoder(torch.tensor([[BOS, *tokens]])).states[0]
        readings = [[BOS, *tokens], [BOS, *reversed(tokens)]]
        forward, backward = (
            one.model.recurrent(one.model.embedding(torch.tensor([read])))[0][0]
            for one, read in zip(generators, readings, strict=True)
        )
    torch.testing.assert_close(found[:, : forward.shape[1]], forward)
    torch.testing.assert_close(found[:, -backward.shape[1] :], backward.flip(0))


def test_later_layers_of_both_directions_are_trained(train, both, generators, tmp_path):
    code, _, err = train(*both, "--unfreeze", 0.3, "--averaging", 0)
    assert code == 0, err
    encoder = seqgen.load(tmp_path / "run").model.encoder
    for stack, generator in zip((encoder.forwards, encoder.backwards), generators, strict=True):
        name = "layers.0.weight_hh_l0"
        assert (stack.state_dict()[name] != generator.model.recurrent.state_dict()[name]).any()


OPTIONS = ["--lm_loss", 0.1, "--adversarial", 0.05, "--virtual_adversarial", 0.05]


def test_a_resumed_run_with_everything_ends_with_the_same_weights(train, both, tmp_path):
    more = [*both, *OPTIONS, "--unlabelled", tmp_path / "texts.txt", "--decay", "none", "--warm_up", 0, "--unfreeze", 0]
    code, _, err = train(*more, directory="whole")
    assert code == 0, err
    assert "unlabelled texts: 120" in err
    train(*more, "--max_steps", 2)
    for direction in ("forward", "backward"):  # of which the run has copies
        shutil.rmtree(tmp_path / direction)
    code, _, err = train("--resume")
    assert code == 0, err
    assert weights_of(tmp_path / "run") == weights_of(tmp_path / "whole")


def test_tokens_are_added_to_both_directions(train, both, generators, tmp_path):
    code, _, err = train(*both, "--new_tokens", "extend", "--lm_loss", 0.1)
    assert code == 0, err
    found = seqgen.load(tmp_path / "run")
    assert found.tokenizer.vocab_size >= generators[0].tokenizer.vocab_size
    sizes = found.model.encoder.embedding.weight.shape
    assert sizes == (found.tokenizer.vocab_size, 2 * generators[0].model.embedding.embedding_dim)


def test_unlabelled_texts_alone_are_learned_from(train, tmp_path):
    (tmp_path / "more.csv").write_text("text,source\n" + "".join(f"{text},web\n" for text in TEXTS))
    more = ["--virtual_adversarial", 0.1, "--unlabelled", tmp_path / "more.csv", "--max_steps", 60]
    code, _, err = train(*more, "--hidden_size", 12, "--embedding_size", 8)
    assert code == 0, err
    assert "unlabelled texts: 6" in err
    assert results_of(tmp_path / "run")["test_accuracy"] > 0.9


def test_what_does_not_fit_is_a_sentence(train, both, generators, tmp_path):
    def refused(*options):
        code, _, err = train(*options, directory="refused")
        assert code == 2
        assert "Traceback" not in err
        assert not (tmp_path / "refused").exists()
        return " ".join(err.split())

    forward, backward = tmp_path / "forward", tmp_path / "backward"
    assert "--init_from_backward must be given with --init_from" in refused("--init_from_backward", backward)
    assert "--init_from must read forward" in refused("--init_from", backward)
    assert "but it reads forward" in refused("--init_from", forward, "--init_from_backward", forward)
    assert "--lm_loss must be given with a generator" in refused("--lm_loss", 0.1)
    assert "--lm_loss must be finite and at least 0, not -1" in refused(*both, "--lm_loss", -1)
    assert "--unlabelled must be given with --virtual_adversarial" in refused("--unlabelled", tmp_path / "texts.txt")
    assert "bidirectional must be true" in refused(*both, "--bidirectional", "false")
    other = LowercaseWordTokenizer.fit("another text with another vocabulary " * 3)
    one = seqgen.Generator.untrained(tokenizer=seqgen.BackwardTokenizer(other), hidden_size=16, embedding_size=8)
    one.save_pretrained(tmp_path / "other")
    assert "must have the vocabulary" in refused("--init_from", forward, "--init_from_backward", tmp_path / "other")
    tokenizer = generators[1].tokenizer
    seqgen.Generator.untrained(tokenizer=tokenizer, cell="gru", hidden_size=16).save_pretrained(tmp_path / "gru")
    found = refused("--init_from", forward, "--init_from_backward", tmp_path / "gru")
    assert "lstm, hidden_size 16, layers 1, but it has gru" in found
    train("--hidden_size", 12, "--embedding_size", 8, directory="classifier")
    found = refused("--init_from", forward, "--init_from_backward", tmp_path / "classifier")
    assert "must be a saved generator of seqgen's own builder" in found
    (tmp_path / "empty.txt").write_text("\n\n")
    asked = "--virtual_adversarial", 0.1, "--unlabelled", tmp_path / "empty.txt"
    assert "empty.txt must have texts, but it has none" in refused(*asked)
