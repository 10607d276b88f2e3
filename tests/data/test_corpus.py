import gzip
import io
import os
import sys

import pytest

from seqgen.data import text_file
from seqgen.data.corpus import Corpus
from seqgen.errors import InputError


def text_of(corpus):
    return "".join(corpus.blocks())


def test_a_file_a_folder_a_glob_and_gzip_give_the_same_text(tmp_path):
    (tmp_path / "a.txt").write_text("first\n", encoding="utf-8")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.txt").write_text("s\u00e9cond\n", encoding="utf-8")
    expected = "first\ns\u00e9cond\n"
    assert text_of(Corpus.find(str(tmp_path))) == expected
    assert text_of(Corpus.find(str(tmp_path / "**" / "*.txt"))) == expected
    packed = tmp_path / "all.gz"
    packed.write_bytes(gzip.compress(expected.encode()))
    assert text_of(Corpus.find(str(packed))) == expected


def test_standard_input_is_kept_to_be_read_again(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"hello\nworld\n")))
    corpus = Corpus.find("-")
    assert text_of(corpus) == text_of(corpus) == "hello\nworld\n"


def test_a_pipe_is_read_once_and_kept(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    if os.fork() == 0:
        pipe.write_bytes(b"through a pipe\n")
        os._exit(0)
    corpus = Corpus.find(str(pipe))
    assert text_of(corpus) == text_of(corpus) == "through a pipe\n"
    os.wait()


@pytest.mark.parametrize("name", ["python-source", "python-docs"])
def test_every_python_has_text(name):
    corpus = Corpus.find(name)
    first = next(corpus.blocks())
    assert "def " in first or "The " in first
    assert corpus.fingerprint == Corpus.find(name).fingerprint


def test_a_byte_order_mark_and_foreign_line_ends_are_no_text(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffone\r\ntwo\r\n".encode())
    assert text_of(Corpus.find(str(tmp_path / "a.txt"))) == "one\ntwo\n"


@pytest.mark.parametrize("line", ["words and words \u00e9\u4e16\n", "no line end at all ", "nospaceatall"])
def test_blocks_add_up_and_cut_no_word_that_they_need_not(tmp_path, monkeypatch, line):
    monkeypatch.setattr(text_file, "BLOCK", 37)
    text = line * 50
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    blocks = list(Corpus.find(str(tmp_path / "a.txt")).blocks())
    assert "".join(blocks) == text
    if line[-1].isspace():
        assert len(blocks) > 5
        assert all(block[-1].isspace() for block in blocks)


def test_the_fingerprint_is_that_of_the_content(tmp_path):
    for name, content in (("a", "same"), ("b", "same"), ("c", "other")):
        (tmp_path / name).write_text(content, encoding="utf-8")
    a, b, c = (Corpus.find(str(tmp_path / name)).fingerprint for name in "abc")
    assert a == b != c


def test_folders_pass_over_hidden_and_binary_files_and_say_so(tmp_path, caplog):
    (tmp_path / "a.txt").write_text("text\n", encoding="utf-8")
    (tmp_path / ".hidden").write_text("secret\n", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\0\0")
    assert text_of(Corpus.find(str(tmp_path))) == "text\n"
    assert "picture.png" in caplog.text


def bad_missing(folder):
    return folder / "missing.txt", "missing.txt"


def bad_misspelt(folder):
    return "python-sorce", r"did you mean python-source\?"


def bad_empty_file(folder):
    (folder / "empty.txt").touch()
    return folder / "empty.txt", "empty.txt must hold text, but it is empty"


def bad_empty_folder(folder):
    return folder, "must hold text files, but it holds none"


def bad_binary(folder):
    (folder / "binary").write_bytes(b"\0\1\2\3")
    return folder / "binary", "binary must be text, but it holds NUL"


def bad_latin(folder):
    (folder / "latin.txt").write_bytes("fine\nna\u00efve\n".encode("latin-1"))
    return folder / "latin.txt", r"latin.txt, line 2: text must be UTF-8, but byte 3 is 0xef"


def bad_gzip(folder):
    (folder / "text.gz").write_bytes(b"this is no gzip")
    return folder / "text.gz", "must be a whole gzip file"


def bad_cut_gzip(folder):
    (folder / "text.gz").write_bytes(gzip.compress(os.urandom(1000).hex().encode())[:-20])
    return folder / "text.gz", "must be a whole gzip file"


@pytest.mark.parametrize("bad", [value for name, value in sorted(globals().items()) if name.startswith("bad_")])
def test_what_is_no_text_is_refused_in_a_sentence(bad, tmp_path):
    data, sentence = bad(tmp_path)
    with pytest.raises(InputError, match=sentence) as caught:
        text_of(Corpus.find(str(data)))
    assert "\n" not in str(caught.value)
