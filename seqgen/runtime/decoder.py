"""A decoder in onnxruntime: it reads prompts, and makes steps in arrays that are bound once."""

from typing import NamedTuple

import numpy as np

from seqgen.batches.padded import padded
from seqgen.errors import InputError
from seqgen.runtime.graph import Arrays, Graph

WINDOW = 4096  # tokens that are read at a time, so that the logits take no more memory for a longer text


class Memory(NamedTuple):
    """Memory of an encoder: (batch, positions, features) states, and a (batch, positions) mask, False on padding."""

    states: np.ndarray
    mask: np.ndarray

    def select(self, rows: np.ndarray) -> "Memory":
        """Return the memory of these rows, (n,) numbers."""
        return Memory(self.states[rows], self.mask[rows])


# The tensors of a state by their names, (layers, batch, hidden); and "attended", (1, batch, positions), the sum of the
# attention weights of each position, where it began with zeros.
State = Arrays


def selected(state: State, rows: np.ndarray) -> State:
    """Return the state of these rows, (n,) numbers: repeated, reordered or dropped."""
    return {name: array[:, rows] for name, array in state.items()}


class Decoder:
    """A decoder.

    Args:
        step: the graph of one step.
        read: the graph of many; None for a decoder that reads step by step, too.
        shapes: of the tensors of its state, in which a text is the number of rows.
        vocab_size: number of tokens.
    """

    def __init__(self, step: Graph, read: Graph | None, shapes: dict[str, list[int | str]], vocab_size: int):
        self.step, self._read = step, read
        self._shapes, self.vocab_size = shapes, vocab_size

    def start(self, rows: int) -> State:
        """Return the state before the first token of texts without an input."""
        shapes = {
            name: [rows if isinstance(one, str) else one for one in shape] for name, shape in self._shapes.items()
        }
        return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}

    def read(self, prompts: list[list[int]], state: State, memory: Memory | None = None) -> tuple[np.ndarray, State]:
        """Return the (batch, vocabulary) logits and the state after each prompt, whose lengths may differ."""
        rows = [np.array(prompt) for prompt in prompts]
        tokens, lengths = padded(rows), np.array([len(row) for row in rows])
        logits = np.empty((len(rows), self.vocab_size), np.float32)
        state = {name: array.copy() for name, array in state.items()}
        window = 1 if self._read is None or "attended" in state else WINDOW
        for begin in range(0, tokens.shape[1], window):
            longer = np.flatnonzero(lengths > begin)
            part, before = tokens[longer, begin : begin + window], selected(state, longer)
            beside = None if memory is None else memory.select(longer)
            if window == 1:
                steps = Steps(self, before, beside)
                logits[longer], after = steps.step(part[:, 0]), steps.state
            else:
                left = (lengths[longer] - begin).clip(max=window)
                of_all, after = self.read_window(part, left, before, beside)
                logits[longer] = of_all[np.arange(len(longer)), left - 1]
            for name, array in after.items():
                state[name][:, longer] = array
        return logits, state

    def read_window(
        self, tokens: np.ndarray, lengths: np.ndarray, state: State, memory: Memory | None = None
    ) -> tuple[np.ndarray, State]:
        """Return the (batch, time, vocabulary) logits of right-padded tokens, and the state after them."""
        if self._read is None:
            return self._stepped(tokens, state, memory)
        beside = {} if memory is None else memory._asdict()
        found = self._read(tokens=tokens, lengths=lengths, **state, **beside)
        return found["logits"], {name: found[f"next_{name}"] for name in state}

    def _stepped(self, tokens: np.ndarray, state: State, memory: Memory | None) -> tuple[np.ndarray, State]:
        steps = Steps(self, state, memory)
        return np.stack([steps.step(column).copy() for column in tokens.T], axis=1), steps.state


class Steps:
    """The steps of a batch of rows: a step allocates nothing, and its outputs are overwritten by the next one.

    Args:
        decoder: that makes them.
        state: to begin with.
        memory: with a row for each row.
    """

    def __init__(self, decoder: Decoder, state: State, memory: Memory | None = None):
        state = dict(state)
        self.attended = state.pop("attended", None)
        rows = state["h"].shape[1]
        if not rows:  # for which onnxruntime ends the process
            raise InputError("tokens must be those of at least one row, but there are none")
        self._tokens, self.logits = np.zeros(rows, np.int64), np.empty((rows, decoder.vocab_size), np.float32)
        beside = {} if memory is None else {name: np.ascontiguousarray(one) for name, one in memory._asdict().items()}
        outputs = {"logits": self.logits}
        if memory is not None and self.attended is not None:
            self.attended = self.attended.copy()
            self.weights = outputs["weights"] = np.empty(memory.mask.shape, np.float32)
        self._states = [{name: np.array(one, order="C") for name, one in state.items()} for _ in range(2)]
        self._calculate = [
            decoder.step.bound(
                {"tokens": self._tokens, **before, **beside},
                outputs | {f"next_{name}": array for name, array in after.items()},
            )
            for before, after in (self._states, self._states[::-1])
        ]
        self._turn = 0  # which of the two states is the present one

    def step(self, tokens: np.ndarray | list[int]) -> np.ndarray:
        """Read a token of each row; return the (rows, vocabulary) logits of the next ones."""
        self._tokens[:] = tokens
        self._calculate[self._turn]()
        self._turn = 1 - self._turn
        if self.attended is not None:
            self.attended[0] += self.weights
        return self.logits

    @property
    def state(self) -> State:
        """The state after the last step."""
        return self._states[self._turn] | ({} if self.attended is None else {"attended": self.attended})

    def reorder(self, rows: np.ndarray) -> None:
        """Let each row go on from the state of the row of this number."""
        for array in self.state.values():
            array[:] = array[:, rows]
