"""Files of word vectors: only what is wanted is kept, in every form that GloVe, word2vec and fastText write."""

import gzip

import numpy as np
import pytest

from seqgen.data.vectors import read_vectors, vector_size
from seqgen.errors import InputError

ROWS = {"the": [0.5, -1.0, 2.0], "cat": [0.25, 0.0, -3.0], "ice": [1.0, 1.0, 1.0], "1": [7.0, 8.0, 9.0]}
LINES = "".join(f"{word} {' '.join(map(str, values))}\n" for word, values in ROWS.items())
FORMS = {
    "GloVe": LINES,
    "word2vec": f"{len(ROWS)} 3\n{LINES}",
    "fastText": f"{len(ROWS)} 3\n{LINES}".replace("\n", " \n"),
    "Windows": LINES.replace("\n", "\r\n"),
    "words with spaces": f"{LINES}. . . 1 2 3\nthe same 4 5 6\n",
    "a word twice": f"{LINES}the 9 9 9\n",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("packed", [False, True])
def test_the_wanted_words_have_the_vectors_of_the_file(tmp_path, form, packed):
    path = tmp_path / ("vectors.txt.gz" if packed else "vectors.txt")
    path.write_bytes(gzip.compress(FORMS[form].encode()) if packed else FORMS[form].encode())
    wanted = {"the", "ice", "1", "dog"}
    found = read_vectors(str(path), wanted)
    assert vector_size(str(path)) == 3
    assert set(found.words) == wanted & set(ROWS)
    assert np.array_equal(found.vectors, [ROWS[word] for word in found.words])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("the 1 2\ncat 1\n", "line 2: a vector must have 2 values as the first one has, not 1"),
        ("the 1 2\ncat 1 two\n", "line 2: a vector must have numbers after its word, but"),
        ("the 1 2\ncat 1 nan\n", "line 2: a vector must have finite values"),
        ("Words and their vectors.\n", "line 1: a vector must have numbers after its word"),
        ("the\ncat\n", "line 1: a line of vectors must have a word and its values, not 'the'"),
        ("2 3\n", "must hold a word and its vector in each line, but it holds none"),
        ("", "must hold a word and its vector in each line, but it holds none"),
        ("the 1\0 2\n", "must be text"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(tmp_path, content, message):
    path = tmp_path / "vectors.txt"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        read_vectors(str(path), {"the", "cat"})


def test_a_file_must_be_there(tmp_path):
    with pytest.raises(InputError, match=r"'none\.txt' is not a file"):
        vector_size("none.txt")
    with pytest.raises(InputError, match="is not a file"):
        vector_size(str(tmp_path))
