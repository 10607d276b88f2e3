"""The usual tag of a token, and of an unseen one that of rare tokens with its ending."""

from seqgen.training.frequent_tags import FrequentTags

TOKENS = [["The", "dog", "walks"], ["dogs", "walk", "Home"], ["walking", "the", "walks"], "ab"]
TAGS = [["DET", "NOUN", "VERB"], ["NOUN", "VERB", "PROPN"], ["VERB", "DET", "NOUN"], ["X", "Y"]]


def test_a_known_token_has_its_most_frequent_tag():
    usual = FrequentTags.fit([*TOKENS, ["walks"]], [*TAGS, ["NOUN"]])
    assert usual.tag(["walks", "dog", "The"]) == ["NOUN", "NOUN", "DET"]
    assert usual.tag("ba") == ["Y", "X"]


def test_an_unseen_token_has_the_tag_of_the_longest_ending_that_is_known():
    usual = FrequentTags.fit(TOKENS, TAGS)
    assert usual.tag(["talking", "Rome", "frog"]) == ["VERB", "PROPN", "NOUN"]


def test_frequent_tokens_say_nothing_about_endings():
    tokens, tags = [["king"] * 9, ["being"], ["end"] * 9], [["NOUN"] * 9, ["VERB"], ["OTHER"] * 9]
    assert FrequentTags.fit(tokens, tags).tag(["ring", "xyz"]) == ["VERB", "VERB"]


def test_without_rare_tokens_an_unseen_one_has_the_most_frequent_tag():
    assert FrequentTags.fit([["a", "b"] * 9, ["b"]], [["A", "B"] * 9, ["B"]]).tag(["c"]) == ["B"]
