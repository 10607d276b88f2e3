"""The tasks of one's own that the pages show, run as they stand there."""

import ast

import pytest
from making import make_text_classifier
from pages import code

import seqgen
from seqgen.errors import InputError


def test_a_generator_of_ones_own_text(capsys):
    exec(code("pydoc_data"), {})
    *losses, text = capsys.readouterr().out.split("\n", 4)
    assert float(losses[-1].split()[1]) < float(losses[0].split()[1])
    assert text.startswith("The ")
    assert "['T', 'h', 'e', ' ', 't'" in text
    assert "(1, 10, 64) ['candidate', 'reset', 'update']" in text


def test_a_translator_of_ones_own_pairs_is_right_on_words_it_has_not_seen(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    whole = code("runs/reverser")
    assert len([line for line in whole.splitlines() if line.strip()]) < 30
    exec(whole, {})
    *losses, said = capsys.readouterr().out.splitlines()
    assert len(losses) == 6
    right, _, count, *_, word, _, written = said.split()
    assert written == word[::-1]
    assert int(count) > 100
    assert int(right) > 0.9 * int(count)


def test_vectors_are_made_and_compared_as_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make_text_classifier().save_pretrained("runs/reviews")
    exec(code("nearest_vectors"), {})
    rows, nearest = map(ast.literal_eval, capsys.readouterr().out.splitlines())
    assert all(row in {0, 1, 2} - {number} for number, row in enumerate(rows))
    assert len({*nearest} & {0, 1, 2}) == 2


def test_a_decoder_of_ones_own_is_checked_saved_and_loaded(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(code("class Bigrams"), {"__name__": "bigrams"})
    *checked, text = capsys.readouterr().out.splitlines()
    assert len(checked) > 10
    assert all(line.startswith("ok: ") for line in checked)
    assert text.startswith("to ")
    with pytest.raises(InputError, match="built by 'bigrams:Bigrams'"):
        seqgen.load("runs/bigrams")


def test_a_markov_chain_is_a_generator_like_any_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(code("NGram.fit"), {})
    counts, text = capsys.readouterr().out.split("\n", 1)
    numbers = ast.literal_eval(counts)
    assert len(numbers) == 6
    assert numbers == sorted(numbers)
    assert text.startswith("def ")


def test_a_task_of_ones_own_in_forty_lines(capsys):
    task = code("class Duration")
    assert len([line for line in task.splitlines() if line.strip()]) <= 40
    exec(task, {})
    *losses, answer = capsys.readouterr().out.splitlines()
    assert float(losses[-1].split()[1]) < 0.5 * float(losses[0].split()[1])
    assert 2700 < float(answer.split()[0]) < 10_800
