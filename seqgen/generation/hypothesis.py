"""Generated texts, as tokens with a score, and those that a beam search has finished."""

from typing import NamedTuple

from seqgen.arguments import checked
from seqgen.errors import InputError, counted
from seqgen.generation.config import GenerationConfig
from seqgen.symbols import EOS, SYMBOLS


@checked
class Hypothesis(NamedTuple):
    """A generated text: its tokens after the prompt, without EOS, and its score.

    `log_probability` is in nats, with that of EOS: in beam search after the options have changed the logits, in
    sampling by the decoder's own. `score` is that after the length and coverage penalties. `ended` is False where
    `max_new_tokens` cut the text off.
    """

    tokens: list[int]
    score: float
    log_probability: float
    ended: bool

    @classmethod
    def of(
        cls, tokens: list[int], log_probability: float, config: GenerationConfig, penalty: float = 0.0
    ) -> "Hypothesis":
        """Return the hypothesis of these tokens, the last of which may be EOS; `penalty` is added to its score."""
        ended = tokens[-1] == EOS
        score = log_probability / len(tokens) ** config.length_penalty + penalty
        return cls(tokens[:-1] if ended else tokens, score, log_probability, ended)


def best_first(
    rows: list[int], texts: list[list[int]], log_probabilities: list[float], config: GenerationConfig
) -> list[list[Hypothesis]]:
    """Return the hypotheses of each row, which is the number of its prompt, the best score first."""
    found: list[list[Hypothesis]] = [[] for _ in range(rows[-1] + 1)]
    for row, text, log in zip(rows, texts, log_probabilities, strict=True):
        found[row].append(Hypothesis.of(text, log, config))
    return [sorted(of_row, key=lambda one: one.score, reverse=True) for of_row in found]


class Finished:
    """The finished hypotheses of all rows of a beam search.

    Args:
        rows: number of rows.
        config: the options.
    """

    def __init__(self, rows: int, config: GenerationConfig):
        self.config = config
        self._found: list[list[Hypothesis]] = [[] for _ in range(rows)]

    def add(self, row: int, tokens: list[int], log_probability: float, penalty: float = 0.0) -> None:
        """Add a hypothesis of a row, as `Hypothesis.of` takes it."""
        self._found[row].append(Hypothesis.of(tokens, log_probability, self.config, penalty))

    def complete(self, row: int, best: float, length: int) -> bool:
        """Return whether no unfinished beam of a row can overtake the hypotheses to be returned.

        Args:
            row: the number of the row.
            best: the largest log-probability of its unfinished beams; -infinity where there are none.
            length: number of tokens of these beams.
        """
        found = sorted((one.score for one in self._found[row]), reverse=True)
        if best == float("-inf"):
            return True
        if len(found) < self.config.num_return_sequences:
            return False
        # No token raises a log-probability, so no score can exceed this one over the best length.
        penalty = self.config.length_penalty
        longest = self.config.max_new_tokens if penalty > 0 else length + 1
        return bool(found[self.config.num_return_sequences - 1] >= best / longest**penalty)

    def best(self) -> list[list[Hypothesis]]:
        """Return the best `num_return_sequences` hypotheses of each row; the last is repeated if need be.

        Raises:
            InputError: a row has none, because no text has all words that it must have.
        """
        wanted = self.config.num_return_sequences
        if not all(self._found):
            suppressed = max(self.config.suppress_tokens, default=0) >= len(SYMBOLS)
            repeats = self.config.no_repeat_ngram_size > 0
            others = ["suppress_tokens"] * suppressed + ["no_repeat_ngram_size"] * repeats
            also = f", or change {' and '.join(others)}, which may exclude them" if others else ""
            raise InputError(
                f"force_words must be words that fit {counted(self.config.max_new_tokens, 'token')}, but no text with "
                f"all of {list(self.config.force_words)} was found: give more max_new_tokens, or fewer words{also}"
            )
        ranked = (sorted(found, key=lambda one: one.score, reverse=True) for found in self._found)
        return [(found + found[-1:] * wanted)[:wanted] for found in ranked]
