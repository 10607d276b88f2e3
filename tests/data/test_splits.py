"""Which part is trained on, validated on, and tested on."""

from collections import Counter

import pytest

from seqgen.data import splits as module
from seqgen.data.captioned import Captioned
from seqgen.data.labelled import Labelled
from seqgen.data.parallel import Parallel
from seqgen.data.splits import (
    split_captioned,
    split_labelled,
    split_parallel,
    split_tagged,
)
from seqgen.data.tagged import Tagged
from seqgen.errors import InputError


def parts_of(splits):
    return splits.train, splits.valid, splits.test


def labelled(**counts):
    pairs = [(f"{label} {number}", label) for label, count in counts.items() for number in range(count)]
    return Labelled(
        [text for text, _ in pairs], [label for _, label in pairs], [f"line {n}" for n in range(len(pairs))]
    )


def test_a_tenth_of_each_class_is_held_back_twice():
    data = labelled(a=100, b=50, c=12)
    splits = split_labelled(data, None, None, seed=1)
    assert Counter(splits.test.labels) == {"a": 10, "b": 5, "c": 1}
    assert Counter(splits.valid.labels) == {"a": 9, "b": 4, "c": 1}
    parts = [*splits.train.inputs, *splits.valid.inputs, *splits.test.inputs]
    assert sorted(parts) == sorted(data.inputs)
    assert splits.classes == ["a", "b", "c"]
    assert splits.frequencies.tolist() == [81, 41, 10]


def test_the_split_is_drawn_by_the_seed():
    data = labelled(a=100, b=50)
    one, same, other = (split_labelled(data, None, None, seed).test.inputs for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_the_same_text_is_never_trained_and_tested_on():
    data = labelled(a=20, b=20)
    double = Labelled(data.inputs * 3, data.labels * 3, data.where * 3)
    splits = split_labelled(double, None, None, seed=1)
    assert not set(splits.train.inputs) & set(splits.test.inputs)
    assert not set(splits.train.inputs) & set(splits.valid.inputs)


def test_groups_stay_together():
    data = labelled(a=40, b=40)
    splits = split_labelled(data, None, None, seed=1, groups=[f"group {number // 5}" for number in range(80)])
    train, valid, test = ({data.inputs.index(text) // 5 for text in part.inputs} for part in parts_of(splits))
    assert test
    assert not train & test
    assert not train & valid
    assert not valid & test


def test_given_parts_are_taken_as_they_are():
    train, valid, test = labelled(a=20, b=20), labelled(a=2, b=1), labelled(b=3)
    splits = split_labelled(train, valid, test, seed=1)
    assert (len(splits.train), len(splits.valid), len(splits.test)) == (40, 3, 3)
    assert parts_of(splits) == (train, valid, test)


def test_of_many_labelled_examples_no_more_are_held_back_than_help(monkeypatch):
    monkeypatch.setattr(module, "MOST_LABELLED", 30)
    data = labelled(a=600, b=300, c=100)
    splits = split_labelled(data, None, None, seed=1)
    assert Counter(splits.test.labels) == Counter(splits.valid.labels) == {"a": 18, "b": 9, "c": 3}
    assert len(splits.train) == 940


def test_classes_that_cannot_be_learned_are_refused():
    with pytest.raises(InputError, match="line 20: a class must have at least two examples, but 'b' has only this one"):
        split_labelled(labelled(a=20, b=1), None, None, seed=1)
    with pytest.raises(InputError, match="at least two classes, but there are 1"):
        split_labelled(labelled(a=20), None, None, seed=1)
    with pytest.raises(InputError, match="line 3: the label must be one of the training examples', not 'c'"):
        split_labelled(labelled(a=20, b=20), None, labelled(a=3, c=1), seed=1)
    with pytest.raises(InputError, match="enough examples to hold a tenth back"):
        split_labelled(labelled(a=2, b=2), None, None, seed=1)


def test_no_part_has_the_sentences_of_another():
    sources = [f"sentence {number % 70}" for number in range(200)]
    data = Parallel(sources, [str(number) for number in range(200)], [""] * 200)
    train, valid, test = parts_of(split_parallel(data, None, None, 1))
    assert len(train) + len(valid) + len(test) == 200
    assert sorted(int(target) for part in (train, valid, test) for target in part.targets) == list(range(200))
    for one, other in ((train, valid), (train, test), (valid, test)):
        assert one.sources
        assert other.sources
        assert not {*one.sources} & {*other.sources}
    again = parts_of(split_parallel(data, None, None, 1))
    assert [part.targets for part in again] == [train.targets, valid.targets, test.targets]
    assert split_parallel(data, None, None, 2).train.targets != train.targets
    with pytest.raises(InputError, match="at least 20 different sentences to split, not 5"):
        split_parallel(data.chosen(range(5)), None, None, 1)


def pairs(count):
    return Parallel([f"sentence {n}" for n in range(count)], list(map(str, range(count))), [""] * count)


def test_a_tenth_of_the_pairs_is_held_back_but_no_more_than_can_be_written(monkeypatch):
    assert list(map(len, parts_of(split_parallel(pairs(300), None, None, 1)))) == [240, 30, 30]
    monkeypatch.setattr(module, "MOST_WRITTEN", 12)
    assert list(map(len, parts_of(split_parallel(pairs(300), None, None, 1)))) == [276, 12, 12]


@pytest.mark.parametrize("name", ["valid", "test"])
def test_only_a_missing_part_of_the_pairs_is_held_back(name):
    given, data = {"valid": None, "test": None, name: pairs(3)}, pairs(100)
    splits = split_parallel(data, given["valid"], given["test"], 1)
    missing = {"valid": splits.test, "test": splits.valid}[name]
    assert getattr(splits, name) is given[name]
    assert len(missing) == 10
    assert sorted(splits.train.targets + missing.targets) == sorted(data.targets)
    whole = split_parallel(data, pairs(3), pairs(4), 1)
    assert list(map(len, parts_of(whole))) == [100, 3, 4]
    with pytest.raises(InputError, match="at least 10 different sentences to split, not 9"):
        split_parallel(pairs(9), given["valid"], given["test"], 1)
    with pytest.raises(InputError, match=f"the part to {name} on must have at least one pair, but its file is empty"):
        split_parallel(data, **given | {name: pairs(0)}, seed=1)


def images(count):
    return Captioned(list(range(count)), [[f"caption {n}"] for n in range(count)], [f"{n}.png" for n in range(count)])


def test_images_are_held_back_once_and_no_more_than_can_be_written_to(monkeypatch):
    data, given = images(100), images(5)
    splits = split_captioned({"train": data}, 1)
    assert sorted(name for part in parts_of(splits) for name in part.names) == sorted(data.names)
    assert parts_of(split_captioned({"train": data}, 1)) == parts_of(splits)
    partly = split_captioned({"train": data, "valid": given}, 1)
    assert (len(partly.train), partly.valid, len(partly.test)) == (90, given, 10)
    with pytest.raises(InputError, match="at least 20 images to split, not 19"):
        split_captioned({"train": images(19)}, 1)
    monkeypatch.setattr(module, "MOST_WRITTEN", 7)
    assert list(map(len, parts_of(split_captioned({"train": data}, 1)))) == [86, 7, 7]


def tagged(count, tags="AB"):
    numbers = range(count)
    return Tagged(
        [[f"w{n}"] for n in numbers], [[tags[n % len(tags)]] for n in numbers], [f"line {n}" for n in numbers]
    )


def test_tagged_parts_share_nothing_and_tags_of_the_test_must_be_known(monkeypatch):
    data = tagged(40)
    splits = split_tagged(data, None, None, seed=1)
    assert splits.tags == ["A", "B"]
    words = [row[0] for part in parts_of(splits) for row in part.tokens]
    assert sorted(words) == sorted(row[0] for row in data.tokens)
    assert list(map(len, parts_of(splits))) == [32, 4, 4]
    assert splits.frequencies.tolist() == [sum(row == [tag] for row in splits.train.tags) for tag in "AB"]
    assert parts_of(split_tagged(data, None, None, seed=1)) == parts_of(splits)
    assert split_tagged(data, None, None, seed=2).test.tokens != splits.test.tokens
    with pytest.raises(InputError, match="line 7: a tag must be one of the training sequences', not 'C'"):
        split_tagged(data, None, Tagged([["x"]], [["C"]], ["line 7"]), seed=1)
    with pytest.raises(InputError, match="enough sequences to hold some back, but there are 2"):
        split_tagged(tagged(2), None, None, seed=1)
    with pytest.raises(InputError, match=r"at least two tags, but there are 1: \['A'\]"):
        split_tagged(tagged(40, "A"), None, None, seed=1)
    monkeypatch.setattr(module, "MOST_LABELLED", 3)
    assert list(map(len, parts_of(split_tagged(data, None, None, seed=1)))) == [34, 3, 3]
