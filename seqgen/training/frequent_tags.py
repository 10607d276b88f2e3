"""The most frequent tag of each token, and of an unseen one that of its ending: what a tagger is compared with."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Self, TypeVar

K = TypeVar("K")

LONGEST = 5  # letters of an ending
RARE = 3  # occurrences up to which a token is as unseen ones are


class FrequentTags:
    """The most frequent tag of each token in a training text.

    An unseen token has that of the rare tokens with the longest ending that is like its own, capitals apart, as Brants
    2000, TnT: A Statistical Part-of-Speech Tagger, takes suffixes of infrequent words.

    Args:
        of_tokens: the tag of each token.
        of_endings: the tag of each ending, with True for those of capitalized tokens.
        most_frequent: the tag of all others.
    """

    def __init__(self, of_tokens: dict[str, str], of_endings: dict[tuple[bool, str], str], most_frequent: str):
        self.of_tokens, self.of_endings, self.most_frequent = of_tokens, of_endings, most_frequent

    @classmethod
    def fit(cls, tokens: Iterable[Sequence[str]], tags: Iterable[Sequence[str]]) -> Self:
        """Count the tags of the tokens of sequences; there must be a token."""
        counts: dict[str, Counter[str]] = {}
        for row, names in zip(tokens, tags, strict=True):
            for token, tag in zip(row, names, strict=True):
                counts.setdefault(token, Counter())[tag] += 1
        endings: dict[tuple[bool, str], Counter[str]] = {}
        for token, found in counts.items():
            if found.total() <= RARE:
                for ending in _endings(token):
                    endings.setdefault(ending, Counter()).update(found)
        every = sum(counts.values(), Counter[str]())
        return cls(_most_frequent(counts), _most_frequent(endings), every.most_common(1)[0][0])

    def tag(self, tokens: Sequence[str]) -> list[str]:
        """Return the tag of each token."""
        return [self.of_tokens.get(token) or self._unseen(token) for token in tokens]

    def _unseen(self, token: str) -> str:
        known = (self.of_endings[ending] for ending in _endings(token) if ending in self.of_endings)
        return next(known, self.most_frequent)


def _endings(token: str) -> Iterator[tuple[bool, str]]:
    """Yield the endings of a token, the longest first, each with whether the token is capitalized."""
    for begin in range(max(len(token) - LONGEST, 0), len(token) + 1):
        yield token[:1].isupper(), token[begin:]


def _most_frequent(counts: dict[K, Counter[str]]) -> dict[K, str]:
    return {key: found.most_common(1)[0][0] for key, found in counts.items()}
