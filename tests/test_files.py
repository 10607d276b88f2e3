"""Files that are whole or not there, and what is left of those that were being written."""

import os
import tempfile

import pytest

from seqgen.files import UNFINISHED, sweep, write_text, writing


def test_what_a_dead_writer_left_is_swept_and_nothing_else(tmp_path):
    (tmp_path / "model").mkdir()
    dead = [folder / f".config.json.abcdefgh{UNFINISHED}" for folder in (tmp_path, tmp_path / "model")]
    kept = [tmp_path / name for name in (".settings", ".config.json.abcdefgh", f"mine{UNFINISHED}", "config.json")]
    for path in (*dead, *kept):
        path.write_text("half")
    (tmp_path / f".folder{UNFINISHED}").mkdir()
    os.mkfifo(tmp_path / f".pipe{UNFINISHED}")
    with writing(tmp_path / "living") as file:
        file.write(b"half")
        sweep(tmp_path)
        file.write(b" and whole")
    assert (tmp_path / "living").read_text() == "half and whole"
    assert not [path for path in dead if path.exists()]
    assert all(path.exists() for path in kept)
    sweep(tmp_path / "nothing")


def test_who_is_swept_before_it_has_its_lock_begins_again(tmp_path, monkeypatch):
    make, made = tempfile.mkstemp, []

    def swept(**options):
        made.append(make(**options))
        if len(made) == 1:
            sweep(tmp_path)
        return made[-1]

    monkeypatch.setattr(tempfile, "mkstemp", swept)
    write_text(tmp_path / "file", "whole")
    assert len(made) == 2
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "whole")]


@pytest.mark.parametrize("replace", [True, False])
def test_an_earlier_file_is_replaced_or_kept(tmp_path, replace):
    for text in ("first", "second"):
        with writing(tmp_path / "file", replace=replace) as file:
            file.write(text.encode())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [
        ("file", "second" if replace else "first")
    ]


def test_the_longest_name_is_written(tmp_path):
    for name in ("x" * 255, "ü" * 127):
        write_text(tmp_path / name, "text")
        assert (tmp_path / name).read_text() == "text"
