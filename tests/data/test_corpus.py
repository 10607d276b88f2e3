import gzip
import io
import os
import sys
from pathlib import Path

import pytest

from seqgen.data import text_file
from seqgen.data.captioned import read_captioned
from seqgen.data.corpus import Corpus
from seqgen.data.labelled import TextColumns, read_texts
from seqgen.data.parallel import PairOptions, read_pairs, read_parallel
from seqgen.data.tagged import read_tagged
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


WORDS = "na\u00efve\r\ncaf\u00e9\tx\n"


ENCODINGS = ["utf-8", "UTF8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-32"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_text_may_have_any_encoding(tmp_path, encoding, packed):
    content = WORDS.encode(encoding)
    (tmp_path / "a.txt").write_bytes(gzip.compress(content) if packed else content)
    for name in ("a.txt", "*.txt", ""):
        assert text_of(Corpus.find(str(tmp_path / name), encoding)) == WORDS.replace("\r", "")


READERS = {
    "labelled": (lambda data, **encoding: read_texts(data, TextColumns(**encoding)).inputs, "a\t\u00e9\n"),
    "folder": (lambda data, **encoding: read_texts(os.path.dirname(data), TextColumns(**encoding)).inputs, "\u00e9\n"),
    "pairs": (lambda data, **encoding: read_pairs(data, PairOptions(**encoding)).targets, "a\t\u00e9\n"),
    "two files": (lambda data, **encoding: read_parallel(data, data, **encoding).targets, "\u00e9\n"),
    "tagged": (lambda data, **encoding: read_tagged(data, **encoding).tags[0], "a\t\u00e9\n"),
    "captions": (lambda data, **encoding: captions_of(data, **encoding), "a.png\t\u00e9\n"),
}


def captions_of(data, **encoding):
    folder = Path(data).parent / "images"
    folder.mkdir(exist_ok=True)
    (folder / "a.png").touch()
    return read_captioned(str(folder), {"train": data}, **encoding)["train"].captions[0]


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_takes_an_encoding_and_keeps_what_it_read_apart(tmp_path, reader):
    read, line = READERS[reader]
    (tmp_path / "data.txt").write_bytes(line.encode("utf-8"))
    data = str(tmp_path / "data.txt")
    for _ in range(2):  # the second time from the cache
        assert list(read(data)) == ["\u00e9"]
        assert list(read(data, encoding="latin-1")) == ["\u00c3\u00a9"]
    (tmp_path / "data.txt").write_bytes(line.encode("latin-1"))
    assert list(read(data, encoding="latin-1")) == ["\u00e9"]
    with pytest.raises(InputError, match=r"UTF-8.*--encoding"):
        list(read(data))
    with pytest.raises(InputError, match=r"--encoding must be one that Python knows, .*not 'latin-x'"):
        read(data, encoding="latin-x")


def test_the_fingerprint_is_that_of_the_text_as_it_is_read(tmp_path):
    (tmp_path / "a").write_bytes("\u00e9".encode())
    assert Corpus.find(str(tmp_path / "a")).fingerprint != Corpus.find(str(tmp_path / "a"), "cp1252").fingerprint


@pytest.mark.parametrize("encoding", ["", "latin-x", "hex", "a\0b"])
def test_an_unknown_encoding_is_a_sentence(tmp_path, encoding):
    (tmp_path / "a").write_text("text")
    with pytest.raises(InputError, match="--encoding must be one that Python knows, such as utf-8, latin-1"):
        Corpus.find(str(tmp_path / "a"), encoding)


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        ("na\u00efve".encode("latin-1"), "utf-8", "line 1: text must be UTF-8, .*--encoding names another .* cp1252"),
        ("naive".encode("utf-16"), "utf-8", "text must be UTF-8, .*--encoding names another .* utf-16"),
        ("naive".encode("utf-16-le"), "utf-8", "NUL bytes .*--encoding utf-16"),
        (b"a\nb\x81", "cp1252", "line 2: text must be cp1252 as --encoding says, but byte 2 is 0x81$"),
        (b"naive", "utf-16", "text must be utf-16 as --encoding says, but "),
    ],
)
def test_bytes_of_another_encoding_are_a_sentence_that_names_the_option(tmp_path, content, encoding, message):
    (tmp_path / "a.txt").write_bytes(content)
    for data in (tmp_path / "a.txt", tmp_path):
        with pytest.raises(InputError, match=message):
            text_of(Corpus.find(str(data), encoding))


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
