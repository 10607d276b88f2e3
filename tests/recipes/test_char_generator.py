import errno
import json
import os
import re
import shlex

import pytest
import yaml
from making import RUN_FILES, TEXT, results_of, weights_of

import seqgen
from seqgen import files
from seqgen.batches.text import TextBatches
from seqgen.cli import main as cli
from seqgen.runs import markov_chain
from seqgen.training.losses import next_token

RESULTS = {
    "val_loss",
    "bits_per_character",
    "perplexity",
    "steps",
    "seconds",
    "tokens_per_second",
    "parameters",
    "precision",
    "threads",
    "seed",
}


@pytest.mark.figures
def test_a_run_leaves_all_that_is_promised(train, command, tmp_path):
    code, out, err = train("--max_steps", 30, "--eval_every", 10)
    assert code == 0, err
    run = tmp_path / "run"
    found = {path.name for path in run.iterdir() if not path.name.startswith("events.")}
    assert found == RUN_FILES
    assert list(run.glob("events.*"))
    results = results_of(run)
    assert set(results) >= RESULTS
    assert results["steps"] == 30
    assert results["perplexity"] == pytest.approx(2.718281828 ** results["val_loss"])
    assert results["bits_per_character"] == pytest.approx(results["val_loss"] / 0.6931471805599453)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "val_loss" in line] == [10, 20, 30]
    for temperature in ("0.5", "0.8", "1.0"):
        assert f"--- temperature {temperature}\n" in out
    *_, line = out.splitlines()
    assert line.startswith(f"seqgen generate {run} ")
    code, more, mistake = command(cli.main, *shlex.split(line)[1:], "--max_new_tokens", 20)
    assert code == 0, mistake
    assert len(more) > 20
    assert "step 10, " in err
    assert "%|" not in err  # no bars where there is no terminal


@pytest.mark.parametrize("documents", ["none", "lines"])
def test_the_markov_chain_stands_beside_the_network(train, tmp_path, monkeypatch, documents):
    options = ["--documents", documents, "--max_steps", 2]
    code, out, err = train(*options)
    assert code == 0, err
    results = results_of(tmp_path / "run")
    order, loss, tokens = (results[f"ngram_{name}"] for name in ("order", "val_loss", "tokens"))
    assert loss < 0.5 < results["val_loss"]  # of 40 times the same line
    assert results["ngram_bits_per_character"] == pytest.approx(loss / 0.6931471805599453)
    assert f"--- Markov chain ({order}-gram): validation loss {loss:.4f} nats a token, " in out
    mixture, weight = results["mixture_val_loss"], results["mixture_ngram_weight"]
    assert mixture <= min(loss, results["val_loss"]) + 1e-5
    assert weight > 0.5
    assert (
        f"--- both mixed, {weight:.1%} of each probability from the Markov chain: validation loss {mixture:.4f}" in out
    )
    monkeypatch.setattr(markov_chain, "MOST_COUNTED", 300)
    code, out, err = train(*options, directory=tmp_path / "cut")
    assert code == 0, err
    assert results_of(tmp_path / "cut")["ngram_tokens"] == 300 < tokens
    assert "-gram of 300 tokens alone): validation loss " in out


def test_it_learns(train, tmp_path):
    train("--max_steps", 300, "--hidden_size", 64)
    assert results_of(tmp_path / "run")["val_loss"] < 0.5
    [text] = seqgen.load(tmp_path / "run").generate("the cat", do_sample=False, max_new_tokens=30)
    assert set(text.split()) <= set(TEXT.split()) | {text.split()[-1]}


@pytest.mark.parametrize("tokenizer", ["byte", "word"])
def test_one_switch_changes_what_a_token_is(train, tmp_path, tokenizer):
    code, _, err = train("--max_steps", 20, "--tokenizer", tokenizer)
    assert code == 0, err
    results = results_of(tmp_path / "run")
    if tokenizer == "word":
        assert results["bits_per_character"] < results["val_loss"]
    assert seqgen.load(tmp_path / "run").tokenizer.kind == tokenizer


def test_a_large_vocabulary_may_be_sampled_and_share_its_embeddings(train, tmp_path):
    options = ["--tokenizer", "word", "--tie_embeddings", "true", "--sampled_softmax", 10]
    code, _, err = train("--max_steps", 120, *options)
    assert code == 0, err
    plain = train("--max_steps", 120, "--tokenizer", "word", "--tie_embeddings", "true", directory=tmp_path / "plain")
    assert plain[0] == 0
    sampled, whole = (results_of(tmp_path / name)["val_loss"] for name in ("run", "plain"))
    assert sampled == pytest.approx(whole, rel=0.2)
    generator = seqgen.load(tmp_path / "run")
    assert generator.model.output.weight is generator.model.embedding.weight
    assert results_of(tmp_path / "run")["parameters"] == sum(weight.numel() for weight in generator.model.parameters())


def test_a_model_of_lines_ends_its_texts_by_itself(train, tmp_path):
    by_heart = ["--dropout", 0, "--weight_drop", 0]
    code, _, err = train("--documents", "lines", "--max_steps", 200, "--hidden_size", 64, *by_heart)
    assert code == 0, err
    texts = seqgen.load(tmp_path / "run").generate([""] * 20, max_new_tokens=300, temperature=0.5)
    assert all(len(text) < 300 and "\n" not in text for text in texts)
    assert sum(text == TEXT.splitlines()[0] for text in texts) > 10


def test_precision_bf16_reaches_the_same_loss(train, tmp_path):
    for precision in ("fp32", "bf16"):
        steps = ["--max_steps", 100, "--optimizer", "adamw"]  # Muon's own products are in bf16 with either
        code, _, err = train(*steps, "--precision", precision, directory=tmp_path / precision)
        if code == 2 and "which has no LSTM in bf16" in err:
            pytest.skip(err)
    fp32, bf16 = (results_of(tmp_path / precision) for precision in ("fp32", "bf16"))
    assert (fp32["precision"], bf16["precision"]) == ("fp32", "bf16")
    assert bf16["val_loss"] == pytest.approx(fp32["val_loss"], rel=0.1)


def test_a_text_is_regularized_by_how_often_it_will_be_read_and_by_its_size(recipe):
    def chosen(steps, tokens=1000, **options):
        data = TextBatches(None, None, None, None, train_tokens=tokens, batches_per_epoch=tokens // 100)
        asked = [f"--{name}={value}" for name, value in options.items()]
        config = recipe.parse_options(recipe.Config, [f"--max_steps={steps}", "--max_seconds=1e9", *asked])
        assert recipe.regularize(config, data, 100) == steps * 100 / tokens
        return config.dropout, config.weight_drop

    few, some, many = (chosen(steps) for steps in (50, 200, 100_000))
    assert few == (0, 0)
    assert 0 < some[0] < many[0] < 1
    assert 0 < some[1] == many[1] < 1
    assert chosen(10**9, tokens=10**7)[1] == 0
    assert chosen(10**4, tokens=10**5, cell="rnn")[1] < chosen(10**4, tokens=10**5)[1]
    assert chosen(200, dropout=0.0) == (0.0, some[1])  # what was asked for stays
    by_clock = recipe.parse_options(recipe.Config, ["--max_seconds=1"])
    data = TextBatches(None, None, None, None, train_tokens=1000, batches_per_epoch=1)
    assert recipe.regularize(by_clock, data, 100) > 2 * recipe.regularize(by_clock, data, 4000)


def test_a_large_vocabulary_has_defaults_of_its_own(recipe):
    def suited(vocab_size, *asked):
        config = recipe.parse_options(recipe.Config, list(asked))
        return recipe.of_vocabulary(config, recipe.WordConfig, vocab_size)

    characters, words = suited(100).of_size("medium"), suited(10_000).of_size("medium")
    assert not characters.model["tie_embeddings"]
    assert words.model["tie_embeddings"]
    assert words.learning_rate < characters.learning_rate
    assert words.window < characters.window
    asked = suited(10_000, "--learning_rate=0.05", "--tie_embeddings=false", "--size=small", "--window=50")
    assert (asked.learning_rate, asked.model["tie_embeddings"], asked.window) == (0.05, False, 50)
    assert asked.model["hidden_size"] == suited(10_000).of_size("small").model["hidden_size"]
    assert suited(10_000, "--optimizer=adamw").learning_rate == recipe.WordConfig.learning_rates["adamw"]
    assert recipe.suitable_sample(100) is None
    assert recipe.suitable_sample(10_000) < 10_000


def test_a_configuration_file_runs_the_same_again(train, recipe, command, tmp_path):
    train("--max_steps", 10, "--dropout", 0.2)
    config = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert config["dropout"] == 0.2
    again = tmp_path / "again"
    command(recipe.main, "--config", tmp_path / "run" / "config.yaml", "--output_dir", again)
    assert weights_of(again) == weights_of(tmp_path / "run")


def test_a_configuration_file_with_a_misspelt_option_is_a_sentence(recipe, command, tmp_path):
    (tmp_path / "config.yaml").write_text("hiden_size: 3\n")
    code, _, err = command(recipe.main, "--config", tmp_path / "config.yaml")
    assert code == 2
    assert "there is no option --hiden_size (did you mean --hidden_size?)" in err


def test_a_small_text_is_validated_often_enough_to_find_its_best_model(train, tmp_path):
    train("--max_steps", 200, "--hidden_size", 64)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    validated = [line["step"] for line in lines if "val_loss" in line]
    assert len(validated) >= 4
    assert results_of(tmp_path / "run")["val_loss"] == pytest.approx(
        min(line["val_loss"] for line in lines if "val_loss" in line)
    )


def test_a_loss_that_is_no_number_stops_the_run_and_leaves_the_last_good_model(train, recipe, monkeypatch, tmp_path):
    different = set()  # batches: the first one is also measured

    def spoiling(model, batch, carry, **options):
        different.add(tuple(batch.inputs.flatten().tolist()))
        loss = next_token(model, batch, carry, **options)
        return loss if len(different) < 5 else type(loss)(loss.total * float("nan"), loss.count, loss.carry)

    monkeypatch.setattr(recipe, "next_token", spoiling)
    code, _, err = train("--max_steps", 30, "--eval_every", 2)
    assert code == 1
    assert re.search(r"at step \d+ with learning rate", err)
    assert "try a smaller" in err
    assert "Traceback" not in err
    seqgen.load(tmp_path / "run").generate("the")


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_is_a_sentence(train, monkeypatch, failing):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, failing, full)
    code, _, err = train("--max_steps", 5)
    assert code == 2
    assert "written" in err.splitlines()[-1]
    assert "No space left on device" in err
    assert "Traceback" not in err


def test_a_short_text_shrinks_the_batch_and_says_so(train, tmp_path):
    short = tmp_path / "short.txt"
    short.write_text("abc abd abe " * 4, encoding="utf-8")
    code, _, err = train("--max_steps", 3, data=short)
    assert code == 0
    assert "needs 64 to train on, but the text has 44: training with 2 lanes of 16" in err


BAD = {
    "missing": (["--data", "/nowhere.txt"], "'/nowhere.txt' is not there"),
    "no data": (["--data", ""], "data must name a file, a folder, a glob"),
    "option": (["--hidden_sise", 3], "there is no option --hidden_sise (did you mean --hidden_size?)"),
    "value": (["--cell", "lstn"], "--cell must be one of lstm, gru, rnn, not 'lstn' (did you mean lstm?)"),
    "type": (["--layers", "two"], "--layers must be a whole number, not 'two'"),
    "optional": (["--max_steps", "many"], "--max_steps must be a whole number or null, not 'many'"),
    "positional": (["text.txt"], "options must begin with --"),
    "config": (["--config", "/nowhere.yaml"], "/nowhere.yaml"),
    "dropout": (["--dropout", 1.5], "dropout must be at least 0 and below 1, not 1.5"),
    "size": (["--hidden_size", 0], "hidden_size must be at least 1, not 0"),
    "window": (["--window", 0], "--window must be above 0, not 0"),
    "rate": (["--learning_rate", -1], "--learning_rate must be above 0, not -1.0"),
    "steps": (["--max_steps", 0], "--max_steps must be above 0, not 0"),
    "seconds": (["--max_seconds", -3], "--max_seconds must be above 0, not -3.0"),
    "device": (["--device", "cuda:77"], "must be one of auto, cpu on this machine, not 'cuda:77'"),
    "device name": (["--device", "gpu"], "--device must be one of auto, cpu on this machine, not 'gpu'"),
    "sampled": (["--sampled_softmax", -1], "--sampled_softmax must be at least 0, not -1"),
    "smoothed": (["--sampled_softmax", 5, "--label_smoothing", 0.1], "must be without --label_smoothing"),
    "resume": (["--resume", "--output_dir", "/nowhere/at/all"], "--resume needs a run in --output_dir"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_one_sentence_and_exit_code_2(train, case, tmp_path):
    arguments, sentence = BAD[case]
    code, out, err = train(*arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert sentence in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "must hold text, but it is empty"),
        (b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "only 'a'"),
        (b"ab", "at least 20 tokens, but this one has 2"),
        (b"text\0text", "NUL bytes"),
        (b"line\nand \xff\n", "line 2: text must be UTF-8"),
    ],
)
def test_text_that_is_none_is_one_sentence(train, tmp_path, content, sentence):
    (tmp_path / "bad.txt").write_bytes(content)
    code, _, err = train(data=tmp_path / "bad.txt")
    assert code == 2
    assert sentence in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()
