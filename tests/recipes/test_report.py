"""The report of a run: what one would paste into an issue."""

import json

import torch
from making import SMALL, load_recipe, results_of
from small_data import small_options

from seqgen.runs import results


def test_a_report_has_what_an_issue_needs(command, text_file, tmp_path):
    recipe, run = load_recipe("char_generator"), tmp_path / "run"
    options = ["--data", text_file, *SMALL, "--optimizer", "adamw", "--eval_every", 4]
    code, out, err = command(recipe.main, *options, "--output_dir", run, "--max_steps", 8)
    assert code == 0, err
    report = (run / "report.md").read_text()
    assert report.startswith("# char_generator\n")
    for fact in (f"`{text_file}`, fingerprint ", f"torch {torch.__version__}", "1 process, fp32", "8 updates in "):
        assert fact in report
    assert "`--hidden_size 16`" in report
    assert f"--output_dir {run} --max_steps 8`" in report
    figures = results_of(run)
    assert f"| parameters | {figures['parameters']} |" in report
    assert f"| val_loss | {figures['val_loss']:.4g} |" in report
    validated = [line for line in map(json.loads, (run / "metrics.jsonl").open()) if "val_loss" in line]
    assert [f"| {line['step']} | " in report for line in validated] == [True, True]
    sample = out.split("--- temperature 0.5\n")[1].splitlines()[0]
    assert f"    {sample}".rstrip() in report.splitlines()
    code, _, err = command(recipe.main, "--output_dir", run, "--resume", "--max_steps", 12)
    assert code == 0, err
    resumed = (run / "report.md").read_text()
    assert "--resume --max_steps 12`" in resumed
    assert "`--hidden_size 16`" in resumed  # asked for at the start


def test_a_vertical_bar_stays_in_its_cell(command, tmp_path):
    assert results._text("nrefs:1|case:mixed") == "nrefs:1\\|case:mixed"
    few = ["--max_steps", 2, "--output_dir", tmp_path / "run"]
    code, _, err = command(load_recipe("translator").main, *small_options("translator", tmp_path), *few)
    assert code == 0, err
    [row] = [line for line in (tmp_path / "run" / "report.md").read_text().splitlines() if "signatures" in line]
    assert row.replace("\\|", "").count("|") == 3
