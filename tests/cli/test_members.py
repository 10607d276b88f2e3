"""Folders of further models on the command line: their ensemble answers."""

import json

import PIL.Image
import pytest
from making import (
    make_captioner,
    make_conditional_generator,
    make_generator,
    make_image_classifier,
    make_tagger,
    make_text_classifier,
    make_translator,
)

import seqgen
from seqgen.cli import main as cli
from seqgen.metrics.translation import chrf

KINDS = {
    "generate": (make_generator, ("the ", "--seed", 1, "--max_new_tokens", 20)),
    "classify": (make_text_classifier, ("a fine film", "--top_k", 2)),
    "tag": (make_tagger, ("x = 1", "--json")),
    "translate": (make_translator, ("the cat", "--scores")),
    "caption": (make_captioner, ("picture.png", "--scores")),
    "score": (make_translator, ("the cat", "a dog")),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    PIL.Image.new("RGB", (40, 30), (200, 9, 99)).save("picture.png")
    (tmp_path / "pairs.tsv").write_text("source\ttarget\nthe cat\tthe mat\na dog\tthe log\n")
    (tmp_path / "text.txt").write_text("the cat sat\non the mat\n")
    return tmp_path


@pytest.mark.parametrize("name", KINDS)
def test_two_equal_models_print_what_one_does(command, folder, name):
    make, given = KINDS[name]
    for run in "ab":
        make().save_pretrained(run)
    code, alone, _ = command(cli.main, name, "a", *given)
    assert code == 0
    code, together, err = command(cli.main, name, "a", "b", *given)
    assert (code, together) == (0, alone)
    assert "answering with the ensemble of a and b" in err


def test_the_members_are_those_of_load(command, folder):
    make_translator().save_pretrained("a")
    make_translator(cell="gru", hidden_size=24).save_pretrained("run/model")
    code, out, _ = command(cli.main, "translate", "a", "run", "the cat", "a dog", "--scores")
    expected = seqgen.load(["a", "run"]).translate(["the cat", "a dog"])
    assert (code, out) == (0, "".join(f"{one.score:.4f}\t{one.text}\n" for one in expected))


def test_a_folder_after_the_first_text_or_with_text_is_a_text(command, folder):
    for run in "ab":
        make_translator().save_pretrained(run)
    for arguments in (("a", "the cat", "b"), ("a", "b", "--text")):
        code, out, err = command(cli.main, "translate", *arguments)
        assert (code, out.count("\n")) == (0, len(arguments) - 1 - ("--text" in arguments))
        assert "ensemble" not in err


def test_evaluate_measures_the_ensemble(command, folder):
    make_translator().save_pretrained("a")
    make_translator(cell="gru", hidden_size=24).save_pretrained("b")
    for arguments in (("a", "b", "pairs.tsv"), ("a", "b", "--data", "pairs.tsv")):
        code, out, _ = command(cli.main, "evaluate", *arguments, "--json")
        assert code == 0
        assert json.loads(out)["sentences"] == 2
    translated = [one.text for one in seqgen.load(["a", "b"]).translate(["the cat", "a dog"])]
    assert json.loads(out)["chrf"] == pytest.approx(chrf(translated, ["the mat", "the log"]).score)


def test_generators_are_still_evaluated_side_by_side(command, folder):
    make_generator().save_pretrained("a")
    make_generator(cell="gru").save_pretrained("b")
    code, out, _ = command(cli.main, "evaluate", "a", "b", "--data", "text.txt", "--json")
    assert (code, [json.loads(line)["model"] for line in out.splitlines()]) == (0, ["a", "b"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("translate", "translator", "generator", "the cat"), "generator must hold a model that can translate"),
        (
            ("generate", "generator", "conditional", "the"),
            "must be of one kind, but generator is of kind generator and",
        ),
        (("classify", "classifier", "images", "film"), "must be of one kind"),
        (("generate", "generator", "other", "the"), "must have the same tokenizer, but generator and other differ"),
        (("evaluate", "translator", "classifier", "pairs.tsv"), "must be of one kind"),
        (("generate", "generator", "killed", "the"), "that run was killed before it had one"),
        (("export", "generator", "other"), "must be a new or empty folder or an exported model"),
        (("generate", "generator", "exported", "the"), "exported holds one that was exported"),
    ],
)
def test_a_mistake_is_a_sentence(command, folder, arguments, sentence):
    make_translator().save_pretrained("translator")
    make_generator().save_pretrained("generator")
    make_generator("abc def").save_pretrained("other")
    make_conditional_generator().save_pretrained("conditional")
    make_text_classifier().save_pretrained("classifier")
    make_image_classifier().save_pretrained("images")
    for name, file in (("killed", "config.yaml"), ("exported", "config.json"), ("exported", "manifest.json")):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / file).write_text("{}")
    code, out, err = command(cli.main, *arguments)
    assert (code, out) == (2, "")
    assert sentence in err.splitlines()[-1]
    assert "Traceback" not in err
