"""The tokens of a text from the last to the first, while texts stay in reading order."""

from copy import copy

import pytest

from seqgen.tasks.parts import tokenizer_part
from seqgen.text.backward import BackwardTokenizer
from seqgen.text.tokenizer import KINDS, fit_tokenizer, tokenizer_data, tokenizer_from_data

TEXT = "Oh, dear! said the caf\u00e9's cat.\nThe dog (old) sat.\n"


@pytest.fixture(params=KINDS)
def tokenizer(request):
    return fit_tokenizer(request.param, TEXT * 3, 300)


def test_tokens_are_those_of_the_other_tokenizer_in_the_opposite_order(tokenizer):
    backward = BackwardTokenizer(tokenizer)
    assert backward.encode(TEXT).tolist() == tokenizer.encode(TEXT).tolist()[::-1]
    assert backward.decode(backward.encode(TEXT)) == tokenizer.decode(tokenizer.encode(TEXT))
    assert (backward.kind, backward.vocab_size) == (tokenizer.kind, tokenizer.vocab_size)


def test_a_saved_one_is_backward_again(tokenizer):
    data = tokenizer_data(BackwardTokenizer(tokenizer))
    assert tokenizer_part("tokenizer").schema.model_validate(data)
    again = tokenizer_from_data(data)
    assert isinstance(again, BackwardTokenizer)
    assert tokenizer_data(again) == data
    assert type(again.tokenizer) is type(tokenizer)
    assert again.encode(TEXT).tolist() == BackwardTokenizer(tokenizer).encode(TEXT).tolist()


def test_what_stands_before_a_text_is_decoded_with_the_space_between(tokenizer):
    backward = BackwardTokenizer(tokenizer)
    tokens = backward.encode(tokenizer.decode(tokenizer.encode(TEXT))).tolist()
    whole = backward.decode(tokens)
    for cut in (1, 3, len(tokens) // 2, len(tokens) - 1):
        end = backward.decode(tokens[:cut])
        if "\ufffd" in end:  # within a character
            continue
        detokenizer = backward.detokenizer()
        for token in tokens[:cut]:
            assert detokenizer.push(token) == ""
        assert detokenizer.flush() == end
        for token in tokens[cut:]:
            detokenizer.push(token)
        assert copy(detokenizer).flush() + end == whole
        assert detokenizer.flush() + end == whole
        assert detokenizer.flush() == ""
