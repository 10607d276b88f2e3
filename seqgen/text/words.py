"""One token for each word or punctuation mark; the white space between them is restored exactly."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Self

import numpy as np
import regex

from seqgen.arguments import checked
from seqgen.symbols import SYMBOLS, UNK
from seqgen.text.tokenizer import decode_all, in_blocks
from seqgen.text.vocabulary import Vocabulary, most_frequent

# Words keep their inner apostrophes (don't); every other mark that is not white space stands alone. The separators
# U+001C to U+001F are white space to `str.split`, but not to every engine of regular expressions.
WORDS = regex.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s\x1c-\x1f]")
NOTHING = ""


@checked
class WordTokenizer:
    """Words, punctuation marks, and only the white space that is not implied.

    Between two words a space is implied, and between a word and a mark what is usual for this mark in the training
    text: no space before "," or after "(". Only where a text differs from that, it has a token of white space, such
    as a line end, or of no space. So sequences are short, and generated text has its spacing restored.

    Args:
        vocabulary: words, marks and white space.
        closing: marks that usually have no space before them.
        opening: marks that usually have no space after them.
    """

    kind = "word"

    def __init__(self, vocabulary: Vocabulary, closing: Iterable[str], opening: Iterable[str]):
        self.vocabulary = vocabulary
        self.closing, self.opening = set(closing), set(opening)

    @classmethod
    def fit(cls, text: str | Iterable[str], *, largest: int = 20_000, least: int = 2) -> Self:
        """Learn the words with at least `least` occurrences; rarer ones are read as UNK and train its embedding.

        Raises:
            InputError: the text has fewer than two different words.
        """
        words: Counter[str] = Counter()
        spaces: Counter[str] = Counter()
        spaced_before: Counter[str] = Counter()
        spaced_after: Counter[str] = Counter()
        for block in in_blocks(text):
            before = ""
            for gap, word in _pieces(cls.normal(block)):
                words[word] += 1
                spaces[gap] += 1
                spaced_before[word] += 1 if gap else -1
                spaced_after[before] += 1 if gap else -1
                before = word
        del words[""], spaced_before[""]
        # Single characters of white space are always in the vocabulary, so that no run of them is unknown.
        single = {character: least for gap in spaces for character in gap}
        white_space = {gap: count for gap, count in spaces.items() if count >= least}
        kept = most_frequent(words, largest, least, "word")
        vocabulary = Vocabulary([*kept, *sorted({NOTHING, " ", "\n", *single, *white_space})])
        marks = [word for word in kept if not re.match(r"\w", word)]
        closing = [mark for mark in marks if spaced_before[mark] < 0]
        opening = [mark for mark in marks if spaced_after[mark] < 0]
        return cls(vocabulary, closing, opening)

    @staticmethod
    def normal(text: str) -> str:
        """Return the normalized text: here the same."""
        return text

    @property
    def vocab_size(self) -> int:
        """The number of tokens, the special ones included."""
        return len(self.vocabulary)

    def encode(self, text: str) -> np.ndarray:
        """Return the token numbers of words, marks, and white space that is not implied."""
        return np.fromiter(self._encode(text), dtype=np.int64)

    def _encode(self, text: str) -> Iterator[int]:
        before = ""
        for gap, word in _pieces(self.normal(text)):
            if gap != self.implied(before, word):
                known = gap in self.vocabulary.numbers
                yield from map(self.vocabulary.number, [gap] if known else gap)
            if word:
                yield self.vocabulary.number(word)
            before = word

    def implied(self, before: str, word: str) -> str:
        """Return the white space that is implied between two words; none at either end of a text."""
        if not before or not word or before in self.opening or word in self.closing:
            return NOTHING
        return " "

    def decode(self, tokens: int | Iterable[int], **options: Any) -> str:
        """Return the text of these tokens."""
        return decode_all(self.detokenizer(), tokens)

    def detokenizer(self) -> "WordDetokenizer":
        """Return an object that decodes token by token."""
        return WordDetokenizer(self)

    def unseen(self, text: str) -> list[str]:
        """Return the words that are not in the vocabulary, each once, in order."""
        words = dict.fromkeys(word for _, word in _pieces(self.normal(text)) if word)
        return [word for word in words if word not in self.vocabulary.numbers]

    def extended(self, text: str | Iterable[str]) -> Self:
        """Return a tokenizer that also knows the words of a text; the tokens of this one keep their numbers.

        Texts of known words are encoded as before: of white space only single characters are added.

        Raises:
            InputError: the text has fewer than two different words.
        """
        found = self.fit(text)
        new = [word for word in found.vocabulary.numbers if word not in self.vocabulary.numbers]
        vocabulary = self.vocabulary.extended([word for word in new if word.strip() or len(word) == 1])
        closing, opening = found.closing.intersection(new), found.opening.intersection(new)
        return type(self)(vocabulary, self.closing | closing, self.opening | opening)

    def with_words(self, words: Iterable[str]) -> Self:
        """Return a tokenizer that also knows these words, but for those that it splits; its tokens keep their numbers.

        Args:
            words: such as those of a file of word vectors.
        """
        whole = [word for word in words if WORDS.fullmatch(word) and word == self.normal(word)]
        return type(self)(self.vocabulary.extended(whole), self.closing, self.opening)

    def to_data(self) -> dict[str, Any]:
        """Return vocabulary and spacing as plain data."""
        return {**self.vocabulary.data, "closing": sorted(self.closing), "opening": sorted(self.opening)}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """Return the tokenizer that `to_data` described."""
        return cls(Vocabulary.from_data(data), data["closing"], data["opening"])


@checked
class LowercaseWordTokenizer(WordTokenizer):
    """Words as in `WordTokenizer`, all in lower case."""

    kind = "lowercase-word"

    @staticmethod
    def normal(text: str) -> str:
        """Return the text in lower case."""
        return text.lower()


class WordDetokenizer:
    """Restores the implied white space between words."""

    def __init__(self, tokenizer: WordTokenizer):
        self._tokenizer = tokenizer
        self._before = self._last = ""

    def push(self, token: int) -> str:
        """Return the word with the white space before it."""
        if token < len(SYMBOLS) and token != UNK:
            return ""
        text = self._tokenizer.vocabulary.text(token)
        if not text.strip():
            self._before = ""
            self._last = "" if text else self._last
            return text
        gap = self._tokenizer.implied(self._before, text)
        # A model may generate a sequence that no text has: two words with no space between them.
        if not gap and self._last and [word for _, word in _pieces(self._last + text)] != [self._last, text, ""]:
            gap = " "
        self._before = self._last = text
        return gap + text

    def flush(self) -> str:
        """Return an empty text: nothing is buffered."""
        return ""


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield each word with the white space before it, and last an empty word with the white space at the end."""
    end = 0
    for found in WORDS.finditer(text):
        yield text[end : found.start()], found[0]
        end = found.end()
    yield text[end:], ""
