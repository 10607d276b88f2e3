"""Runs of generators that learn texts from their end."""

import pytest
from making import TEXT, results_of, weights_of

import seqgen
from seqgen.cli import main as cli


@pytest.mark.parametrize("options", [["--documents", "lines"], ["--tokenizer", "word"]])
def test_a_run_from_the_end_is_used_like_any_other(train, command, tmp_path, options):
    code, out, err = train("--direction", "backward", "--max_steps", 150, "--hidden_size", 64, *options)
    assert code == 0, err
    assert results_of(tmp_path / "run")["val_loss"] < 1
    code, out, err = command(cli.main, "generate", tmp_path / "run", "log.", "--max_new_tokens", 30, "--seed", 1)
    assert code == 0, err
    assert out.rstrip("\n").endswith("log.")
    assert len(out) > 10
    code, out, err = command(cli.main, "evaluate", tmp_path / "run", "--data", tmp_path / "text.txt")
    assert code == 0, err
    code, out, err = command(cli.main, "info", tmp_path / "run")
    assert ", backward" in out


def test_what_it_generates_before_a_prompt_is_what_stands_there(train, tmp_path):
    by_heart = ["--dropout", 0, "--weight_drop", 0, "--documents", "lines", "--max_steps", 200, "--hidden_size", 64]
    code, _, err = train("--direction", "backward", *by_heart)
    assert code == 0, err
    texts = seqgen.load(tmp_path / "run").generate(["log."] * 20, max_new_tokens=100, temperature=0.5)
    assert sum(text == TEXT.splitlines()[0] for text in texts) > 10


def test_it_goes_on_backward_resumed_or_with_another_text(train, tmp_path):
    half = ["--direction", "backward", "--decay", "none", "--warm_up", 0]
    train(*half, "--max_steps", 4, directory=tmp_path / "whole")
    train(*half, "--max_steps", 2)
    code, _, err = train("--max_steps", 4, "--resume")
    assert code == 0, err
    assert weights_of(tmp_path / "run") == weights_of(tmp_path / "whole")
    code, _, err = train("--init_from", tmp_path / "run", "--max_steps", 2, directory=tmp_path / "further")
    assert code == 0, err
    assert seqgen.load(tmp_path / "further").backward
    asked = ["--init_from", tmp_path / "run", "--direction", "forward", "--max_steps", 2]
    code, _, err = train(*asked, directory=tmp_path / "refused")
    assert code == 2
    assert "--direction must be that of the model" in err
