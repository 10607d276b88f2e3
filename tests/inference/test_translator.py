"""A translator in use: one line for each line, whatever the others are."""

import io
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from making import TEXT, make_translator

import seqgen
from seqgen.cli import main as cli
from seqgen.cli import translate as command_module
from seqgen.errors import InputError
from seqgen.figures.attention import draw_attention
from seqgen.generation.minimum_bayes_risk import least_risk
from seqgen.inference.translator import Translator
from seqgen.text.subwords import SubwordTokenizer

TEXTS = ["the cat", "", "sat on the mat and the log", "  ", "dog", "a", "日本 \x07 語", "the cat"]


@pytest.fixture(params=[{}, {"input_feeding": True}], ids=["packed", "by steps"])
def translator(request):
    return make_translator(**request.param)


OPTIONS = [
    {},
    {"num_beams": 1},
    {"num_return_sequences": 3},
    {"coverage_penalty": 0.2, "length_penalty": 0.5},
    {"do_sample": True, "num_return_sequences": 2, "seed": 3},
    {"minimum_bayes_risk": 4, "seed": 3},
    {"minimum_bayes_risk": 4, "seed": 3, "num_return_sequences": 2},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_each_sentence_has_its_own_translation(translator, options):
    together = translator.translate(TEXTS, **options)
    each = options.get("num_return_sequences", 1)
    assert len(together) == each * len(TEXTS)
    for number, text in enumerate(TEXTS):
        alone = translator.translate(text, **options)
        assert [one.text for one in alone] == [one.text for one in together[number * each : (number + 1) * each]]
        if not text.strip():
            assert {one.text for one in alone} == {""}
    assert any(one.text for one in together)


def test_the_best_comes_first(translator):
    found = translator.translate("the cat sat", num_return_sequences=4)
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert translator.translate("the cat sat")[0].score == scores[0]


@pytest.mark.figures
@pytest.mark.parametrize("options", [{}, {"num_return_sequences": 2}])
def test_what_was_looked_at_fits_the_pieces(translator, options, tmp_path):
    for text in ("the cat", ""):
        for one in translator.translate(text, return_attention=True, **options):
            looks = one.attention
            assert looks.weights.shape == (len(looks.target), len(looks.source))
            if text:
                np.testing.assert_allclose(looks.weights.sum(axis=1), 1, atol=1e-5)
                assert "".join(piece for piece in looks.target if piece != "</s>") == one.text
                assert "".join(looks.source[:-1]) == text
    draw_attention(tmp_path / "new" / "1.png", translator.translate("cat", return_attention=True)[0].attention)
    assert (tmp_path / "new" / "1.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("options", [{}, {"num_beams": 1}, {"do_sample": True, "seed": 1}, {"num_return_sequences": 3}])
def test_a_forced_beginning_is_kept(translator, options):
    for one in translator.translate(TEXTS, prefix="dog ", return_attention=True, **options):
        assert one.text.startswith("dog ") or one.text == ""
        assert "".join(one.attention.target).removesuffix("</s>") == one.text
        assert len(one.attention.weights) == len(one.attention.target)
    with pytest.raises(InputError, match="prefix must have only"):
        translator.translate(TEXTS, prefix="\u0416")


def test_a_loaded_translator_is_the_saved_one(translator, tmp_path):
    translator.save_pretrained(tmp_path)
    loaded = seqgen.load(tmp_path)
    assert isinstance(loaded, Translator)
    assert loaded.translate(TEXTS) == translator.translate(TEXTS)
    assert loaded.target is loaded.source
    assert loaded.model.output.weight is loaded.model.encoder.embedding.weight
    stored = sum(path.stat().st_size for path in tmp_path.glob("*.safetensors"))
    assert stored < 4.5 * sum(weight.numel() for weight in loaded.model.parameters()) + 10_000


def test_two_vocabularies_are_both_kept(tmp_path):
    one = make_translator()
    target = SubwordTokenizer.fit(TEXT * 3, largest=300)
    parts = {"source": one.source, "target": target, "generation": one.generation, "max_length": 50}
    translator = Translator.untrained(**parts, hidden_size=16, embedding_size=8)
    translator.save_pretrained(tmp_path)
    loaded = seqgen.load(tmp_path)
    assert loaded.target.model == target.model
    assert loaded.translate(TEXTS) == translator.translate(TEXTS)


def test_a_long_sentence_is_read_as_far_as_asked(translator):
    translator.max_length = 5
    assert len(translator.encode("x" * 1_000_000)) == 6
    assert translator.translate("the catapult") == translator.translate("the c")


def test_options_are_checked(translator):
    for options, sentence in (
        ({"num_beams": 2, "num_return_sequences": 3}, "at most num_beams"),
        ({"beams": 2}, "no generation option 'beams'"),
        ({"stop_strings": ["x"]}, "stop_strings must be empty"),
        ({"minimum_bayes_risk": -1}, "minimum_bayes_risk must be at least 0, not -1"),
        ({"minimum_bayes_risk": 2, "num_return_sequences": 3}, "from 1 to minimum_bayes_risk, not 3"),
    ):
        with pytest.raises(InputError, match=sentence):
            translator.translate("cat", **options)
    assert translator.translate([]) == []


def test_the_least_risky_text_is_the_most_typical():
    assert least_risk(["the cat sat", "dog", "the cat sat down", "the cat sits"])[0] in (0, 2)
    assert least_risk(["dog", "the cat sat", "the cat sat"]) == [1, 0, 2]  # what was said already comes last


@pytest.fixture
def run(command, tmp_path, monkeypatch):
    make_translator().save_pretrained(tmp_path / "model")

    def of(text, *arguments, name="translate"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        return command(cli.main, name, tmp_path / "model", *arguments)

    return of


def test_a_line_comes_out_for_each_line_that_goes_in(run, monkeypatch):
    monkeypatch.setattr(command_module, "LINES", 3)
    strange = "the\u2028cat\x0b\x85"
    code, out, err = run("".join(text + "\n" for text in [*TEXTS, strange]))
    assert code == 0, err
    expected = [one.text for one in make_translator().translate([*TEXTS, strange])]
    assert out == "".join(" ".join(text.split("\n")) + "\n" for text in expected)
    assert run("")[:2] == (0, "")
    assert run("the cat")[1] == out.split("\n")[0] + "\n"


def test_a_line_that_is_cut_is_named(run):
    code, out, err = run("the cat\n" + "the cat " * 200_000 + "\n")
    assert (code, out.count("\n")) == (0, 2)
    assert err == "standard input, line 2: the sentence is cut to 50 tokens\n"


def test_more_of_each_with_scores_or_as_json(run):
    _, out, _ = run("the cat\n\n", "--nbest", 2, "--scores")
    rows = [line.split("\t") for line in out.splitlines()]
    assert len(rows) == 4
    assert float(rows[0][0]) >= float(rows[1][0])
    _, out, _ = run("the cat\n\n", "--nbest", 2, "--json", "--num_beams", 4)
    first, empty = map(json.loads, out.splitlines())
    assert [one["text"] for one in first["translations"]] == [row[1] for row in rows[:2]]
    assert (first["source"], empty["source"]) == ("the cat", "")
    assert math.isfinite(first["translations"][0]["score"])
    code, _, err = run("x\n", "--nbest", 9)
    assert (code, err.count("\n")) == (2, 1)
    assert "at most num_beams" in err
    # What is asked for contradicts itself, also where a part of it is what the model has anyway.
    _, _, err = run("the cat\n", "--do_sample", "true", "--num_beams", 4)
    assert "num_beams must be 1 where do_sample is on, not 4" in err
    assert "--nbest must be at least 1, not 0" in run("x\n", "--nbest", 0)[2]
    assert "no option --stop_strings (did you mean" not in run("x\n", "--stop_strings", "a")[2]


def test_lines_keep_their_places_whatever_the_model_returns_by_itself(run, tmp_path):
    translator = make_translator()
    translator.generation = translator.generation.with_options(num_return_sequences=2)
    translator.save_pretrained(tmp_path / "model")
    _, out, _ = run("the cat\n\ndog\n", "--json")
    assert [len(json.loads(line)["translations"]) for line in out.splitlines()] == [2, 2, 2]
    _, out, _ = run("the cat\n\ndog\n", "--json", "--minimum_bayes_risk", 4)
    assert [json.loads(line)["source"] for line in out.splitlines()] == ["the cat", "", "dog"]
    assert len(run("the cat\ndog\n", "--nbest", 6, "--minimum_bayes_risk", 8)[1].splitlines()) == 12
    (tmp_path / "two").write_text("the cat\ndog\n")
    code, _, err = run("", "--source", tmp_path / "two", "--target", tmp_path / "two", name="evaluate")
    assert code == 0, err
    (tmp_path / "none").write_text("")
    code, _, err = run("", "--source", tmp_path / "none", "--target", tmp_path / "none", name="evaluate")
    assert (code, err.count("\n")) == (2, 1)


def test_evaluate_measures_a_file(run, tmp_path):
    texts = [text for text in TEXTS if text.strip()]
    right = [one.text for one in make_translator().translate(texts)]
    (tmp_path / "source").write_text("".join(text + "\n" for text in texts))
    (tmp_path / "target").write_text("".join(" ".join(text.split("\n")) + "\n" for text in right))
    files = ["--source", tmp_path / "source", "--target", tmp_path / "target"]
    code, out, err = run("", *files, name="evaluate")
    assert code == 0, err
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[0] for row in rows] == ["bleu", "chrf", "exact", "sentences", "signatures"]
    assert float(rows[1][1]) > 99
    assert "nrefs:1" in rows[-1][1]
    code, _, err = run("", "--source", tmp_path / "none", "--target", tmp_path / "target", name="evaluate")
    assert (code, err.count("\n")) == (2, 1)
    code, _, err = run("", "--source", tmp_path / "source", name="evaluate")
    assert (code, err.count("\n")) == (2, 1)
    assert "--source and --target must come together" in err


def test_the_command_is_for_translators(command, generator, tmp_path):
    generator.save_pretrained(tmp_path / "generator")
    code, _, err = command(cli.main, "translate", tmp_path / "generator")
    assert code == 2
    assert "must hold a model that can translate, but it holds a generator" in err


def test_a_writer_searches_with_the_same_option(generator):
    torch.manual_seed(0)
    [greedy] = generator.generate("the", do_sample=False, max_new_tokens=12)
    texts = generator.generate(["the", "the dog"], num_beams=4, num_return_sequences=2, max_new_tokens=12)
    assert len(texts) == 4
    assert texts[0] == generator.generate("the", num_beams=4, max_new_tokens=12)[0]
    best, plain = (math.log(generator.score(text).perplexity) for text in (texts[0], greedy))
    assert best <= plain + 1e-3
    with pytest.raises(InputError, match="num_beams must be 1, not 2"):
        generator.stream("the", num_beams=2)
    with pytest.raises(InputError, match="stop_strings must be empty with several beams"):
        generator.generate("the", num_beams=2, stop_strings=["x"])


def test_whatever_bytes_come_in_lines_stay_lines(tmp_path):
    make_translator().save_pretrained(tmp_path / "model")
    given = b"the cat\r\na\xffb\rc\x0bd\n\n\xe2\x80\xa8\nlast"
    command = [sys.executable, "-m", "seqgen", "translate", str(tmp_path / "model"), "--json"]
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}  # ASCII alone
    done = subprocess.run(command, input=given, capture_output=True, env=environment, check=True)
    sources = [json.loads(line)["source"] for line in done.stdout.decode().split("\n")[:-1]]
    assert sources == ["the cat", "a\ufffdb\rc\x0bd", "", "\u2028", "last"]
