"""One rule for the texts of all commands: arguments, the lines of files, or standard input."""

import io
import json
import subprocess
import sys

import pytest
from making import (
    make_conditional_generator,
    make_generator,
    make_image_classifier,
    make_tagger,
    make_text_classifier,
    make_translator,
)

from seqgen.cli import inputs
from seqgen.cli import main as cli

LINES = ["the cat sat", "", "dog"]
MODELS = {
    "generate": make_generator,
    "classify": make_text_classifier,
    "tag": lambda: make_tagger(words=True),
    "translate": make_translator,
    "score": make_generator,
}


@pytest.fixture(params=MODELS)
def run(request, command, monkeypatch, tmp_path):
    """Run a command with a model of its kind; with `typed` on standard input."""
    MODELS[request.param]().save_pretrained(tmp_path / "model")
    monkeypatch.chdir(tmp_path)

    def of(*arguments, typed=None):
        monkeypatch.setattr(sys, "stdin", io.StringIO("" if typed is None else typed))
        # What is faster for one text may not be for three, and other precisions have other probabilities.
        fixed = {"generate": ("--seed", 1, "--max_new_tokens", 8), "classify": ("--precision", "fp32")}
        return command(cli.main, request.param, "model", *arguments, *fixed.get(request.param, ()))

    of.name = request.param
    return of


def test_arguments_files_and_standard_input_are_the_same_texts(run, tmp_path):
    lines = LINES if run.name != "score" else ["the cat sat", "dog"]  # an empty text has no score
    content = "".join(line + "\n" for line in lines)
    (tmp_path / "lines.txt").write_text(content)
    code, out, err = run(*lines)
    assert (code, err) == (0, "")
    assert run("lines.txt") == (0, out, "reading the lines of lines.txt\n")
    assert run(typed=content) == run("-", typed=content) == (0, out, "")
    assert run("lines.txt", lines[0])[1] == out + run(lines[0])[1]


def test_text_takes_the_name_of_a_file_for_a_text(run, tmp_path):
    (tmp_path / "sat").write_text("the dog\n")
    assert run("sat")[1] == run("the dog")[1]
    code, out, err = run("--text", "sat")
    assert (code, err) == (0, "")
    (tmp_path / "sat").unlink()
    assert out == run("sat")[1]


def test_a_name_of_no_file_is_taken_for_a_text_and_said(run):
    if run.name not in ("generate", "score"):  # these know no full stop
        assert run("none.txt")[::2] == (0, "none.txt is not a file here, so it is taken for a text\n")


def test_options_may_stand_anywhere(run):
    flag = [] if run.name == "score" else ["--device", "cpu"]
    out = run("the cat", "dog", *flag, "--json")[1]
    assert run("the cat", "--json", *flag, "dog")[1] == run(*flag, "--json", "the cat", "dog")[1] == out


def test_json_has_a_line_for_each_text(run):
    rows = [json.loads(line) for line in run("the cat", "dog", "--json")[1].splitlines()]
    assert len(rows) == 2
    numbers = {"classify": "labels", "tag": "probabilities", "translate": "translations", "score": "log_probability"}
    assert all(numbers.get(run.name, "text") in row for row in rows)


def test_a_tagger_of_characters_reads_a_whole_file(command, tmp_path):
    make_tagger().save_pretrained(tmp_path / "model")
    (tmp_path / "two.txt").write_text("the cat\nsat\n")
    _, out, err = command(cli.main, "tag", tmp_path / "model", tmp_path / "two.txt", "x = 1", "--json")
    assert ["".join(run["text"] for run in json.loads(line)) for line in out.splitlines()] == [
        "the cat\nsat\n",
        "x = 1",
    ]
    assert err == f"reading {tmp_path / 'two.txt'}\n"


def test_a_line_of_json_for_each_sample(command, tmp_path):
    make_generator().save_pretrained(tmp_path / "model")
    # In a precision that does not depend on how many texts are generated at once.
    options = ("--num_return_sequences", 3, "--seed", 1, "--max_new_tokens", 9, "--precision", "fp32", "--json")
    _, out, _ = command(cli.main, "generate", tmp_path / "model", "the", "dog", *options)
    rows = [json.loads(line) for line in out.splitlines()]
    asked = {"num_return_sequences": 3, "seed": 1, "max_new_tokens": 9, "precision": "fp32"}
    expected = make_generator().generate(["the", "dog"], **asked)
    assert [row["text"] for row in rows] == expected
    assert [row["prompt"] for row in rows] == ["the"] * 3 + ["dog"] * 3
    make_conditional_generator().save_pretrained(tmp_path / "names")
    _, out, _ = command(cli.main, "generate", tmp_path / "names", "cat", "dog", *options)
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["condition"] for row in rows] == ["cat"] * 3 + ["dog"] * 3
    assert all(row["score"] < 0 for row in rows)


@pytest.mark.figures
def test_pictures_of_several_alignments_are_numbered(command, tmp_path):
    make_translator().save_pretrained(tmp_path / "model")
    arguments = ("the cat", "", "dog", "--attention", tmp_path / "out.png")
    code, _, err = command(cli.main, "translate", tmp_path / "model", *arguments)
    assert code == 0, err
    # An empty sentence has nothing to attend to.
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["out-3.png", "out.png"]


def test_a_blank_text_has_a_line_without_a_class(command, tmp_path):
    make_text_classifier().save_pretrained(tmp_path / "model")
    (tmp_path / "lines.txt").write_text("the cat\n\n \ndog\n")
    rows = command(cli.main, "classify", tmp_path / "model", tmp_path / "lines.txt")[1].split("\n")
    assert [bool(row) for row in rows] == [True, False, False, True, False]
    out = command(cli.main, "classify", tmp_path / "model", tmp_path / "lines.txt", "--json")[1]
    assert [len(json.loads(line)["labels"]) for line in out.splitlines()] == [1, 0, 0, 1]


@pytest.mark.parametrize(("make", "pattern"), [(make_image_classifier, "*.jpg"), (make_text_classifier, "*.txt")])
def test_a_folder_is_no_input_to_classify(command, tmp_path, make, pattern):
    make().save_pretrained(tmp_path / "model")
    (tmp_path / "folder").mkdir()
    code, out, err = command(cli.main, "classify", tmp_path / "model", tmp_path / "folder")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"type {tmp_path / 'folder' / pattern}" in err


@pytest.mark.parametrize(
    ("make", "arguments", "sentence"),
    [
        (make_generator, ("generate", "the", "--condition", "cat"), "there is no option --condition"),
        (make_generator, ("generate", "the", "--prompt", "a"), "--prompt must be without other prompts"),
        (
            make_generator,
            ("generate", "the", "--num_beams", 2, "--temperature", 0.5),
            "temperature must be given where",
        ),
        (make_generator, ("evaluate", "x", "--column", "UPOS"), "--column must be with a model of another kind"),
        (make_conditional_generator, ("generate", "cat", "--unseen", "replace"), "--unseen must be with a generator"),
        (make_conditional_generator, ("score", "cat", "the", "--unseen", "error"), "--unseen must be with a generator"),
        (make_generator, ("generate", "the \u4e16"), "--unseen replace in the shell"),
        (make_image_classifier, ("classify", "--encoding", "utf-8", "x"), "--encoding must be with a model that reads"),
        (make_image_classifier, ("classify", "--text", "x"), "--text must be with a model that reads texts"),
        (make_translator, ("translate", "x", "--top_k", 3), "top_k must be given where tokens are sampled"),
        (make_translator, ("translate", "x", "--scores", "--json"), "--scores must be without --json"),
        (make_translator, ("translate", "x", "--nbest", 2, "--num_return_sequences", 2), "--nbest must be without"),
        (make_translator, ("evaluate", "x", "--captions", "y"), "--captions must be with a model of another kind"),
        (make_translator, ("score", "x"), "'x' is neither a file nor followed by an answer"),
        (make_text_classifier, ("classify", "x", "-k", 2), "there is no option -k"),
        (make_text_classifier, ("classify", "x", "--top_k"), "--top_k must have a value after it"),
    ],
)
def test_what_does_not_apply_is_one_sentence(command, tmp_path, make, arguments, sentence):
    make().save_pretrained(tmp_path / "model")
    name, *others = arguments
    code, out, err = command(cli.main, name, tmp_path / "model", *others)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert sentence in err


@pytest.mark.parametrize("name", ["generate", "translate", "caption"])
def test_the_help_shows_no_defaults_that_the_model_overrules(command, name):
    _, out, _ = command(cli.main, name, "--help")
    options = " ".join(out.split("Options of generation:")[1].split())
    assert options.count("by default as in the model") == options.count("(type: ") > 10
    assert "default:" not in options


def test_mistakes_in_options_and_help_need_no_torch():
    program = (
        "import sys, seqgen.cli.main as cli\n"
        "for words in (['classify', 'x', '--top_kk', '1'], ['generate', '--help']):\n"
        "    try: cli.run_command(words)\n"
        "    except (SystemExit, ValueError): pass\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)


def of_bytes(content, encoding):
    return io.TextIOWrapper(io.BytesIO(content), encoding=encoding)


@pytest.mark.parametrize("words", [False, True], ids=["characters", "words"])
def test_standard_input_is_utf8_in_any_locale(command, monkeypatch, tmp_path, words):
    make_tagger(words=words).save_pretrained(tmp_path / "model")
    monkeypatch.setattr(sys, "stdin", of_bytes("caf\u00e9 \u4e16\r\n".encode() + b"\xff \0", "ascii"))
    code, out, err = command(cli.main, "tag", tmp_path / "model", "--json")
    assert (code, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    found = [row["tokens"] for row in rows] if words else "".join(run["text"] for run in rows[0])
    assert found == ([["caf\u00e9", "\u4e16"], ["\ufffd", "\0"]] if words else "caf\u00e9 \u4e16\n\ufffd \0")


def test_standard_input_may_be_closed_or_without_an_end(run, command, monkeypatch):
    monkeypatch.setattr(inputs, "LONGEST", 1000)
    monkeypatch.setattr(inputs, "MOST", 1000)
    code, out, err = run(typed="a" * 2000)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "standard input must have less than 1,000 characters" in err
    monkeypatch.setattr(sys, "stdin", None)
    assert command(cli.main, run.name, "model") == (0, "", "")


def test_an_argument_that_is_not_utf8_is_shown_as_what_it_is_not(command, tmp_path):
    make_text_classifier().save_pretrained(tmp_path / "model")
    code, out, _ = command(cli.main, "classify", tmp_path / "model", "the \udcff cat", "--json")
    assert (code, json.loads(out)["input"]) == (0, "the ? cat")


@pytest.mark.parametrize(("encoding", "mark"), [("latin-1", ""), ("utf-8", "\ufeff"), ("utf-16", "")])
def test_standard_input_is_read_as_a_file_of_its_encoding(monkeypatch, encoding, mark):
    text = "caf\u00e9\na\n"
    lines, whole = inputs.lines([], typed=encoding), inputs.whole_texts([], typed=encoding)
    for read in (lambda: [line.text for line in lines], lambda: [*whole]):
        monkeypatch.setattr(sys, "stdin", of_bytes((mark + text).encode(encoding), "ascii"))
        assert "\n".join(read()).rstrip("\n") == text.rstrip("\n")
