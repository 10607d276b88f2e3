"""The model card of a run: without figures while it trains, with those of results.json at its end."""

import re

from huggingface_hub import ModelCard
from making import results_of

import seqgen
from seqgen.inference.bundle import Bundle
from seqgen.runs import training


def test_the_card_of_a_run_has_its_figures_and_no_folder(train, tmp_path, monkeypatch):
    before = []
    write = training.write_model_card
    monkeypatch.setattr(training, "write_model_card", lambda run, *rest: (before.append(card(run)), write(run, *rest)))

    def card(run):
        return ModelCard.load(run.model_directory / "README.md")

    train("--max_steps", 2)
    assert before[0].data.eval_results is None
    path = tmp_path / "run" / "model" / "README.md"
    results, found = results_of(tmp_path / "run"), ModelCard.load(path)
    figures = {one.metric_name.replace(" ", "_"): one.metric_value for one in found.data.eval_results}
    assert set(figures) == {"val_loss", "bits_per_character", "perplexity"}
    assert figures == {name: results[name] for name in figures}
    assert {one.dataset_name for one in found.data.eval_results} == {"text.txt"}
    assert "--data text.txt" in found.text
    assert not re.search(r"(?<![\w<.])/\w+/", path.read_text()), "a path"
    assert str(tmp_path) not in path.read_text()


def test_the_card_goes_to_the_hub_with_the_figures(train, tmp_path, monkeypatch):
    train("--max_steps", 1)
    sent = []

    class Pretended:
        def __init__(self, token):
            self.commit_url, self.repo_id = "address", "you/model"

        def create_repo(self, name, **options):
            return self

        def upload_folder(self, *, repo_id, folder_path):
            sent.append(ModelCard.load(f"{folder_path}/README.md"))
            return self

    monkeypatch.setitem(Bundle.push_to_hub.__wrapped__.__globals__, "HfApi", Pretended)
    seqgen.load(tmp_path / "run").push_to_hub("you/model")
    assert sent[0].content == ModelCard.load(tmp_path / "run" / "model" / "README.md").content
    assert sent[0].data.eval_results
