"""What `--data` names."""

import gzip
import re

import pytest

from seqgen.data.catalog import conditioned_texts, labelled_texts, parallel_texts, tagged_texts
from seqgen.data.labelled import TextColumns
from seqgen.data.parallel import PairOptions
from seqgen.data.sets import dates, highlighting
from seqgen.errors import InputError

COLUMNS = TextColumns()
NONE = (None, None)


def write(path, lines):
    content = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return str(path)


def parts_of(splits):
    return splits.train, splits.valid, splits.test


def lengths_of(splits):
    return list(map(len, parts_of(splits)))


def rows(count, first):
    """Lines of a first column as it is named here, and of a text, all different."""
    kinds = {
        "label": lambda n: "ab"[n % 2],
        "sentence": lambda n: f"sentence {n}",
        "numbers": lambda n: f"{n}, {n * n}",
    }
    return [f"{kinds[first](number)}\ttext {number}" for number in range(count)]


def test_packages_of_python_are_split_by_file():
    splits = labelled_texts("python-packages", None, None, COLUMNS, seed=1)
    files = [{where.rsplit(", line", 1)[0] for where in part.where} for part in parts_of(splits)]
    assert all(files)
    assert sum(map(len, files)) == len(set.union(*files))
    assert set(splits.test.labels) <= set(splits.classes) == set(splits.train.labels)


def test_labelled_texts_of_ones_own(tmp_path):
    data, valid = write(tmp_path / "a.tsv", rows(100, "label")), write(tmp_path / "b.tsv", rows(7, "label"))
    assert lengths_of(labelled_texts(data, None, None, COLUMNS, seed=1)) == [82, 8, 10]
    splits = labelled_texts(data, valid, None, COLUMNS, seed=1)
    assert lengths_of(splits) == [90, 7, 10]
    assert [row.split(", ")[0] for row in splits.valid.where] == [valid] * 7


def test_names_of_functions_for_their_package():
    splits = conditioned_texts("function-names", COLUMNS, conditions="categories", seed=1)
    assert len(splits.classes) > 2
    assert all(re.fullmatch(r"\w+", name) for part in parts_of(splits) for name in part.inputs)
    assert set(splits.valid.labels) <= set(splits.classes) == set(splits.train.labels)


def test_texts_for_numbers(tmp_path):
    data = write(tmp_path / "a.tsv", rows(40, "numbers"))
    splits = conditioned_texts(data, COLUMNS, conditions="numbers", seed=1)
    assert lengths_of(splits) == [32, 4, 4]
    assert sorted(text for part in parts_of(splits) for text in part.inputs) == sorted(f"text {n}" for n in range(40))
    again, other = (conditioned_texts(data, COLUMNS, conditions="numbers", seed=seed) for seed in (1, 2))
    assert list(again.test.inputs) == list(splits.test.inputs) != list(other.test.inputs)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            [*rows(30, "numbers"), "1, two\tx"],
            "line 31: with --conditions numbers a label must be numbers, not '1, two'",
        ),
        ([*rows(30, "numbers"), "1\tx"], "line 31: there must be 2 numbers as in the first row, not 1"),
        (rows(19, "numbers"), "there must be at least 20 texts to split, not 19"),
    ],
)
def test_conditions_that_are_no_numbers_are_refused(tmp_path, lines, message):
    data = write(tmp_path / "a.tsv", lines)
    with pytest.raises(InputError, match=re.escape(message)):
        conditioned_texts(data, COLUMNS, conditions="numbers", seed=1)


def test_tagged_texts_of_python_and_of_ones_own(tmp_path, monkeypatch):
    monkeypatch.setattr(highlighting, "TRAINED", 30_000)
    monkeypatch.setattr(highlighting, "HELD_BACK", 5000)
    splits = tagged_texts("python-source", None, None, column="UPOS", seed=1)
    assert {"keyword", "name", "string"} <= set(splits.tags)
    files = [{where.split(", character")[0] for where in part.where} for part in parts_of(splits)]
    assert sum(map(len, files)) == len(set.union(*files))
    data = write(tmp_path / "a.txt", [line for number in range(40) for line in (f"w{number} {'AB'[number % 2]}", "")])
    assert lengths_of(tagged_texts(data, None, None, column="UPOS", seed=1)) == [32, 4, 4]
    assert lengths_of(tagged_texts(data, None, data, column="UPOS", seed=1)) == [36, 4, 40]


@pytest.fixture
def few_dates(monkeypatch):
    monkeypatch.setattr(dates, "TRAIN", 50)
    monkeypatch.setattr(dates, "HELD_BACK", 5)


def pairs_of(data, files=NONE, valid=(None, NONE), test=(None, NONE), drop=False):
    files_of = {"source": files, "valid_source": valid[1], "test_source": test[1]}
    sides = {name: source for name, (source, _) in files_of.items()}
    sides |= {name.replace("source", "target"): target for name, (_, target) in files_of.items()}
    return parallel_texts(PairOptions(data=data, valid=valid[0], test=test[0], drop_strange=drop, **sides), seed=1)


def test_parallel_texts_by_name_in_a_table_or_in_two_files(tmp_path, few_dates, monkeypatch):
    assert lengths_of(pairs_of("dates")) == [50, 5, 5]
    table, other = write(tmp_path / "a.tsv", rows(100, "sentence")), write(tmp_path / "b.tsv", rows(3, "sentence"))
    assert lengths_of(pairs_of(table)) == [80, 10, 10]
    assert lengths_of(pairs_of(table, valid=(other, NONE))) == [90, 3, 10]
    sides = [write(tmp_path / name, [f"{name} {number}" for number in range(30)]) for name in "xy"]
    assert lengths_of(pairs_of(table, test=(None, tuple(sides)))) == [90, 10, 30]
    splits = pairs_of("dates", files=tuple(sides), valid=(other, NONE))  # no --data was given
    assert lengths_of(splits) == [27, 3, 3]
    assert {text[0] for text in splits.train.sources} == {"x"}
    monkeypatch.setenv("SEQGEN_DATA", str(tmp_path))
    (tmp_path / "multi30k").mkdir()
    for count, part in enumerate(("train", "val", "test_2016_flickr"), start=11):
        for side in ("de", "en"):
            write(tmp_path / "multi30k" / f"{part}.{side}.gz", [f"{side} {number}" for number in range(count)])
    splits = pairs_of("multi30k-en-de", valid=("multi30k-en-de", NONE))
    assert lengths_of(splits) == [11, 12, 13]
    assert (splits.test.sources[0], splits.test.targets[0]) == ("en 0", "de 0")


def test_strange_pairs_stop_it_all_or_are_dropped_from_what_is_trained_on(tmp_path):
    data = write(tmp_path / "a.tsv", [*rows(40, "sentence"), "\tno source"])
    with pytest.raises(InputError, match=r"line 41: the source must not be empty \(1 such pairs; --drop_strange"):
        pairs_of(data)
    assert sum(lengths_of(pairs_of(data, drop=True))) == 40


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"files": ("x", None)}, "--source must come with --target, which is missing"),
        ({"files": (None, "x")}, "--target must come with --source, which is missing"),
        ({"valid": (None, ("x", None))}, "--valid_source must come with --valid_target, which is missing"),
        ({"test": (None, (None, "x"))}, "--test_target must come with --test_source, which is missing"),
        ({"data": "a.tsv", "files": ("x", "y")}, "--source must be without --data, which is 'a.tsv'"),
        ({"valid": ("a.tsv", NONE)}, "--valid must come with --data or --source, as dates have their own parts"),
        ({"test": (None, ("x", "y"))}, "--test_source must come with --data or --source, as dates"),
        (
            {"data": "datse"},
            "- or a named set, but 'datse' is not there (did you mean dates?)",
        ),
    ],
)
def test_pairs_that_do_not_fit_together_are_refused(arguments, message):
    with pytest.raises(InputError, match=re.escape(message)):
        pairs_of(**{"data": "dates"} | arguments)
