"""The report of a run: what one would paste into an issue, and a page to look at."""

import json
import re
from html import escape

import numpy as np
import pytest
import torch
from making import RECIPES, SMALL, load_recipe, results_of
from small_data import small_options

from seqgen.figures import confusion
from seqgen.figures.confusion import confusion_section
from seqgen.figures.curves import loss_curves, svg_curves
from seqgen.figures.mistakes import write_wrong_answers
from seqgen.figures.section import Section
from seqgen.figures.tables import matrix, table
from seqgen.metrics.classification import Answered
from seqgen.runs.measures import MEASURES, measures
from seqgen.runs.report import Report, shown
from seqgen.runs.report_markdown import markdown
from seqgen.runs.report_page import report_page

SAMPLES = {
    "char_generator": lambda lines: bool(lines),
    "tagger": lambda lines: "[" in lines[0],
    "name_generator": lambda lines: ": " in lines[0],
    "image_captioner": lambda lines: ": " in lines[0],
    "text_classifier": lambda lines: " -> " in lines[0],
    "image_classifier": lambda lines: " -> " in lines[0],
    "translator": lambda lines: lines[1].startswith("  -> "),
}
SHOWN = {  # what is in the page of a recipe: its selector, and how often it is there at least
    "char_generator": ("pre.text", 1),
    "tagger": ("table.matrix td[style]", 3),
    "name_generator": ("pre.text", 1),
    "image_captioner": ("article img", 1),
    "text_classifier": ("table.matrix td[style]", 1),
    "image_classifier": ("table.matrix td[style]", 1),
    "translator": ("table.matrix td[style]", 5),
}
HOSTILE = "<script>alert(1)</script>"


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_shows_samples_at_once_and_leaves_a_page(name, command, tmp_path, browser_page):
    run = tmp_path / "run"
    options = [*small_options(name, tmp_path), "--output_dir", run, "--max_steps", 2]
    code, out, err = command(load_recipe(name).main, *options)
    assert code == 0, err
    lines = err.splitlines()
    began = next(place for place, line in enumerate(lines) if line.startswith("training in "))
    ended = next(place for place, line in enumerate(lines) if line.startswith("step 2, "))
    assert SAMPLES[name]([line for line in lines[began + 1 : ended + 3] if not line.startswith("step ")]), err
    page, results, text = run / "report.html", results_of(run), (run / "report.md").read_text(encoding="utf-8")
    assert f"the report: {page}\nto " in out
    browser_page.goto(page.as_uri())
    assert not browser_page.problems
    assert browser_page.evaluate("document.documentElement.scrollWidth") <= 390  # no wider than a telephone
    seen = browser_page.locator("body").text_content()
    for figure, value in results.items():
        assert f"{figure}{shown(value)}" in seen, figure
        assert f"| {figure} | {shown(value)} |" in text.replace("\\|", "|")
    for measure in measures(name, results):
        for label, value in measure.of(results).items():
            assert f"{label} {measure.text(value)}" in text
            assert measure.text(value) in seen
    selector, least = SHOWN[name]
    assert browser_page.locator(selector).count() >= least
    assert browser_page.locator(".curves circle.validation").count() == 4  # two validations, over updates and seconds


@pytest.fixture
def written(tmp_path):
    """A report with hostile text wherever text can be."""
    facts = {"training": "2 updates", "data": f"`{HOSTILE}`, fingerprint 1", "contents": HOSTILE}
    metrics = [{"step": 1, "seconds": 0.5, "train_loss": float("nan")}, {"step": 2, "seconds": 1.0, "val_loss": 1.5}]
    classes = matrix([HOSTILE], [HOSTILE], np.ones((1, 1)))
    mistakes = table([HOSTILE], [[HOSTILE]])
    sections = [Section(HOSTILE, HOSTILE), Section("Classes", html=classes), Section("Mistakes", html=mistakes)]
    results = {"test_accuracy": 0.75, "baseline_accuracy": float("inf"), "majority_accuracy": 0.5, "signature": HOSTILE}
    return Report("tagger", tmp_path, facts, {"data": HOSTILE}, metrics, results, sections)


def test_hostile_text_stays_text(written, tmp_path, browser_page):
    html = report_page(written)
    assert "<script" not in html
    assert html.count(escape(HOSTILE)) >= 9
    (tmp_path / "report.html").write_text(html, encoding="utf-8")
    browser_page.on("dialog", lambda dialog: browser_page.problems.append(dialog.message))
    browser_page.goto((tmp_path / "report.html").as_uri())
    assert not browser_page.problems
    assert browser_page.locator("pre.text").text_content() == HOSTILE


def test_page_and_markdown_have_the_same_facts(written):
    html, text = report_page(written), markdown(written)
    for name, fact in written.facts.items():
        assert f"- {name}: {fact}" in text
        assert escape(re.sub("`.*?`", "", fact)) in html
    assert "this model 75.0%, the most frequent tag of each token inf%, always the most frequent tag 50.0%" in text
    assert [float(width) for width in re.findall(r"width:([\d.]+)%", html)[-3:]] == [75, 0, 50]


def test_curves_have_the_finite_losses_in_their_order():
    metrics = [{"step": step, "seconds": step / 2, "train_loss": 9.0 - step} for step in range(1, 5)]
    metrics += [{"step": 4, "seconds": 2.0, "val_loss": float("inf")}]
    assert {name: points.tolist() for name, points in loss_curves(metrics, "seconds").items()} == {
        "training": [[0.5, 8.0], [1.0, 7.0], [1.5, 6.0], [2.0, 5.0]]
    }
    line = re.findall(r'points="([^"]+)"', svg_curves(metrics))[0]
    x, y = zip(*(map(float, pair.split(",")) for pair in line.split()), strict=True)
    assert list(x) == sorted(x)
    assert list(y) == sorted(y)  # downwards, as the loss falls
    assert "NaN" not in svg_curves([{"step": 1, "seconds": 0.0, "val_loss": 2.0}])
    assert "svg" not in svg_curves([])


def test_mistakes_are_seen_and_many_classes_are_listed_in_pairs(tmp_path):
    targets, predictions = np.array([0, 1, 1, 2, 2, 2]), np.array([0, 1, 0, 0, 0, 1])
    few = Answered(np.log(np.eye(3)[predictions].clip(1e-3)), targets, ["a", "b", HOSTILE])
    pictures = np.zeros((6, 4, 4, 3), np.uint8)
    mistakes = write_wrong_answers(tmp_path / "mistakes.jsonl", few, str, pictures)
    assert mistakes.html.count("<img") == mistakes.text.count(", but ") == 4
    assert HOSTILE not in mistakes.html + confusion_section(few).html
    assert re.findall(r">(\d+)</td>", confusion_section(few).html) == list("11121123")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(confusion, "MOST", 2)
        listed = confusion_section(few).html
    assert "matrix" not in listed
    assert re.findall(r">(\d+)</td>", listed)[:2] == ["2", "1"]  # the most frequent pairs


def test_every_recipe_has_measures():
    assert set(MEASURES) == set(RECIPES)
    assert [measure.of({"val_loss": 2.0}) for measure in measures("one of my own", {"val_loss": 2.0})] == [
        {"this model": 2.0}
    ]


def test_a_report_has_what_an_issue_needs(command, text_file, tmp_path):
    recipe, run = load_recipe("char_generator"), tmp_path / "run"
    options = ["--data", text_file, *SMALL, "--optimizer", "adamw", "--eval_every", 4]
    code, out, err = command(recipe.main, *options, "--output_dir", run, "--max_steps", 8)
    assert code == 0, err
    report, page = (run / "report.md").read_text(), (run / "report.html").read_text()
    assert report.startswith("# char_generator\n")
    for fact in (f"`{text_file}`, fingerprint ", f"torch {torch.__version__}", "1 process, fp32", "8 updates in "):
        assert fact in report
    assert "`--hidden_size 16`" in report
    assert f"--output_dir {run} --max_steps 8`" in report
    assert f"--output_dir {run} --max_steps 8</code>" in page
    figures = results_of(run)
    assert f"| parameters | {figures['parameters']} |" in report
    assert f"| val_loss | {figures['val_loss']:.4g} |" in report
    validated = [line for line in map(json.loads, (run / "metrics.jsonl").open()) if "val_loss" in line]
    assert [f"| {line['step']} | " in report for line in validated] == [True, True]
    sample = out.split("--- temperature 0.5\n")[1].splitlines()[0]
    assert f"    {sample}".rstrip() in report.splitlines()
    assert escape(sample) in page
    code, _, err = command(recipe.main, "--output_dir", run, "--resume", "--max_steps", 12)
    assert code == 0, err
    resumed = (run / "report.md").read_text()
    assert "--resume --max_steps 12`" in resumed
    assert "`--hidden_size 16`" in resumed  # asked for at the start
    assert "12 updates in " in (run / "report.html").read_text()


def test_a_vertical_bar_stays_in_its_cell(written):
    written.results["signatures"] = "nrefs:1|case:mixed"
    [row] = [line for line in markdown(written).splitlines() if "signatures" in line]
    assert row == "| signatures | nrefs:1\\|case:mixed |"
