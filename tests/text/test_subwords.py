import pytest

from seqgen.errors import InputError
from seqgen.text import subwords
from seqgen.text.subwords import BytePairTokenizer, SubwordTokenizer
from seqgen.text.tokenizer import fit_tokenizer

TEXT = "the highest of the higher heights are high; lower and lowest are the low ones\n" * 30


@pytest.mark.parametrize("kind", [SubwordTokenizer, BytePairTokenizer])
def test_pieces_are_fewer_than_characters_and_at_most_as_many_as_asked_for(kind):
    tokenizer = kind.fit(TEXT, largest=320)
    assert type(tokenizer) is kind
    assert 260 < tokenizer.vocab_size <= 320
    assert len(tokenizer.encode(TEXT)) < 0.6 * len(TEXT)


def test_a_small_text_gets_a_smaller_vocabulary():
    assert SubwordTokenizer.fit(TEXT, largest=8000).vocab_size < 1000


def test_the_same_text_gives_the_same_pieces():
    assert SubwordTokenizer.fit(TEXT).to_data() == SubwordTokenizer.fit(iter(TEXT.splitlines(keepends=True))).to_data()


def test_an_unseen_script_is_spelled_in_bytes():
    tokenizer = SubwordTokenizer.fit(TEXT)
    assert tokenizer.decode(tokenizer.encode("\u65e5\u672c high")) == "\u65e5\u672c high"
    assert tokenizer.unseen("\u65e5\u672c") == []
    detokenizer = tokenizer.detokenizer()
    pieces = [detokenizer.push(token) for token in tokenizer.encode("\u65e5").tolist()]
    assert pieces == ["", "", "\u65e5"]


def test_bytes_cut_off_become_a_replacement_character():
    tokenizer = SubwordTokenizer.fit(TEXT)
    first, *_ = tokenizer.encode("\u65e5").tolist()
    assert tokenizer.decode([first, *tokenizer.encode("high").tolist()]) == "\ufffdhigh"


def test_a_vocabulary_too_small_for_the_bytes_is_refused():
    with pytest.raises(InputError, match="a vocabulary of 100 tokens does not suit this text"):
        BytePairTokenizer.fit(TEXT, largest=100)


@pytest.mark.parametrize("kind", ["subword", "bpe"])
def test_a_long_line_is_learnt_in_parts_that_are_the_whole(kind, monkeypatch):
    words = [f"word{number % 7}" for number in range(2_000)]
    long, short = " ".join(words), "\n".join(["word0", *(f" {word}" for word in words[1:])])
    monkeypatch.setattr(subwords, "LONGEST", 10)
    tokenizers = [fit_tokenizer(kind, text, 300) for text in (long, short)]
    assert tokenizers[0].to_data() == tokenizers[1].to_data()
    unspaced = fit_tokenizer(kind, "abcdefg" * 300 + "\n" + long, 300)
    assert unspaced.decode(unspaced.encode("abcdefg" * 300)) == "abcdefg" * 300
