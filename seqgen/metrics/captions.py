"""Metrics of captions with several references each: BLEU-1 to BLEU-4, CIDEr-D, ROUGE-L, chrF."""

import math
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import numpy as np
import sacrebleu

LONGEST = 4  # words of an n-gram
SPREAD = 6.0  # standard deviation, in words, of CIDEr-D's penalty on a difference of lengths
RECALL = 1.2  # weight of recall relative to precision in ROUGE-L

_PUNCTUATION = str.maketrans("", "", string.punctuation)


def plain(caption: str) -> str:
    """Return a caption in lower case without punctuation, as metrics compare it."""
    return " ".join(caption.lower().translate(_PUNCTUATION).split())


def caption_scores(captions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return "bleu1" to "bleu4", "cider", "rouge_l" and "chrf", from 0 to 100 (CIDEr-D to 1,000).

    Captions and references are compared as `plain` returns them.

    Args:
        captions: one for each image.
        references: one or more for each image.
    """
    captions, references = [plain(text) for text in captions], [[plain(text) for text in texts] for texts in references]
    streams = list(zip_longest(*references))
    scores = {
        f"bleu{longest}": sacrebleu.BLEU(max_ngram_order=longest, tokenize="none", smooth_method="none", force=True)
        .corpus_score(captions, streams)
        .score
        for longest in range(1, LONGEST + 1)
    }
    return scores | {
        "cider": 100 * float(Cider(references).scores(captions, range(len(captions))).mean()),
        "rouge_l": 100 * float(np.mean([_rouge_l(*pair) for pair in zip(captions, references, strict=True)])),
        "chrf": sacrebleu.CHRF().corpus_score(captions, streams).score,
    }


class Cider:
    """CIDEr-D, of Vedantam et al. 2015 (CIDEr: Consensus-based Image Description Evaluation).

    N-grams are weighted by their inverse document frequency: the images are the documents.

    Args:
        references: of each image, as `plain` returns them.
    """

    def __init__(self, references: Sequence[Sequence[str]]):
        self.images = math.log(max(len(references), 1))
        counted = [[_counts(text) for text in texts] for texts in references]
        self.images_with = Counter(gram for texts in counted for gram in {one for counts in texts for one in counts})
        self.references = [[self._weighted(counts) for counts in texts] for texts in counted]

    def scores(self, captions: Sequence[str], images: Sequence[int]) -> np.ndarray:
        """Return the score of each caption, from 0 to 10, against the references of the image with that number."""
        pairs = zip(captions, images, strict=True)
        return np.array([self._score(self._weighted(_counts(text)), self.references[image]) for text, image in pairs])

    def _weighted(self, counts: Counter[tuple[str, ...]]) -> "_Weighted":
        weights: list[dict[tuple[str, ...], float]] = [{} for _ in range(LONGEST)]
        for gram, count in counts.items():
            weights[len(gram) - 1][gram] = count * (self.images - math.log(max(self.images_with[gram], 1)))
        return _Weighted(weights, sum(count for gram, count in counts.items() if len(gram) == 2))

    def _score(self, caption: "_Weighted", references: list["_Weighted"]) -> float:
        total = 0.0
        for reference in references:
            nearness = math.exp(-((caption.length - reference.length) ** 2) / (2 * SPREAD**2))
            for one, other, norm, other_norm in zip(
                caption.weights, reference.weights, caption.norms, reference.norms, strict=True
            ):
                if norm and other_norm:
                    shared = sum(
                        min(weight, other[gram]) * other[gram] for gram, weight in one.items() if gram in other
                    )
                    total += nearness * shared / (norm * other_norm)
        return 10 * total / LONGEST / len(references)


class _Weighted:
    """The weights of a text's n-grams by their length, the norms of these, and the number of the text's bigrams."""

    def __init__(self, weights: list[dict[tuple[str, ...], float]], length: int):
        self.weights, self.length = weights, length
        self.norms = [math.sqrt(sum(weight**2 for weight in of_length.values())) for of_length in weights]


def _counts(text: str) -> Counter[tuple[str, ...]]:
    words = text.split()
    return Counter(gram for length in range(1, LONGEST + 1) for gram in _ngrams(words, length))


def _ngrams(words: list[str], length: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(length)), strict=False)


def _rouge_l(caption: str, references: Sequence[str]) -> float:
    """Return the F score of the longest common subsequence (Lin 2004), by the best precision and the best recall."""
    words = caption.split()
    if not words:
        return 0.0
    common = [(_common(words, text.split()), len(text.split())) for text in references]
    precision = max(length / len(words) for length, _ in common)
    recall = max(length / max(of, 1) for length, of in common)
    if not precision or not recall:
        return 0.0
    return (1 + RECALL**2) * precision * recall / (recall + RECALL**2 * precision)


def _common(one: list[str], other: list[str]) -> int:
    """Return the length of the longest common subsequence."""
    best = [0] * (len(other) + 1)
    for word in one:
        before = 0
        for place, matching in enumerate(other, start=1):
            before, best[place] = best[place], before + 1 if word == matching else max(best[place], best[place - 1])
    return best[-1]
