import numpy as np
import pytest
from making import make_tagger, make_text_classifier, make_translator

from seqgen.errors import InputError

WRONG = [
    np.zeros(2),  # numbers with a fraction
    np.zeros(2, dtype=np.int64),  # all PAD
    np.zeros(0, dtype=np.int64),
    np.zeros((2, 3), dtype=np.int64),
    np.array(5),
    np.array([-1, 5]),
    np.array([5, 10**9]),
    np.array([2**63 + 5], dtype=np.uint64),
    np.array(["a"]),
    np.array([True]),
    5,
    "ab",
    None,
]


def answer_with(bundle):
    write = getattr(bundle, "write", None)
    return write or (lambda rows: list(bundle.logits(rows, 100)))


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_rows_that_are_no_tokens_are_a_sentence(wrong):
    right = np.array([5, 6])
    for answer in map(answer_with, (make_translator(), make_text_classifier())):
        for rows in ([wrong], [right, wrong]):
            if wrong is None and answer.__name__ == "write":  # whose texts are empty
                continue
            with pytest.raises(InputError, match=r"^(a row|rows) must "):
                answer(rows)


@pytest.mark.parametrize("wrong", [row for row in WRONG if getattr(row, "ndim", 0) == 1], ids=str)
def test_so_are_rows_of_a_tagger(wrong):
    with pytest.raises(InputError, match=r"^a row must "):
        make_tagger().collate([(wrong,)])


def test_a_table_of_padding_is_a_sentence():
    for table in (np.zeros((2, 2)), np.zeros((2, 2), dtype=np.int64), np.zeros(3)):
        with pytest.raises(InputError, match=r"^(a row|rows) must "):
            make_translator().write(table)
