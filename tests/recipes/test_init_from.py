"""Every recipe goes on with a saved model: its tokenizer, sizes and weights, on the same data or on other data."""

import json
import shutil

import pytest
import torch
from making import RECIPES, load_recipe, make_generator, results_of
from small_data import OPTIONS, labelled, spans, text, words

import seqgen
from seqgen.ngram import NGram

FEW = ["--precision", "fp32", "--max_steps", 1, "--eval_every", 1]
UNCHANGED = [*FEW, "--learning_rate", 1e-9, "--adamw_learning_rate", 1e-9, "--averaging", 0]


@pytest.fixture
def train(command, monkeypatch, tmp_path):
    def run(name, *arguments, directory="run"):
        recipe = load_recipe(name)
        for constant in ("SAMPLE", "WRITTEN"):
            monkeypatch.setattr(recipe, constant, 5, raising=False)
        return command(recipe.main, *arguments, "--output_dir", tmp_path / directory)

    return run


@pytest.fixture
def refused(train):
    def run(name, *arguments):
        code, _, err = train(name, *arguments, directory="refused")
        assert code == 2
        assert len(err.strip().splitlines()) == 1, err
        return err

    return run


@pytest.mark.parametrize("name", RECIPES)
def test_a_run_begins_with_the_weights_of_the_saved_model(name, train, tmp_path):
    data = OPTIONS[name][0](tmp_path)
    small = [*OPTIONS[name][1], "--optimizer", "adamw", "--precision", "fp32", "--max_steps", 3, "--eval_every", 3]
    code, _, err = train(name, *data, *small, directory="first")
    assert code == 0, err
    same = ["--self_critical", 0] if name == "image_captioner" else []
    code, _, err = train(name, *data, *same, "--init_from", tmp_path / "first", *UNCHANGED, directory="second")
    assert code == 0, err
    before, after = (seqgen.load(tmp_path / run) for run in ("first", "second"))
    assert after.parts() == before.parts()
    for weight, other in zip(before.model.parameters(), after.model.parameters(), strict=True):
        torch.testing.assert_close(weight, other, atol=1e-6, rtol=1e-5)
    if name != "char_generator":  # which finds its dropout by the number of epochs
        assert after.all_arguments() == before.all_arguments()
    if not name.startswith("image"):  # their networks' statistics of batches follow the first update
        assert results_of(tmp_path / "second")["val_loss"] == pytest.approx(results_of(tmp_path / "first")["val_loss"])


def test_a_run_that_went_on_is_resumed_without_the_saved_model(train, tmp_path):
    make_generator().save_pretrained(tmp_path / "model")
    begun = [*text(tmp_path), "--batch_size", 4, "--window", 16, *FEW[:2], "--eval_every", 4, "--decay", "none"]
    begun += ["--warm_up", 0, "--init_from", tmp_path / "model"]
    train("char_generator", *begun, "--max_steps", 4, directory="whole")
    code, _, err = train("char_generator", *begun, "--max_steps", 2, directory="halves")
    assert code == 0, err
    shutil.rmtree(tmp_path / "model")
    code, _, err = train("char_generator", "--resume", "--max_steps", 4, directory="halves")
    assert code == 0, err
    whole, halves = (seqgen.load(tmp_path / run).model.state_dict() for run in ("whole", "halves"))
    assert all(torch.equal(weight, halves[name]) for name, weight in whole.items())


def test_the_model_determines_its_sizes_and_an_option_that_contradicts_it_is_a_sentence(refused, tmp_path):
    make_generator().save_pretrained(tmp_path / "model")
    begun = ["char_generator", *text(tmp_path), "--init_from", tmp_path / "model", *FEW]
    assert "--hidden_size must be that of the model of" in (found := refused(*begun, "--hidden_size", 24))
    assert ", 16, not 24" in found
    assert "--tokenizer must be that" in refused(*begun, "--tokenizer", "byte")
    assert "--new_tokens must be given with --init_from" in refused(*begun[:3], "--new_tokens", "extend")
    assert "--size must be left out" in refused(*begun, "--size", "tiny")


def test_characters_new_to_a_model_are_an_error_that_counts_them_or_are_added_or_unknown(train, refused, tmp_path):
    model = make_generator()
    model.save_pretrained(tmp_path / "model")
    data = tmp_path / "new.txt"
    data.write_text("the ÄÖ sat on the log.\n" * 100, encoding="utf-8")
    begun = ["char_generator", "--data", data, "--init_from", tmp_path / "model", "--batch_size", 2, *UNCHANGED]
    found = refused(*begun)
    assert "2 characters, 200 times (8.70%), such as 'Ä', 'Ö', are unknown" in found
    assert "--new_tokens extend" in found
    code, _, err = train(*begun, "--new_tokens", "extend", directory="extended")
    assert code == 0, err
    extended = seqgen.load(tmp_path / "extended")
    assert extended.tokenizer.vocab_size == model.tokenizer.vocab_size + 2
    assert extended.generate("Ä", max_new_tokens=2)
    code, _, err = train(*begun, "--new_tokens", "unknown", directory="unknown")
    assert code == 0, err
    assert "read as unknown: 2 characters" in err
    assert seqgen.load(tmp_path / "unknown").tokenizer.to_data() == model.tokenizer.to_data()


def test_words_new_to_a_model_are_unknown_unless_they_are_to_be_added(train, tmp_path):
    first = [*spans(tmp_path), *OPTIONS["tagger"][1], *FEW]
    train("tagger", *first, directory="first")
    other = tmp_path / "other.txt"
    other.write_text((tmp_path / "spans.txt").read_text().replace("saw", "heard").replace("I-PER", "LAST"))
    begun = ["tagger", "--data", other, "--init_from", tmp_path / "first", *UNCHANGED]
    code, _, err = train(*begun, directory="unknown")
    assert code == 0, err
    assert "'heard'" in err
    assert "tags: 3, of which the model of" in err
    assert "knows 2 of its 3; the weights of the others begin anew" in err
    before, after = (seqgen.load(tmp_path / run) for run in ("first", "unknown"))
    assert len(after.vocabulary) == len(before.vocabulary)
    assert set(after.tags) == {"B-PER", "LAST", "O"}
    train(*begun, "--new_tokens", "extend", directory="extended")
    assert "heard" in seqgen.load(tmp_path / "extended").vocabulary.numbers


def test_a_classifier_goes_on_with_the_same_labels_in_their_order_and_begins_others_anew(train, tmp_path):
    data = labelled(tmp_path)
    code, _, err = train("text_classifier", *data, *OPTIONS["text_classifier"][1], *FEW, directory="first")
    assert code == 0, err
    other = tmp_path / "other.tsv"
    other.write_text(data[1].read_text().replace("neg", "dull"))
    begun = ["--data", other, "--init_from", tmp_path / "first", *UNCHANGED, "--seed", 2]
    code, _, err = train("text_classifier", *begun, directory="second")
    assert code == 0, err
    assert "classes: 2, of which the model of" in err
    before, after = (seqgen.load(tmp_path / run) for run in ("first", "second"))
    assert (before.classes, after.classes) == (["neg", "pos"], ["dull", "pos"])
    heads = [bundle.model.head[1].weight for bundle in (before, after)]
    torch.testing.assert_close(heads[0][1], heads[1][1], atol=1e-6, rtol=1e-5)
    assert (heads[0][0] - heads[1][0]).abs().max() > 1e-3


def test_categories_new_to_a_generator_of_names_begin_anew(train, tmp_path):
    train("name_generator", *words(tmp_path), *OPTIONS["name_generator"][1], *FEW, directory="first")
    other = tmp_path / "other.tsv"
    other.write_text((tmp_path / "words.tsv").read_text().replace("b\t", "c\t"))
    code, _, err = train("name_generator", "--data", other, "--init_from", tmp_path / "first", *FEW, directory="second")
    assert code == 0, err
    assert "categories: 2, of which the model" in err
    assert seqgen.load(tmp_path / "second").categories == ["a", "c"]


def test_what_cannot_be_trained_further_is_a_sentence(refused, tmp_path):
    generator = make_generator()
    data = text(tmp_path)
    chain = NGram.fit(generator.tokenizer.encode("the cat sat"), vocab_size=generator.tokenizer.vocab_size, order=2)
    seqgen.Generator.of(chain, tokenizer=generator.tokenizer).save_pretrained(tmp_path / "chain")
    generator.save_pretrained(tmp_path / "whole")
    for name in ("damaged", "diverged", "exported"):
        shutil.copytree(tmp_path / "whole", tmp_path / name)
    (tmp_path / "damaged" / "model.safetensors").write_bytes(b"damaged")
    (tmp_path / "exported" / "manifest.json").write_text(json.dumps({"format": 1}))
    begun = ["char_generator", *data, *FEW, "--init_from"]
    assert "which this recipe does not train" in refused(*begun, tmp_path / "chain")
    assert "damaged" in refused(*begun, tmp_path / "damaged")
    assert "an exported one" in refused(*begun, tmp_path / "exported")
    assert "there is no folder" in refused(*begun, tmp_path / "nothing")
    assert "must be a saved translator, but" in refused("translator", *FEW, "--init_from", tmp_path / "whole")
