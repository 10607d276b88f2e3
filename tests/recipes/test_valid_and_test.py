"""A generator that is validated and tested on texts of their own."""

import math
import shutil

import numpy as np
import pytest
from making import TEXT, results_of

import seqgen

OTHER = "the log sat on the dog. the mat sat on the cat?\n" * 12
LAST = "the dog sat on the cat. the log sat on the mat!!\n" * 9


@pytest.fixture
def texts(tmp_path):
    for name, text in (("valid", OTHER), ("test", LAST)):
        (tmp_path / name).write_text(text)
    return ["--valid", tmp_path / "valid", "--test", tmp_path / "test"]


def loss_of(generator, text):
    """The mean loss of a text in one piece, as these are short enough to be evaluated."""
    return -np.mean(generator.score(text, unseen="replace").log_probabilities)


def test_all_of_the_data_is_trained_on_and_the_other_texts_are_evaluated(train, tmp_path, texts):
    code, out, err = train("--max_steps", 5, *texts)
    assert code == 0, err
    results, generator = results_of(tmp_path / "run"), seqgen.load(tmp_path / "run")
    assert results["val_loss"] == pytest.approx(loss_of(generator, OTHER), abs=1e-5)
    assert results["test_loss"] == pytest.approx(loss_of(generator, LAST), abs=1e-5)
    assert results["test_perplexity"] == pytest.approx(math.exp(results["test_loss"]))
    assert results["test_bits_per_character"] == pytest.approx(results["test_loss"] / math.log(2))
    assert results["unknown_tokens"] == OTHER.count("?") / len(OTHER)
    assert results["test_unknown_tokens"] == LAST.count("!") / len(LAST)
    assert f"{OTHER.count('?')} of {len(OTHER)} tokens of --valid are unknown" in err
    assert f"--- test loss {results['test_loss']:.4f} nats a token, " in out
    assert "Loss of the text to test on" in (tmp_path / "run" / "report.md").read_text()
    encode, sizes = generator.tokenizer.encode, {"vocab_size": generator.tokenizer.vocab_size}
    chain = seqgen.NGram.fit(encode(TEXT), order=results["ngram_order"], **sizes)
    assert results["ngram_tokens"] == len(TEXT)
    assert results["ngram_val_loss"] == pytest.approx(-chain.score(encode(OTHER)).mean())
    assert results["ngram_test_loss"] == pytest.approx(-chain.score(encode(LAST)).mean())


def test_documents_are_evaluated_as_they_are_trained_on(train, tmp_path, texts):
    code, _, err = train("--max_steps", 2, "--documents", "lines", *texts)
    assert code == 0, err
    results, generator = results_of(tmp_path / "run"), seqgen.load(tmp_path / "run")
    line = generator.score(LAST.splitlines()[0], unseen="replace").log_probabilities
    assert (len(line) + 1) * results["test_loss"] > -sum(line)  # EOS is predicted, too
    assert results["test_unknown_tokens"] == LAST.count("!") / len(LAST)
    assert results["ngram_tokens"] == len(TEXT)


def test_a_test_alone_changes_neither_training_nor_validation(train, tmp_path, texts):
    for name, options in (("plain", []), ("tested", texts[2:])):
        assert train("--max_steps", 3, *options, directory=tmp_path / name)[0] == 0
    plain, tested = (results_of(tmp_path / name) for name in ("plain", "tested"))
    assert plain["val_loss"] == tested["val_loss"]
    assert set(tested) - set(plain) == {
        *("test_loss", "test_perplexity", "test_bits_per_character", "test_unknown_tokens", "ngram_test_loss"),
        *("mixture_test_loss", "ngram_test_bits_per_character"),
    }


def test_a_run_is_resumed_where_its_texts_have_moved_but_not_with_others(train, tmp_path, texts):
    train("--max_steps", 2, *texts)
    moved = [shutil.move(path, f"{path}.moved") if number % 2 else path for number, path in enumerate(texts)]
    code, _, err = train("--max_steps", 4, "--resume", *moved)
    assert code == 0, err
    assert results_of(tmp_path / "run")["steps"] == 4
    (tmp_path / "test.moved").write_text(OTHER)
    code, _, err = train("--max_steps", 6, "--resume")
    assert code == 2
    assert "a run must be resumed on its own data" in err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--valid", "/nowhere"], "--valid must be a file, a folder, a glob, - or a named set, but '/nowhere' is not"),
        (["--test", ""], "--test must name a file, a folder, a glob, - or a named set, but a name is empty"),
        (["--valid", "-", "--test", "-"], "only one of --data, --valid and --test must be -"),
    ],
)
def test_a_mistake_names_the_option(train, tmp_path, options, sentence):
    code, _, err = train(*options)
    assert code == 2
    assert sentence in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_benchmark_is_read_as_words_and_tested_on_its_own_text(train, tmp_path, monkeypatch):
    monkeypatch.setenv("SEQGEN_DATA", str(tmp_path))
    (tmp_path / "ptb").mkdir()
    for part, text in (("train", TEXT), ("valid", OTHER), ("test", f"the <unk>\n{LAST}")):
        (tmp_path / "ptb" / f"ptb.{part}.txt").write_text(text)
    code, _, err = train("--max_steps", 2, data="ptb")
    assert code == 0, err
    results, generator = results_of(tmp_path / "run"), seqgen.load(tmp_path / "run")
    assert generator.tokenizer.kind == "whitespace"
    words, line_ends = ["the", "<unk>", *LAST.split()], 1 + LAST.count("\n")
    unknown = [word for word in words if word not in TEXT.split()]
    assert results["test_unknown_tokens"] == len(unknown) / (len(words) + line_ends)
    assert results["ngram_tokens"] == len(TEXT.split()) + TEXT.count("\n")
    code, _, err = train("--max_steps", 2, "--tokenizer", "char", data="ptb", directory=tmp_path / "characters")
    assert code == 0, err
    assert seqgen.load(tmp_path / "characters").tokenizer.kind == "char"
