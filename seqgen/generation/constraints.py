"""Words that must occur in the texts of a beam search, and the places of a beam by how much of them is written."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seqgen.errors import InputError
from seqgen.generation.history import NEVER
from seqgen.symbols import BOS, EOS

Word = Sequence[
    Sequence[int]
]  # its spellings as tokens, any of which is enough; after BOS, only one that begins a text
ABSENT = -1  # in place of a token


class Automaton(NamedTuple):
    """A count of the tokens of a word that a text ends with (Aho and Corasick 1975, Efficient String Matching).

    `after` is the (nodes, symbols) node after each symbol, `missing` the (nodes,) tokens that the word needs at least,
    and `next` the (nodes, choices) tokens that bring it nearer, or ABSENT. A node at which nothing is missing is kept.
    """

    after: np.ndarray
    missing: np.ndarray
    next: np.ndarray

    @classmethod
    def of(cls, word: Word, symbols: dict[int, int]) -> "Automaton":
        """Return the automaton of a word; symbols are numbers of its tokens, and 0 stands for all others."""
        children, missing = [dict[int, int]()], [max(map(len, word))]
        for spelling in word:
            node = 0
            for place, token in enumerate(spelling):
                if token != BOS:
                    missing[node] = min(missing[node], len(spelling) - place)
                if token not in children[node]:
                    children[node][token] = len(children)
                    children.append({})
                    missing.append(len(spelling) - place - 1)
                node = children[node][token]
            missing[node] = 0
        after = np.zeros((len(children), len(symbols) + 1), np.int64)
        shorter, order = [0] * len(children), [0]  # the longest other beginning that the tokens of a node end with
        for node in order:
            after[node] = after[shorter[node]]
            missing[node] = min(missing[node], missing[shorter[node]])
            for token, child in children[node].items():
                shorter[child], after[node, symbols[token]] = after[node, symbols[token]], child
                order.append(child)
            if not missing[node]:
                after[node] = node
        found = np.array(missing)
        known = [(token, symbol) for token, symbol in symbols.items() if token != BOS]
        nearer = [
            [token for token, symbol in known if found[to[symbol]] < of] for of, to in zip(found, after, strict=True)
        ]
        width = max(map(len, nearer))
        return cls(after, found, np.array([[*tokens, *[ABSENT] * (width - len(tokens))] for tokens in nearer]))


class Constraints:
    """The words that must occur after the prompts, and how much of each every beam has, of all unfinished rows.

    Beams are in banks by the number of tokens that are missing, and all banks get places, as in Post and Vilar 2018,
    Fast Lexically Constrained Decoding with Dynamic Beam Allocation for Neural Machine Translation.

    Args:
        words: at least one.
        prompts: token numbers of each row.
        beams: number of beams of a row.
        vocab_size: number of tokens.

    Raises:
        InputError: a word without spellings, or with tokens that are not in the vocabulary.
    """

    def __init__(self, words: Sequence[Word], prompts: list[list[int]], beams: int, vocab_size: int):
        tokens = sorted({token for word in words for spelling in word for token in spelling})
        if not all(word and all(word) for word in words) or tokens[0] < 0 or tokens[-1] >= vocab_size:
            raise InputError(f"words must each have tokens from 0 to {vocab_size - 1}, not {list(words)}")
        symbols = {token: number for number, token in enumerate(tokens, start=1)}
        self._symbols = np.zeros(vocab_size, np.int64)
        self._symbols[tokens] = list(symbols.values())
        self._automata = [Automaton.of(word, symbols) for word in words]
        begun = [
            [one.after[0, symbols.get(BOS, 0)] * (prompt == [BOS]) for one in self._automata] for prompt in prompts
        ]
        self._nodes = np.array(begun).repeat(beams, axis=0)  # (beams, words)

    @property
    def satisfied(self) -> np.ndarray:
        """The (beams,) truth values: whether a text has all words."""
        found: np.ndarray = np.all([one.missing[node] == 0 for one, node in self._each(self._nodes)], axis=0)
        return found

    def needed(self, beams: np.ndarray, found: np.ndarray) -> np.ndarray:
        """Return the (n, choices) tokens that bring these beams nearer to a word, but for (n, found) ones."""
        known = found
        for one, node in self._each(self._nodes[beams]):
            for tokens in one.next[node].T:
                again = (known == tokens[:, None]).any(axis=1)
                known = np.concatenate([known, np.where(again, ABSENT, tokens)[:, None]], axis=1)
        return known[:, found.shape[1] :]

    def ranked(self, scores: np.ndarray, tokens: np.ndarray, steps: int) -> np.ndarray:
        """Return (rows, candidates) numbers, the larger the sooner a candidate gets a place, and -infinity for none.

        Candidates are ranked by their score in their bank, and the banks take turns. Where there are more banks than
        places, those that miss the fewest and the most tokens come first: some beams complete the words, others wait
        for where they fit.

        Args:
            scores: (rows, candidates) of as many candidates for each beam, beam after beam.
            tokens: (rows, candidates) the last token of each.
            steps: number of tokens that may follow.
        """
        each = scores.size // len(self._nodes)
        after = self._after(self._nodes.repeat(each, axis=0), tokens.ravel())
        missing = np.stack([one.missing[node] for one, node in self._each(after)], axis=1)
        # Of the words that are begun only one counts, so that the words that share a beginning do not outweigh one
        # that goes on, and a beam that goes on with its longest one is always in a bank that misses less.
        whole, absent = np.array([one.missing[0] for one in self._automata]), missing > 0
        banks = (whole * absent).sum(axis=1) - ((whole - missing) * absent).max(axis=1)
        banks = banks.reshape(scores.shape)
        possible = (scores > NEVER) & (missing.max(axis=1) <= steps).reshape(scores.shape)
        possible &= (tokens != EOS) | (banks == 0)
        places = np.full(scores.shape, NEVER, np.float32)
        for row, of_row in enumerate(possible):
            present = np.unique(banks[row, of_row])
            ends = sorted(range(len(present)), key=lambda one: (min(one, len(present) - 1 - one), one))
            for turn, bank in enumerate(ends):
                candidates = np.flatnonzero(of_row & (banks[row] == present[bank]))
                best = candidates[np.argsort(-scores[row, candidates], kind="stable")]
                places[row, best] = -(np.arange(len(best)) * len(present) + turn)
        return places

    def advance(self, tokens: np.ndarray, parents: np.ndarray) -> None:
        """Let each beam be the one of this number with its next token."""
        self._nodes = self._after(self._nodes[parents], tokens)

    def keep(self, rows: np.ndarray, beams: int) -> None:
        """Keep only these rows, of this number of beams each."""
        self._nodes = self._nodes.reshape(-1, beams, len(self._automata))[rows].reshape(-1, len(self._automata))

    def _each(self, nodes: np.ndarray) -> "zip[tuple[Automaton, np.ndarray]]":
        return zip(self._automata, nodes.T, strict=True)

    def _after(self, nodes: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        symbols = self._symbols[tokens]
        return np.stack([one.after[node, symbols] for one, node in self._each(nodes)], axis=1)
