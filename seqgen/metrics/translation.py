"""Metrics of translations."""

from collections.abc import Sequence
from typing import NamedTuple

import sacrebleu


class Measured(NamedTuple):
    """A score from 0 to 100, and sacrebleu's signature of the metric's settings (Post 2018)."""

    score: float
    signature: str


def bleu(translations: Sequence[str], references: Sequence[str], *, lowercase: bool = False) -> Measured:
    """Return the BLEU of detokenized text (Papineni et al. 2002), cased unless `lowercase`."""
    metric = sacrebleu.BLEU(lowercase=lowercase, force=True)  # texts may well end in " ."
    score = min(metric.corpus_score(translations, [references]).score, 100.0)  # rounding may exceed 100
    return Measured(score, str(metric.get_signature()))


def chrf(translations: Sequence[str], references: Sequence[str]) -> Measured:
    """Return the chrF, of character n-grams up to 6 (Popovic 2015)."""
    metric = sacrebleu.CHRF()
    return Measured(metric.corpus_score(translations, [references]).score, str(metric.get_signature()))


def least_alike(translations: Sequence[str], references: Sequence[str], most: int = 50) -> list[tuple[int, str, float]]:
    """Return the translations unlike their references with the lowest chrF first: their numbers, text and chrF."""
    metric = sacrebleu.CHRF()
    pairs = zip(translations, references, strict=True)
    scored = [(place, text, metric.sentence_score(text, [right]).score) for place, (text, right) in enumerate(pairs)]
    scored = [one for one in scored if one[1] != references[one[0]]]
    return sorted(scored, key=lambda one: one[2])[:most]
