"""The captioner's recipe, on its scenes and on small files."""

import json
import shlex

import PIL.Image
import pytest
import torch
import torchvision
from making import RUN_FILES, load_recipe, results_of, weights_of
from small_data import captioned

import seqgen
from seqgen.cli import main as cli
from seqgen.data.sets import scenes

RESULTS = {
    *(f"test_bleu{length}" for length in range(1, 5)),
    "test_cider",
    "test_rouge_l",
    "test_chrf",
    "test_distinct_captions",
    "test_images_per_second",
    "val_loss",
    "steps",
    "seconds",
    "tokens_per_second",
    "parameters",
    "precision",
    "threads",
    "seed",
}
SMALL = ["--hidden_size", 16, "--embedding_size", 8, "--memory_size", 16, "--batch_tokens", 300, "--precision", "fp32"]


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(scenes, "COUNTS", {"train": 60, "valid": 6, "test": 6})


@pytest.fixture
def train(command, tmp_path):
    def run(*arguments, directory=None):
        directory = tmp_path / "run" if directory is None else directory
        return command(load_recipe("image_captioner").main, "--output_dir", directory, *SMALL, *arguments)

    return run


@pytest.fixture
def photographs(tmp_path):
    return captioned(tmp_path)


@pytest.mark.figures
def test_a_run_on_scenes_leaves_all_that_is_promised(train, command, tmp_path):
    code, out, err = train("--max_steps", 6)
    assert code == 0, err
    run = tmp_path / "run"
    found = {path.name for path in run.iterdir() if not path.name.startswith("events.")}
    assert found == RUN_FILES | {"captions.html", "examples"}
    results = results_of(run)
    assert set(results) == RESULTS | {"test_true_captions"}
    assert 0 <= results["test_true_captions"] <= 1
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    measured = [line for line in lines if "val_loss" in line]
    assert [line["step"] for line in measured][-1] == 6
    assert all(
        {"val_bleu4", "val_cider", "val_distinct_captions", "val_true_captions"} <= set(line) for line in measured
    )
    assert "all captions are the same" in err
    program = shlex.split(out.splitlines()[-1])
    PIL.Image.new("RGB", (90, 60), "red").save(tmp_path / "photo.jpg")
    code, out, _ = command(cli.main, *program[1:-1], tmp_path / "photo.jpg")
    assert (code, out.count("\n")) == (0, 1)


def test_it_learns_what_pictures_show(train, photographs, tmp_path):
    options = [
        "--label_smoothing",
        0,
        "--dropout",
        0,
        "--averaging",
        0,
        "--captions_per_image",
        2,
        "--adamw_learning_rate",
        0.01,
    ]
    code, _, err = train(*photographs, *options, "--max_steps", 150, "--eval_every", 50, "--num_beams", 1)
    assert code == 0, err
    assert results_of(tmp_path / "run")["test_bleu2"] > 60
    captioner = seqgen.load(tmp_path / "run")
    assert "green" in captioner.caption(PIL.Image.new("RGB", (50, 50), (20, 220, 20)))[0].text


def test_captions_may_keep_their_case(train, photographs, tmp_path):
    options = ["--plain_captions", "false", "--tokenizer", "subword", "--vocab_size", 300]
    assert train(*photographs, *options, "--max_steps", 3)[0] == 0
    assert (
        seqgen.load(tmp_path / "run").target.decode(seqgen.load(tmp_path / "run").target.encode("It is!")) == "It is!"
    )


def test_a_trained_backbone_is_kept_and_then_tuned(train, photographs, tmp_path):
    trained = torchvision.models.shufflenet_v2_x0_5(weights=None)
    torch.save(trained.state_dict(), tmp_path / "weights.pth")
    data = [*photographs[:4], "--backbone", "shufflenet_v2_x0_5", "--image_size", 32]
    data += ["--weights", tmp_path / "weights.pth"]
    options = ["--max_steps", 4, "--mirror", "true", "--gated", "true", "--doubly_stochastic", 0.5]

    def kept(name):
        found = seqgen.load(tmp_path / name).model.encoder.backbone.parameters()
        return [torch.equal(one, before) for one, before in zip(found, trained.parameters(), strict=False)]

    code, _, err = train(*data, *options, directory=tmp_path / "frozen")
    assert code == 0, err
    assert all(kept("frozen"))
    code, _, err = train(*data, *options, "--fine_tune", 0.5, "--averaging", 0, directory=tmp_path / "tuned")
    assert code == 0, err
    assert not all(kept("tuned"))


def test_training_on_cider_is_repeatable(train, photographs, tmp_path):
    for name in ("run", "again"):
        code, _, err = train(*photographs, "--max_steps", 6, "--self_critical", 0.5, directory=tmp_path / name)
        assert code == 0, err
    assert weights_of(tmp_path / "run") == weights_of(tmp_path / "again")


def test_a_stopped_run_goes_on_to_the_same_weights(train, command, tmp_path):
    data = ["--eval_every", 4, "--dropout", 0.2, "--mirror", "true", "--decay", "none", "--warm_up", 0]
    train(*data, "--max_steps", 8, directory=tmp_path / "whole")
    train(*data, "--max_steps", 5, directory=tmp_path / "run")
    code, _, err = command(
        load_recipe("image_captioner").main, "--output_dir", tmp_path / "run", "--resume", "--max_steps", 8
    )
    assert code == 0, err
    assert results_of(tmp_path / "run")["val_loss"] == results_of(tmp_path / "whole")["val_loss"]
    assert weights_of(tmp_path / "run") == weights_of(tmp_path / "whole")


def test_a_bad_image_is_named_or_left_out(train, photographs, tmp_path, caplog):
    (photographs[1] / "7.png").write_bytes(b"no image")
    code, _, err = train(*photographs, "--max_steps", 1, directory=tmp_path / "one")
    assert (code, err.count("\n")) == (2, 1)
    assert "7.png: an image must be whole" in err
    code, _, err = train(*photographs, "--max_steps", 1, "--skip_bad", "true", directory=tmp_path / "two")
    assert code == 0, err
    assert "left out" in caplog.text


BAD = {
    "no captions": (["--data", "."], "--captions must come with --data"),
    "no data": (["--captions", "x.csv"], "--captions must come with --data"),
    "unknown backbone": (["--backbone", "resnet81"], "not 'resnet81' (did you mean resnet18?)"),
    "tuned without weights": (["--fine_tune", 0.5], "--fine_tune must be 0 without pretrained --weights"),
    "weights of small": (["--weights", "default"], "--weights must be none for the small backbone"),
    "share": (["--self_critical", 1.5], "--self_critical must be at least 0 and below 1"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_one_sentence(train, tmp_path, arguments, message):
    code, _, err = train(*arguments, "--max_steps", 1)
    assert (code, err.count("\n")) == (2, 1), err
    assert message in err
