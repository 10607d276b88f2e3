"""`seqgen cells`: a table of what cells follow and a page of the text, which is given or found."""

import json

import pytest
import yaml
from making import TEXT, make_generator, make_tagger

from seqgen.cli import main as cli
from seqgen.inference.generator import Generator
from seqgen.text.words import WordTokenizer


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run directory whose data are there."""
    monkeypatch.setattr("seqgen.cli.cells.WRITTEN", 640)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text(TEXT * 8)
    make_generator().save_pretrained(tmp_path / "run" / "model")
    (tmp_path / "run" / "resolved.yaml").write_text(yaml.safe_dump({"data": "book.txt", "documents": "none"}))
    return tmp_path / "run"


def cells_of(command, *arguments):
    code, out, err = command(cli.main, "cells", *arguments)
    assert code == 0, err
    return out, err


def tokens_in(path):
    line = next(line for line in path.read_text().splitlines() if line.startswith("const data = "))
    return "".join(json.loads(line.removeprefix("const data = ").removesuffix(";"))["tokens"])


def test_the_model_s_own_data_are_read_where_they_are_there(command, run):
    out, err = cells_of(command, run)
    assert "the end of the model's own data, book.txt, held back from training" in err
    assert str(run / "cells.html") in err
    text = tokens_in(run / "cells.html")
    assert text in TEXT * 8
    assert text.startswith(TEXT.split(".")[0][:7])  # from the beginning of a line
    rows = [json.loads(line) for line in cells_of(command, run, "--json")[0].splitlines()]
    lines = out.splitlines()[1:]
    assert len(rows) == len(lines) > 3
    for row, line in zip(rows, lines, strict=True):
        assert line.startswith(row["property"])
        assert f"{row['auc']:.3f}" in line
        assert f"{row['null_high']:.3f}" in line


def test_without_them_the_model_writes_a_text_itself(command, run):
    (run.parent / "book.txt").unlink()
    _, err = cells_of(command, run)
    assert "book.txt" in err
    assert "a text that the model wrote itself" in err
    first = tokens_in(run / "cells.html")
    (run.parent / "book.txt").write_text(TEXT[:900])
    _, err = cells_of(command, run)
    assert "at least 1,000 characters, but it has" in err
    assert tokens_in(run / "cells.html") == first
    (run / "resolved.yaml").unlink()
    cells_of(command, run / "model", "--output", "own.html")
    assert tokens_in(run.parent / "own.html") == first
    make_generator(ends=True).save_pretrained(run / "model")
    cells_of(command, run)
    assert "\n" in tokens_in(run / "cells.html")


def test_of_several_files_the_last_whole_ones_are_read(command, run):
    (run.parent / "files").mkdir()
    for number in range(30):
        (run.parent / "files" / f"{number:02}.txt").write_text("sat\n" + TEXT[: 600 + number])
    (run / "resolved.yaml").write_text(yaml.safe_dump({"data": "files", "documents": "files"}))
    _, err = cells_of(command, run)
    assert "the end of the model's own data, files\n" in err  # files to be held back are chosen at random
    last = "".join("sat\n" + TEXT[: 600 + number] for number in (28, 29))
    assert tokens_in(run / "cells.html") == last


def test_a_text_that_was_validated_on_is_read_from_its_beginning(command, run):
    (run.parent / "valid.txt").write_text(TEXT[4:1500])
    (run / "resolved.yaml").write_text(yaml.safe_dump({"data": "book.txt", "valid": "valid.txt"}))
    _, err = cells_of(command, run)
    assert "the beginning of what the model was validated on, valid.txt\n" in err
    assert tokens_in(run / "cells.html") == TEXT[4:1500]


def test_a_text_is_read_as_it_is_given(command, run):
    text = "the dog sat\non the (mat).\n" * 20
    (run.parent / "text.txt").write_text(text, encoding="utf-16")
    code, _, err = command(cli.main, "cells", run, "--text", "text.txt", "--encoding", "utf-16")
    assert (code, err.count("\n")) == (2, 2)
    assert "not '(', ')'" in err
    cells_of(command, run, "--text", "text.txt", "--encoding", "utf-16", "--unseen", "replace", "--output", "a/b.html")
    shown = tokens_in(run.parent / "a" / "b.html")
    assert len(shown) == len(text)
    assert shown.replace("\ufffd", "(").split("(")[0] == text.split("(")[0]


def test_words_are_coloured_in_their_text(command, run):
    words = Generator.untrained(tokenizer=WordTokenizer.fit(TEXT), hidden_size=16, embedding_size=8)
    words.save_pretrained(run / "model")
    cells_of(command, run)
    assert tokens_in(run / "cells.html") in TEXT * 8


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--text", "nowhere.txt"), "nowhere.txt"),
        (("--text", "short.txt"), "at least 100 tokens"),
        (("--unseen", "never"), "unseen"),
    ],
)
def test_a_mistake_is_a_sentence(command, run, arguments, sentence):
    (run.parent / "short.txt").write_text("the cat")
    code, out, err = command(cli.main, "cells", run, *arguments)
    assert (code, out) == (2, "")
    assert sentence in err.splitlines()[-1]
    assert not (run / "cells.html").exists()


def test_other_models_are_refused(command, tmp_path):
    make_tagger().save_pretrained(tmp_path / "tagger")
    code, _, err = command(cli.main, "cells", tmp_path / "tagger")
    assert code == 2
    assert "must hold a model that can show its cells, but it holds a tagger" in err
