import re

import PIL.Image
import pytest
from huggingface_hub import ModelCard
from making import MADE, make_conditional_generator, make_generator, make_text_classifier

import seqgen
from seqgen.inference.card import PLACE, Trained, names_only, write_card

TASKS = {
    "generator": "text-generation",
    "text_classifier": "text-classification",
    "image_classifier": "image-classification",
    "tagger": "token-classification",
    "translator": "translation",
    "captioner": "image-to-text",
    "conditional_generator": "text-generation",
}
RESULTS = {"test_loss": 0.123456789, "test_accuracy": 0.75, "val_loss": 1 / 3, "majority_accuracy": 0.5, "steps": 9}


def card(directory):
    return ModelCard.load(directory / "README.md")


def figures(directory):
    """The figures of a card, by split and name."""
    return {(one.dataset_split, one.metric_name): one.metric_value for one in card(directory).data.eval_results or []}


def measured(bundle, directory):
    bundle.save_pretrained(directory)
    facts = {"command": "`seqgen train`"}
    write_card(directory, bundle, Trained("text_classifier", "reviews.tsv", facts, RESULTS))


@pytest.mark.parametrize("kind", MADE)
def test_every_model_has_a_card_whose_code_runs(kind, tmp_path, monkeypatch, capsys):
    MADE[kind]().save_pretrained(tmp_path / "model")
    data = card(tmp_path / "model").data
    assert (data.library_name, data.pipeline_tag) == ("seqgen", TASKS[kind])
    assert {"seqgen", "pytorch"} < set(data.tags)
    assert data.eval_results is None
    monkeypatch.chdir(tmp_path)
    PIL.Image.new("RGB", (40, 30), "red").save("picture.jpg")
    [code] = re.findall(r"```python\n(.*?)```", card(tmp_path / "model").text, flags=re.DOTALL)
    exec(code.replace(PLACE, "model"), {})
    assert capsys.readouterr().out
    assert f" {PLACE} " in card(tmp_path / "model").text
    assert kind != "generator" or f'generate {PLACE} "the "' in card(tmp_path / "model").text


def test_the_figures_are_those_that_were_measured(tmp_path):
    measured(make_text_classifier(), tmp_path)
    own = {("test", "test loss"): 0.123456789, ("test", "test accuracy"): 0.75, ("validation", "val loss"): 1 / 3}
    assert figures(tmp_path) == own
    text = card(tmp_path).text
    assert "| majority accuracy | 0.5 |" in text
    assert "steps" not in text


def test_a_loaded_model_takes_its_card_along_while_its_weights_are_the_same(tmp_path):
    measured(make_text_classifier(), tmp_path / "one")
    classifier = seqgen.load(tmp_path / "one")
    classifier.save_pretrained(tmp_path / "two")
    assert (tmp_path / "two" / "README.md").read_bytes() == (tmp_path / "one" / "README.md").read_bytes()
    next(classifier.model.parameters()).data[0] += 1
    classifier.save_pretrained(tmp_path / "two")
    assert not figures(tmp_path / "two")


def test_a_page_of_another_hand_stays_as_it_is(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("# Mine\n")
    measured(make_text_classifier(), tmp_path)
    assert path.read_text() == "# Mine\n"
    path.unlink()
    measured(make_text_classifier(), tmp_path)
    edited = path.read_text().replace("## Limits", "## Limits\n\nIt likes cats.")
    path.write_text(edited)
    make_text_classifier().save_pretrained(tmp_path)
    assert path.read_text() == edited
    seqgen.load(tmp_path).save_pretrained(tmp_path / "copy")
    assert (tmp_path / "copy" / "README.md").read_text() == edited


@pytest.mark.parametrize("page", [b"", b"\xff\xfe---", b"---\n: [\n---\n", None], ids=repr)
def test_a_damaged_page_is_no_error(page, tmp_path):
    make_generator().save_pretrained(tmp_path / "one")
    path = tmp_path / "one" / "README.md"
    path.unlink() if page is None else path.write_bytes(page)
    seqgen.load(tmp_path / "one").save_pretrained(tmp_path / "two")
    assert (tmp_path / "two" / "README.md").is_file()


def test_no_folder_of_the_users_is_named(tmp_path):
    assert names_only("/home/me/data/a.txt,../b/,c.tsv,dates") == "a.txt,b,c.tsv,dates"
    generator = make_generator()
    generator.save_pretrained(tmp_path)
    assert str(tmp_path) not in (tmp_path / "README.md").read_text()


def test_names_that_mean_something_in_a_table_or_in_the_head_stay_names(tmp_path):
    classifier = make_text_classifier()
    classifier.classes = ["a|b", "---\nlicense: mit", "{{ card_data }}"]
    classifier.save_pretrained(tmp_path)
    assert card(tmp_path).data.license is None
    assert "| classes | a\\|b, --- license: mit, {{ card_data }} |" in card(tmp_path).text


def test_labels_of_others_are_no_html_no_link_and_end_no_block_of_code(tmp_path):
    hostile = "<script>x</script>[a](b)![c](d)`e`", "f\n```\n<script>g</script>"
    classifier, names = make_text_classifier(), make_conditional_generator(hostile[::-1])
    classifier.classes = [*hostile, "h"]
    for bundle in (classifier, names):
        bundle.save_pretrained(tmp_path / bundle.builder)
        outside, fence = [], ""
        for line in card(tmp_path / bundle.builder).text.splitlines():
            if found := re.match("`{3,}", line):
                fence = "" if fence and line == fence else fence or found[0]
            elif not fence:
                outside.append(line)
        assert not fence
        assert not re.search(r"(?<!\\)(<script|\[a|!\[)", "\n".join(outside).replace("<!-- made", ""))
