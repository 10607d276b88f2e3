"""`seqgen evaluate` and `seqgen score`: the metrics and the log-probabilities of every kind of model."""

import io
import json
import math
import sys

import numpy as np
import PIL.Image
import pytest
from making import (
    MADE,
    make_conditional_generator,
    make_generator,
    make_tagger,
    make_text_classifier,
    make_translator,
    sharpened,
)

import seqgen
from seqgen.cli import main as cli
from seqgen.errors import InputError

DATA = {
    "generator": ("text.txt",),
    "text_classifier": ("reviews.tsv",),
    "image_classifier": ("images",),
    "tagger": ("tagged.txt",),
    "translator": ("pairs.tsv",),
    "captioner": ("images", "--captions", "captions.csv"),
    "conditional_generator": ("names.tsv",),
}
METRICS = {
    "generator": {"loss", "perplexity", "bits_per_character", "unknown_tokens", "tokens"},
    "text_classifier": {"accuracy", "macro_f1", "calibration_error", "loss", "examples"},
    "image_classifier": {"accuracy", "macro_f1", "calibration_error", "loss", "examples"},
    "tagger": {"accuracy", "macro_f1", "calibration_error", "loss", "examples"},
    "translator": {"bleu", "chrf", "exact", "sentences", "signatures"},
    "captioner": {"bleu4", "cider", "images"},
    "conditional_generator": {"loss", "perplexity", "texts"},
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("the cat sat\non the mat\n")
    (tmp_path / "reviews.tsv").write_text("label\ttext\nfine\tthe cat\nbad\ta dog\nfine\tdog\n")
    (tmp_path / "names.tsv").write_text("label\ttext\ncat\tthe mat\ndog\tthe log\n")
    (tmp_path / "pairs.tsv").write_text("source\ttarget\nthe cat\tthe mat\na dog\tthe log\n")
    (tmp_path / "tagged.txt").write_text("the A\ncat B\n\nsat C\n")
    (tmp_path / "captions.csv").write_text("image,caption\nblue.png,w1 w2\nred.png,w3\nred.png,w4 w5\n")
    for number, name in enumerate(("blue", "red")):
        (tmp_path / "images" / name).mkdir(parents=True)
        PIL.Image.new("RGB", (40, 30), (200 * number, 9, 99)).save(tmp_path / "images" / name / f"{name}.png")
    return tmp_path


def measured(command, name, kind, *arguments):
    code, out, err = command(cli.main, name, f"{kind}-model", *arguments)
    assert code == 0, err
    return out


@pytest.fixture(params=MADE)
def kind(request, folder):
    MADE[request.param]().save_pretrained(folder / f"{request.param}-model")
    return request.param


def test_every_kind_is_evaluated_on_a_file(command, kind):
    figures = json.loads(measured(command, "evaluate", kind, *DATA[kind], "--json"))
    assert set(figures) >= METRICS[kind]
    rows = measured(command, "evaluate", kind, *DATA[kind]).splitlines()[-len(figures) :]
    assert [row.split("\t")[0] for row in rows] == list(figures)


def test_every_kind_is_scored_on_a_file(command, kind):
    rows = [json.loads(line) for line in measured(command, "score", kind, *DATA[kind], "--json").splitlines()]
    assert len(rows) == {"text_classifier": 3, "captioner": 3}.get(kind, 2)
    for row in rows:
        assert row["log_probability"] < 0
        if "tokens" in row:
            assert sum(row["log_probabilities"]) == pytest.approx(row["log_probability"])
            assert row["perplexity"] == pytest.approx(math.exp(-row["log_probability"] / len(row["tokens"])))
    lines = measured(command, "score", kind, *DATA[kind]).splitlines()
    assert [float(line.split("\t")[0]) for line in lines] == [round(row["log_probability"], 4) for row in rows]


def test_the_loss_of_an_evaluation_is_that_of_the_scores(command, folder):
    for kind in ("text_classifier", "tagger", "conditional_generator"):
        MADE[kind]().save_pretrained(folder / f"{kind}-model")
        loss = json.loads(measured(command, "evaluate", kind, *DATA[kind], "--json"))["loss"]
        rows = [json.loads(line) for line in measured(command, "score", kind, *DATA[kind], "--json").splitlines()]
        count = sum(len(row.get("tokens", "1")) for row in rows)
        assert -sum(row["log_probability"] for row in rows) / count == pytest.approx(loss, rel=1e-4)


def test_the_loss_of_a_text_is_that_of_its_score(command, folder):
    text = (folder / "text.txt").read_text()
    make_generator().save_pretrained(folder / "generator-model")
    figures = json.loads(measured(command, "evaluate", "generator", "text.txt", "--json"))
    score = make_generator().score(text)
    assert figures["perplexity"] == pytest.approx(score.perplexity, rel=1e-4)
    assert figures["bits_per_character"] == pytest.approx(-score.log_probability / len(text) / math.log(2), rel=1e-4)
    make_generator(ends=True).save_pretrained(folder / "generator-model")
    assert json.loads(measured(command, "evaluate", "generator", "text.txt", "--json"))["tokens"] == len(text)
    kept = json.loads(measured(command, "evaluate", "generator", "text.txt", "--json", "--documents", "none"))
    assert kept == figures  # the same weights read the same stream


def test_inputs_and_answers_are_arguments_in_turns(command, folder):
    pairs = {
        "text_classifier": ("the cat", "fine", "dog", "bad"),
        "image_classifier": ("images/blue/blue.png", "red", "images/red/red.png", "green"),
        "tagger": ("the cat", "A B", "sat", "C"),
        "translator": ("the cat", "the mat", "a dog", "the log"),
        "captioner": ("images/blue/blue.png", "w1 w2", "images/red/red.png", "w3"),
        "conditional_generator": ("cat", "the mat", "dog", "the log"),
    }
    for kind, words in pairs.items():
        MADE[kind]().save_pretrained(folder / f"{kind}-model")
        rows = [line.split("\t") for line in measured(command, "score", kind, *words).splitlines()]
        assert [tuple(row[-2:]) for row in rows] == [words[:2], words[2:]]


def test_blank_lines_have_no_score(command, folder, monkeypatch):
    make_generator().save_pretrained(folder / "generator-model")
    expected = measured(command, "score", "generator", "text.txt")
    (folder / "text.txt").write_text("the cat sat\n\n \non the mat\n\n")
    assert measured(command, "score", "generator", "text.txt") == expected
    make_text_classifier().save_pretrained(folder / "text_classifier-model")
    monkeypatch.setattr(sys, "stdin", io.StringIO("the cat\tfine\n\ndog\tbad\n"))
    assert measured(command, "score", "text_classifier").count("\n") == 2


def test_a_text_in_place_of_a_label_is_told_the_order(command, folder):
    make_text_classifier().save_pretrained(folder / "text_classifier-model")
    code, out, err = command(cli.main, "score", "text_classifier-model", "fine", "the cat")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "one of " in err
    assert "fine" in err
    assert "the order is text (or image), then label" in err


def test_the_best_of_an_nbest_list_is_that_of_its_search(command, folder, monkeypatch):
    sharpened(make_translator(), 0.3, 4.0).save_pretrained(folder / "translator-model")
    search = ("--nbest", "6", "--json", "--num_beams", "6", "--max_new_tokens", "12")
    _, lists, _ = command(cli.main, "translate", "translator-model", "the cat", "a dog", *search, "--precision", "fp32")
    monkeypatch.setattr(sys, "stdin", io.StringIO(lists))
    read = measured(command, "score", "translator", "--best", "--json")
    (folder / "nbest.txt").write_text(lists.replace("\n", "\n\n"))
    assert measured(command, "score", "translator", "nbest.txt", "--best", "--json") == read
    rows = [json.loads(line) for line in read.splitlines()]
    assert [row["input"] for row in rows] == ["the cat", "a dog"]
    model = seqgen.load("translator-model")
    for row, line in zip(rows, lists.splitlines(), strict=True):
        texts = [one["text"] for one in json.loads(line)["translations"]]
        scores = model.score([row["input"]] * len(texts), texts)
        penalty = model.generation.length_penalty
        ranks = [one.log_probability / len(one.tokens) ** penalty for one in scores]
        assert row["answer"] == texts[ranks.index(max(ranks))]


def test_the_best_label_is_the_most_probable(command, folder):
    make_text_classifier().save_pretrained(folder / "text_classifier-model")
    classes = seqgen.load("text_classifier-model").classes
    pairs = [word for text in ("the cat", "dog") for name in classes for word in (text, name)]
    rows = measured(command, "score", "text_classifier", "--best", *pairs).splitlines()
    answers = [
        line.split("\t")[0] for line in measured(command, "classify", "text_classifier", "the cat", "dog").splitlines()
    ]
    assert [row.split("\t")[1:] for row in rows] == [["the cat", answers[0]], ["dog", answers[1]]]


def test_equal_inputs_of_an_nbest_list_have_an_answer_each(command, folder):
    make_translator().save_pretrained(folder / "translator-model")
    line = json.dumps({"source": "the cat", "translations": [{"text": "la"}, {"text": "le"}]})
    (folder / "nbest.jsonl").write_text(f"{line}\n{line}\n")
    rows = measured(command, "score", "translator", "nbest.jsonl", "--best").splitlines()
    assert len(rows) == 2
    assert rows[0] == rows[1]


def test_labelled_lines_of_json_are_no_nbest_list(command, folder):
    make_translator().save_pretrained(folder / "translator-model")
    rows = [{"source": "the cat", "target": target} for target in ("la", "le")]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert len(measured(command, "score", "translator", "pairs.jsonl", "--best").splitlines()) == 1


NO_LISTS = ["{", '{"source": "a"}', '{"text": 1}', '{"source": "a", "translations": [1]}', '{"a": 1}']
NO_LISTS += ['{"source": "a", "translations": [{"text": null}]}', '{"source": "a", "translations": []}']


@pytest.mark.parametrize("line", [*NO_LISTS, "[1]"])
def test_another_line_is_no_nbest_list(command, folder, monkeypatch, line):
    make_translator().save_pretrained(folder / "translator-model")
    monkeypatch.setattr(sys, "stdin", io.StringIO(line + "\n"))
    code, out, err = command(cli.main, "score", "translator-model", "--best")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "standard input, line 1: a line" in err


def test_a_score_of_a_search_is_that_of_its_text():
    conditional = sharpened(make_conditional_generator(), 0.3, 4.0)  # it ends its texts early
    for model, given in ((make_translator(), "the cat"), (conditional, "cat")):
        # All tokens are allowed, as those that a search suppresses make the others more probable.
        options = {"num_beams": 8, "num_return_sequences": 8, "length_penalty": 0.0, "suppress_tokens": ()}
        options["precision"] = "fp32"  # in which texts are scored
        [found] = model.write([model.encode(given)], max_new_tokens=12, min_new_tokens=0, **options)
        pairs = [(one, model.score(given, one.text)[0]) for one in found if one.ended]
        # Special tokens are not in a text.
        same = [(one.score, score.log_probability) for one, score in pairs if one.pieces == score.tokens]
        assert same
        assert all(one == pytest.approx(other, abs=1e-3) for one, other in same)


def test_a_score_does_not_depend_on_its_batch():
    translator = make_translator()
    sources, targets = ["the cat sat on the mat", "a", ""], ["dog", "the dog sat on the log", "the"]
    together = translator.score(sources, targets)
    for source, target, score in zip(sources, targets, together, strict=True):
        [alone] = translator.score(source, target)
        np.testing.assert_allclose(score.log_probabilities, alone.log_probabilities, atol=1e-4)


def test_the_probabilities_of_all_labels_sum_to_one():
    classifier = make_text_classifier()
    logs = classifier.score(["the cat"] * 3, classifier.classes)
    assert sum(map(math.exp, logs)) == pytest.approx(1, abs=1e-5)
    tagger = make_tagger(words=True)
    scores = tagger.score([["cat"]] * 3, [[tag] for tag in tagger.tags])
    assert sum(math.exp(one.log_probability) for one in scores) == pytest.approx(1, abs=1e-5)


def test_what_cannot_be_scored_is_a_sentence(folder):
    for model, given, answer, sentence in (
        (make_text_classifier(), ["x"], ["fin"], "did you mean fine"),
        (make_tagger(words=True), ["the cat"], [["A"]], "a tag for each token"),
        (make_tagger(words=True), ["cat"], [["X"]], "a tag must be one of A, B, C, not 'X'"),
        (make_translator(), ["x", "y"], ["z"], "a text for each input"),
        (make_conditional_generator(), ["cow"], ["z"], "a condition must be one of"),
    ):
        with pytest.raises(InputError, match=sentence):
            model.score(given, answer)


def test_a_saved_model_scores_the_same(folder):
    make_translator().save_pretrained(folder / "translator-model")
    assert seqgen.load("translator-model").score("the", "cat") == make_translator().score("the", "cat")
