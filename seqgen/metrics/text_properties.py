"""Properties of a text at each of its tokens, such as that a quote is open: what cells of a generator may follow."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from seqgen.arguments import checked

LONGEST = 500  # characters of a quote
PREFIXES = "rbfuRBFU"  # of Python's strings
WITHIN = r"(?:\\[\s\S]|[^{end}\\\n]|\n(?![ \t]*\n)){{0,{longest}}}"  # a quote ends in its paragraph
CURVED = {"“": "”", "„": "“", "«": "»"}
# A straight quote opens after anything but a letter or digit, and Python's prefixes; one that never closes is none.
QUOTES = [
    r"(?P<triple>(?<!\w)[rbfuRBFU]{0,2}(?P<mark>\"\"\"|''')(?:\\[\s\S]|(?!(?P=mark))[^\\])*(?:(?P=mark)|\Z))",
    rf'(?<!\w)[rbfuRBFU]{{0,2}}"{WITHIN.format(end=chr(34), longest=LONGEST)}"',
    rf"(?<!\w)[rbfuRBFU]{{0,2}}'(?:\\[\s\S]|[^'\\\n]|(?<=\w)'(?=\w)){{0,{LONGEST}}}'(?!\w)",
    *(f"{begin}{WITHIN.format(end=begin + end, longest=LONGEST)}{end}" for begin, end in CURVED.items()),
]
SPANS = re.compile("|".join([*QUOTES, r"(?P<comment>#[^\n]*)"]))
BRACKETS = re.compile(r"[(\[{]|[)\]}]|\n[ \t]*\n")
INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
WORD = re.compile(r"\w+")
SENTENCE_END = re.compile(r"[.!?][\"')\]”»]*\s|\n[ \t]*\n")
CLAUSE_END = re.compile(r"[,;:.!?][\"')\]”»]*\s|\n[ \t]*\n")

Kind = Literal["current", "remembered"]


@checked
class TextProperty(NamedTuple):
    """A property of a text, after each token was read.

    `kind` is "current" where the token itself tells its value, and "remembered" where it depends on those before;
    `values` are (tokens,) numbers: 0 or 1 of what is or is not so, and counts of depths and positions.
    """

    name: str
    kind: Kind
    values: np.ndarray


@checked
def text_properties(tokens: Sequence[str]) -> list[TextProperty]:
    """Return the properties of a text at each token, as they are known once it was read; none of an empty text.

    Current: space, line end, letter, capital letter, digit, punctuation; of a word, its first character. Remembered: in
    quotes, in triple quotes (apart from others), in a comment (after #), in brackets and their depth, and numbers of
    characters: depth of the line's indentation, and positions in the line, the word (where tokens are characters), the
    clause and the sentence. An apostrophe opens no quote, a quote that never closes is none, and a blank line closes
    all brackets.

    Args:
        tokens: the text in pieces, white space included.
    """
    text = "".join(tokens)
    if not text:
        return []
    last = np.cumsum([len(token) for token in tokens]).clip(1) - 1  # character of each token
    found = [TextProperty(name, "remembered", values[last]) for name, values in _remembered(text).items()]
    if len(text) > 1.5 * len(tokens):  # in words, where the position in one is that of its last character
        found = [one for one in found if one.name != "position in the word"]
    return [*_current(tokens), *found]


def _current(tokens: Sequence[str]) -> list[TextProperty]:
    first = [(token.strip() or token)[:1] for token in tokens]
    found = {
        "space": [one.isspace() for one in first],
        "line end": ["\n" in token for token in tokens],
        "letter": [one.isalpha() for one in first],
        "capital letter": [one.isupper() for one in first],
        "digit": [one.isdigit() for one in first],
        "punctuation": [bool(one) and not (one.isalnum() or one.isspace()) for one in first],
    }
    return [TextProperty(name, "current", np.array(values, float)) for name, values in found.items()]


def _remembered(text: str) -> dict[str, np.ndarray]:
    """Return the values of each property at each character; an opening quote is inside, a closing one outside."""
    quoted, triple, comment = (np.zeros(len(text)) for _ in range(3))
    for span in SPANS.finditer(text):
        if span["comment"]:
            comment[span.start() : span.end()] = 1
            continue
        begin = span.start() + len(span[0]) - len(span[0].lstrip(PREFIXES))
        (triple if span["triple"] else quoted)[begin : span.end() - 1] = 1
    depth = _depth_of_brackets(text, (quoted + triple + comment) > 0)
    lines = np.array([character == "\n" for character in text])
    return {
        "in quotes": quoted,
        "in triple quotes": triple,
        "in a comment": comment,
        "in brackets": (depth > 0).astype(float),
        "depth of brackets": depth,
        "depth of indentation": _indentation(text, lines),
        "position in the line": _since(lines),
        "position in the word": _since(~_covered(text, WORD)),
        "position in the clause": _since(_ends(text, CLAUSE_END)),
        "position in the sentence": _since(_ends(text, SENTENCE_END)),
    }


def _depth_of_brackets(text: str, apart: np.ndarray) -> np.ndarray:
    """Return the number of open brackets at each character, without those in quotes and comments."""
    depth, changes = 0, np.zeros(len(text))
    for found in BRACKETS.finditer(text):
        if not apart[found.start()]:
            after = 0 if "\n" in found[0] else depth + 1 if found[0] in "([{" else max(depth - 1, 0)
            changes[found.start()], depth = after - depth, after
    return changes.cumsum()


def _indentation(text: str, lines: np.ndarray) -> np.ndarray:
    """Return the number of characters of white space that the line of each character begins with, as far as read."""
    spaces = _covered(text, INDENTATION).cumsum()
    return spaces - np.maximum.accumulate(np.where(lines, spaces, 0))


def _covered(text: str, pattern: re.Pattern[str]) -> np.ndarray:
    covered = np.zeros(len(text), bool)
    for found in pattern.finditer(text):
        covered[found.start() : found.end()] = True
    return covered


def _ends(text: str, pattern: re.Pattern[str]) -> np.ndarray:
    """Return whether a match of the pattern ends with each character."""
    ends = np.zeros(len(text), bool)
    ends[[found.end() - 1 for found in pattern.finditer(text)]] = True
    return ends


def _since(marks: np.ndarray) -> np.ndarray:
    """Return the number of characters since the last mark, or since the beginning, at each character."""
    places = np.arange(1, len(marks) + 1)
    return (places - np.maximum.accumulate(np.where(marks, places, 0))).astype(float)
