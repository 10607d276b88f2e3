"""The commands with exported models: the real ones, in a process that cannot import torch."""

import json
import subprocess
import sys

import pytest
from exporting import MODELS, make_exported
from exports import exported
from making import make_conditional_generator

# Packages that an exported model does without; importing one ends the process.
ABSENT = ("torch", "torchvision", "scipy", "sklearn", "nltk", "accelerate", "sacrebleu", "matplotlib", "safetensors")
ABSENT += ("huggingface_hub", "onnx", "sentencepiece", "filelock")

PROGRAM = f"""
import contextlib, io, json, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from seqgen.cli import main
for arguments in json.load(sys.stdin):
    sys.argv, out, err, code = ["seqgen", *arguments], io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main.main()
        except SystemExit as end:
            code = end.code
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


def run_without_torch(commands):
    """Return exit code, output and errors of each command."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM], input=json.dumps(commands), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return [tuple(json.loads(line)) for line in ran.stdout.splitlines()]


@pytest.mark.processes
def test_the_commands_take_exported_models_and_import_no_torch():
    generator, classifier, names = map(str, map(exported, ("generator", "text_classifier", "conditional_generator")))
    greedy = ["--do_sample", "false", "--max_new_tokens", "20"]
    answers = run_without_torch(
        [
            ["generate", generator, "the ", *greedy],
            ["generate", generator, "the ", "--num_beams", "3", "--json"],
            ["generate", names, "dog", "--num_beams", "3"],
            ["classify", classifier, "fine", "--json", "--top_k", "3"],
            ["score", generator, "the cat"],
            ["score", names, "dog", "cat"],
            ["info", generator, "--json"],
            ["generate", "--help"],
            ["classify", generator, "fine"],
            ["evaluate", generator, "text.txt"],
            ["serve", generator],
            ["cells", generator],
            ["generate", generator, "the", "--device", "cuda"],
            ["generate", generator, "the", "--precision", "bf16"],
            ["generate", names, "dog", "--minimum_bayes_risk", "3"],
            ["train", "char_generator"],
        ]
    )
    [greedily, beams, named, labels, *scores] = [out for code, out, _ in answers[:8] if code == 0]
    in_torch = make_exported()
    options = {"do_sample": False, "max_new_tokens": 20, "precision": "fp32"}
    assert greedily == in_torch.generate("the ", **options)[0] + "\n"
    assert json.loads(beams)["text"] == in_torch.generate("the ", num_beams=3, precision="fp32")[0]
    assert named == make_conditional_generator().generate("dog", num_beams=3)[0] + "\n"
    expected = MODELS["text_classifier"]().classify("fine", top_k=3)[0]
    assert sorted(one["label"] for one in json.loads(labels)["labels"]) == sorted(one.label for one in expected)
    assert float(scores[0].split("\t")[0]) == pytest.approx(in_torch.score("the cat").log_probability, abs=1e-3)
    facts = json.loads(scores[2])
    assert facts["model"]["weights"] == "fp32"
    assert all(name not in command for command in facts["commands"] for name in ("evaluate", "cells", "serve"))
    assert "--max_new_tokens" in scores[3]
    mistakes = [
        "must hold a model that can classify, but it holds a generator",
        "seqgen evaluate needs a model as it was trained, but",
        "seqgen serve needs a model as it was trained, but",
        "seqgen cells needs a model as it was trained, but",
        "--device must be auto or cpu with an exported model, not 'cuda'",
        "--precision must be auto with an exported model, not 'bf16'",
        "there is no option --minimum_bayes_risk",
        "seqgen train needs torch, which is not installed",
    ]
    for (code, _, error), sentence in zip(answers[8:], mistakes, strict=True):
        assert (code, error.count("\n")) == (2, 1), error
        assert sentence in error
