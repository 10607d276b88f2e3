"""Runs whose embeddings begin with word vectors."""

import numpy as np
import pytest
import torch
from making import TEXT, load_recipe, results_of
from small_data import OPTIONS, text

import seqgen
from seqgen.inference.generator import Generator
from seqgen.inference.word_embeddings import initialize_embeddings
from seqgen.text.words import WordTokenizer

SIZE = 8  # of the embeddings in `OPTIONS`
WORDS = ["the", "cat", "film", "Smith1", "ann", "saw", "zwei", "two"]
OF_WORDS = {
    "char_generator": ["--tokenizer", "word", "--window", 8, "--batch_size", 2],
    "text_classifier": [],
    "tagger": [],
    "translator": ["--shared_vocabulary", "false"],
}
TABLES = {
    "char_generator": lambda model: [(model.tokenizer, model.model.embedding)],
    "text_classifier": lambda model: [(model.tokenizer, model.model.encoder.embedding)],
    "tagger": lambda model: [(model, model.model.encoder.embedding.words)],
    "translator": lambda model: [
        (model.source, model.model.encoder.embedding),
        (model.target, model.model.decoder.embedding),
    ],
}


@pytest.fixture
def vectors(tmp_path):
    """A file of vectors, and the vectors by their words."""
    drawn = np.random.default_rng(0).normal(size=(len(WORDS), SIZE)).round(4)
    rows = [" ".join([word, *map(str, vector)]) for word, vector in zip(WORDS, drawn, strict=True)]
    (tmp_path / "vectors.txt").write_text("\n".join(rows) + "\n")
    return tmp_path / "vectors.txt", dict(zip(WORDS, drawn, strict=True))


@pytest.fixture
def train(command, monkeypatch, tmp_path):
    def run(name, *options, data=None):
        recipe = load_recipe(name)
        monkeypatch.setattr(recipe, "SAMPLE", 5, raising=False)
        data = OPTIONS[name][0](tmp_path) if data is None else data
        few = ["--precision", "fp32", "--optimizer", "adamw", "--max_steps", 1, "--output_dir", tmp_path / "run"]
        return command(recipe.main, *data, *OPTIONS[name][1], *few, *options)

    return run


@pytest.mark.parametrize("name", OF_WORDS)
def test_frozen_embeddings_stay_the_vectors_of_the_file(name, train, vectors, tmp_path):
    place, known = vectors
    code, _, err = train(name, *OF_WORDS[name], "--vectors", place, "--freeze_vectors", 1, "--averaging", 0)
    assert code == 0, err
    compared = 0
    for fitted, table in TABLES[name](seqgen.load(tmp_path / "run")):
        numbers = fitted.vocabulary.numbers
        for word, number in numbers.items():
            vector = known.get(word, known.get(word.lower()))
            if vector is not None:
                trained = table.weight[number].detach().numpy()
                assert np.corrcoef(trained, vector)[0, 1] > 0.9999
                compared += 1
    assert compared >= 1
    coverage = results_of(tmp_path / "run")["vector_coverage"]
    assert 0 < coverage < 1
    assert f"({coverage:.1%})" in err


@pytest.mark.parametrize("name", ["text_classifier", "tagger"])
@pytest.mark.parametrize("count", [0, 3, 50_000])
def test_the_first_words_of_a_file_are_known_where_the_data_lacks_them(name, count, train, vectors, tmp_path):
    place, known = vectors
    lines = [
        "zebra " + "1 " * SIZE,
        "don't " + "2 " * SIZE,
        "Great-Britain " + "3 " * SIZE,
        "",
        "new york " + "4 " * SIZE,
    ]
    place.write_text("\n".join(lines) + "\n" + place.read_text())
    frozen = ["--freeze_vectors", 1, "--averaging", 0]
    code, _, err = train(name, *OF_WORDS[name], "--vectors", place, *frozen, "--vector_words", count)
    assert code == 0, err
    [(fitted, table)] = TABLES[name](seqgen.load(tmp_path / "run"))
    assert ("zebra" in fitted.vocabulary.numbers) == (count > 0)
    assert ("zwei" in fitted.vocabulary.numbers) == (count > 3)
    assert "Great-Britain" not in fitted.vocabulary.numbers  # which no model could read
    results = results_of(tmp_path / "run")
    assert (results["vector_words_added"] > 0) == (count > 0)
    assert 0 < results["vector_coverage"] < 1  # of the words of the data alone
    if count > 3:
        row = table.weight[fitted.vocabulary.numbers["zwei"]].detach().numpy()
        assert np.corrcoef(row, known["zwei"])[0, 1] > 0.9999


def test_vectors_have_the_standard_deviation_that_was_asked_for(train, vectors, tmp_path):
    place, known = vectors
    options = ["--vectors", place, "--freeze_vectors", 1, "--averaging", 0, "--vector_deviation", 3]
    assert train("text_classifier", *options)[0] == 0
    [(tokenizer, table)] = TABLES["text_classifier"](seqgen.load(tmp_path / "run"))
    rows = torch.stack([table.weight[number] for word, number in tokenizer.vocabulary.numbers.items() if word in known])
    assert rows.std().item() == pytest.approx(3, rel=0.3)


def test_embeddings_that_are_not_frozen_are_trained(train, vectors, tmp_path):
    place, known = vectors
    code, _, err = train("text_classifier", "--vectors", place, "--averaging", 0, "--learning_rate", 0.5)
    assert code == 0, err
    [(tokenizer, table)] = TABLES["text_classifier"](seqgen.load(tmp_path / "run"))
    trained = table.weight[tokenizer.vocabulary.numbers["film"]].detach().numpy()
    assert np.corrcoef(trained, known["film"])[0, 1] < 0.9999


def test_the_rows_of_other_words_and_the_scale_stay(vectors):
    place, known = vectors
    bundle = Generator.untrained(tokenizer=WordTokenizer.fit(TEXT), hidden_size=8, embedding_size=SIZE)
    before = bundle.model.embedding.weight.detach().clone()
    found = initialize_embeddings(bundle, str(place))
    numbers = bundle.tokenizer.vocabulary.numbers
    rows = [number for word, number in numbers.items() if word in known or word.lower() in known]
    others = [row for row in range(len(before)) if row not in rows]
    assert found.found == len(rows) > 0
    assert torch.equal(bundle.model.embedding.weight[others], before[others])
    assert bundle.model.embedding.weight.std().item() == pytest.approx(before.std().item(), rel=0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--vectors", "none.txt"], "vectors must be a text file of word vectors, but 'none.txt' is not a file"),
        (["--vectors", "{}", "--tokenizer", "char"], "vectors must be for a model of words"),
        (["--vectors", "{}", "--embedding_size", 9], "--embedding_size must be that of the vectors in"),
        (["--vectors", "{}", "--freeze_vectors", 1.5], "--freeze_vectors must be from 0 to 1, not 1.5"),
        (["--freeze_vectors", 0.5], "--freeze_vectors must be given with --vectors"),
        (["--vector_deviation", 0.5], "--vector_deviation must be given with --vectors"),
        (["--vectors", "{}", "--vector_deviation", 0], "--vector_deviation must be above 0 and finite, not 0"),
        (["--vectors", "{}", "--init_from", "runs/other"], "--vectors must be left out with --init_from"),
    ],
)
def test_what_does_not_fit_is_one_sentence(command, tmp_path, vectors, options, message):
    options = [str(vectors[0]) if option == "{}" else option for option in options]
    recipe, data = load_recipe("char_generator"), text(tmp_path)
    code, _, err = command(
        recipe.main, *data, "--tokenizer", "word", *options, "--max_steps", 1, "--output_dir", tmp_path / "run"
    )
    assert code == 2
    assert message in err.strip().splitlines()[-1]
    assert not (tmp_path / "run").exists()


def test_vectors_of_other_words_are_refused(train, tmp_path):
    (tmp_path / "other.txt").write_text("λόγος" + " 1" * SIZE + "\n")
    code, _, err = train("text_classifier", "--vectors", tmp_path / "other.txt")
    assert code == 2
    assert "must have vectors of the model's words, but it has none of all" in err
