"""Beam search on arrays: the search of `seqgen.generation.beam`, with the same hypotheses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqgen.generation.config import GenerationConfig
from seqgen.generation.constraints import ABSENT, Constraints, Word
from seqgen.generation.history import NEVER, followers
from seqgen.generation.hypothesis import Finished, Hypothesis
from seqgen.runtime.decoder import Decoder, Memory, State, Steps, selected
from seqgen.runtime.logits import log_softmax, processor, require_finite
from seqgen.symbols import EOS


def beam_search(
    decoder: Decoder,
    prompts: list[list[int]],
    config: GenerationConfig,
    *,
    start: State,
    memory: Memory | None = None,
    words: Sequence[Word] = (),
) -> list[list[Hypothesis]]:
    """Return the `num_return_sequences` best hypotheses of each row, the best first; the last is repeated if need be.

    Args:
        decoder: of the texts.
        prompts: token numbers of each row, at least BOS, with which its hypotheses begin; at least one row.
        config: the options.
        start: the state before the first token, with a row for each prompt.
        memory: memory to attend to, with a row for each prompt.
        words: those that every text must have, as their spellings.

    Raises:
        NonFiniteLogits: logits that are not finite.
        InputError: no text with all words was found.
    """
    if config.coverage_penalty and memory is not None:
        start = start | {"attended": np.zeros((1, *memory.mask.shape), np.float32)}
    logits, state = decoder.read(prompts, start, memory)
    constraints = Constraints(words, prompts, config.num_beams, decoder.vocab_size) if words else None
    search = _Search(prompts, config, constraints, None if memory is None else memory.mask)
    logits, state = logits[search.texts], selected(state, search.texts)
    steps = Steps(decoder, state, None if memory is None else memory.select(search.texts))
    while True:
        before = search.texts
        parents = search.advance(logits, steps.attended)
        if parents is None:
            return search.found.best()
        if np.array_equal(search.texts, before):
            steps.reorder(parents)
        else:
            beside = None if memory is None else memory.select(search.texts)
            steps = Steps(decoder, selected(steps.state, parents), beside)
        logits = steps.step(search.tokens[search.live, -1])


def largest(x: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the (rows, count) largest numbers of each row of (rows, columns), in order, and their columns."""
    some = np.sort(np.argpartition(-x, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(-np.take_along_axis(x, some, axis=1), axis=1, kind="stable")
    columns = np.take_along_axis(some, order, axis=1)
    return np.take_along_axis(x, columns, axis=1), columns


@dataclass
class _History:
    """The tokens of all beams so far, as `processor` takes them."""

    tokens: np.ndarray  # (beams, steps), -1 before shorter prompts
    vocab_size: int
    ngram: int
    written: int = 0

    @property
    def used(self) -> np.ndarray:
        """Return the (beams, vocabulary) mask of tokens that each beam already has."""
        used = np.zeros((len(self.tokens), self.vocab_size + 1), dtype=bool)
        np.put_along_axis(used, self.tokens, True, axis=1)  # -1 is the last column
        return used[:, :-1]

    def forbidden(self, beam: int) -> list[int]:
        """Return the tokens that would repeat an n-gram of the beam."""
        return followers(self.tokens[beam].tolist(), self.ngram)


class _Search:
    """The beams of all unfinished rows, and the finished hypotheses of all rows.

    Each row has `num_beams` places. Unfinished beams are at the `live` places and have finite scores; the other places
    belong to finished hypotheses, or are not used yet, and nothing is calculated for them.
    """

    def __init__(
        self,
        prompts: list[list[int]],
        config: GenerationConfig,
        constraints: Constraints | None,
        mask: np.ndarray | None,
    ):
        self.config, self.constraints, self._mask = config, constraints, mask
        self.beams, self.groups = config.num_beams, config.num_beam_groups
        self.found = Finished(len(prompts), config)
        self.rows = np.arange(len(prompts))  # that are unfinished
        longest = max(map(len, prompts))
        padded = np.array([[-1] * (longest - len(prompt)) + prompt for prompt in prompts])
        self.tokens = padded.repeat(self.beams, axis=0)
        self.prompt_length, self.length = longest, 0
        # All beams of a group begin with the same prompt, so only one of them is used in the first step.
        self.scores = np.full((len(prompts), self.groups, self.beams // self.groups), NEVER, np.float32)
        self.scores[:, :, 0] = 0
        self.ended = np.zeros((len(prompts), self.groups), np.int64)

    @property
    def live(self) -> np.ndarray:
        """The places of unfinished beams."""
        places: np.ndarray = np.flatnonzero(self.scores.ravel() > NEVER)
        return places

    @property
    def texts(self) -> np.ndarray:
        """The number of the prompt of each unfinished beam."""
        texts: np.ndarray = self.rows[self.live // self.beams]
        return texts

    def advance(self, logits: np.ndarray, attended: np.ndarray | None) -> np.ndarray | None:
        """Choose the next token of each of the n unfinished beams.

        Args:
            logits: (n, vocabulary), of the unfinished beams.
            attended: (1, n, positions), the sums of their attention weights, where coverage is rewarded.

        Returns:
            For each of the beams that are now unfinished, which of the n it continues; or None at the end.
        """
        tokens, parents, scores = self._choose(*self._candidates(logits), logits.shape[1])
        index, live = np.zeros_like(tokens), self.live
        index[live] = np.arange(len(live))
        self.length += 1
        self.tokens = np.concatenate([self.tokens[parents], tokens[:, None]], axis=1)
        at_end = self.length >= self.config.max_new_tokens
        finished = ((tokens.reshape(scores.shape) == EOS) | at_end) & (scores > NEVER)
        if self.constraints:
            self.constraints.advance(tokens, parents)
            finished &= self.constraints.satisfied.reshape(scores.shape)
        self._finish(finished, scores, attended, index[parents])
        self.ended += finished.sum(axis=2)
        self.scores = np.where(finished, np.float32(NEVER), scores)
        best_left = self.scores.max(axis=(1, 2)).tolist()
        complete = [
            self.found.complete(row, best, self.length) for row, best in zip(self.rows.tolist(), best_left, strict=True)
        ]
        if at_end or all(complete):
            return None
        kept = np.flatnonzero(~np.array(complete))
        before = index[parents].reshape(len(self.rows), -1)[kept].ravel()
        self.tokens = self.tokens.reshape(len(self.rows), self.beams, -1)[kept].reshape(len(before), -1)
        self.rows, self.scores, self.ended = self.rows[kept], self.scores[kept], self.ended[kept]
        if self.constraints:
            self.constraints.keep(kept, self.beams)
        continued: np.ndarray = before[self.live]
        return continued

    def _candidates(self, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the (places, candidates) log-probabilities of each beam's most probable tokens, and the tokens."""
        require_finite(logits)
        live = self.live
        history = _History(self.tokens[live], logits.shape[1], self.config.no_repeat_ngram_size, self.length)
        logits = processor(self.config, history)(logits, list(range(len(logits))))
        excluded = logits.max(axis=1) == NEVER  # every token, so that the beam ends
        logits[excluded, EOS] = 0.0
        # No beam can have more continuations than there are beams, whatever the other groups chose, and EOS.
        logs = log_softmax(logits)
        best, found = largest(logs, min(self.beams + bool(self.constraints), logits.shape[1]))
        if self.constraints:
            needed = self.constraints.needed(live, found)
            of_needed = np.where(needed == ABSENT, np.float32(NEVER), np.take_along_axis(logs, needed.clip(0), axis=1))
            best, found = np.concatenate([best, of_needed], axis=1), np.concatenate([found, needed.clip(0)], axis=1)
        everywhere = np.full((len(self.tokens), best.shape[1]), NEVER, np.float32)
        tokens = np.zeros(everywhere.shape, np.int64)
        everywhere[live], tokens[live] = best, found
        return everywhere, tokens

    def _choose(
        self, best: np.ndarray, found: np.ndarray, vocab_size: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (beams,) tokens, the beams that they continue, and (rows, groups, beams of a group) scores.

        Args:
            best: (beams, candidates) log-probabilities of the most probable tokens of each beam.
            found: (beams, candidates) these tokens.
            vocab_size: number of tokens.
        """
        rows, groups, size = self.scores.shape
        each = best.shape[1]
        totals = (self.scores[..., None] + best.reshape(rows, groups, size, each)).reshape(rows, groups, -1)
        words = found.reshape(rows, groups, size * each)
        taken = np.zeros((rows, vocab_size), np.float32)
        first = np.arange(rows)[:, None] * groups * size
        tokens, parents, scores = [], [], []
        for group in range(groups):
            penalties = self.config.diversity_penalty * np.take_along_axis(taken, words[:, group], axis=1)
            ranked = totals[:, group] - penalties
            if self.constraints:
                ranked = self.constraints.ranked(
                    totals[:, group], words[:, group], self.config.max_new_tokens - self.length - 1
                )
                totals[:, group][ranked == NEVER] = NEVER
            _, chosen = largest(ranked, size)
            room = np.arange(size) < size - self.ended[:, group : group + 1]
            score = np.where(room, np.take_along_axis(totals[:, group], chosen, axis=1), np.float32(NEVER))
            token = np.take_along_axis(words[:, group], chosen, axis=1)
            np.add.at(taken, (np.arange(rows)[:, None], token), score > NEVER)
            tokens.append(token)
            parents.append(first + group * size + chosen // each)
            scores.append(score)
        return np.concatenate(tokens, 1).ravel(), np.concatenate(parents, 1).ravel(), np.stack(scores, axis=1)

    def _finish(
        self, finished: np.ndarray, scores: np.ndarray, attended: np.ndarray | None, before: np.ndarray
    ) -> None:
        """Add the finished hypotheses to those of their rows; `before` is the row of each place in the logits."""
        for place in np.flatnonzero(finished).tolist():
            row = int(self.rows[place // self.beams])
            penalty = 0.0 if attended is None else self._coverage(attended[0, before[place]], row)
            log = float(scores.ravel()[place])
            self.found.add(row, self.tokens[place, self.prompt_length :].tolist(), log, penalty)

    def _coverage(self, attended: np.ndarray, row: int) -> float:
        """Return the coverage penalty for positions with little attention (Wu et al. 2016, GNMT)."""
        real = attended if self._mask is None else attended[self._mask[row]]
        return self.config.coverage_penalty * float(np.log(real.clip(1e-9, 1.0)).sum())
