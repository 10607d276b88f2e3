"""The equations of one step of each recurrent cell, given the products of its input and of its hidden state."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor

# From the (batch, gates) products of input and hidden state, and the hidden and cell state, to the next of both.
Equation = Callable[..., tuple[Tensor, Tensor | None]]


def lstm(from_input: Tensor, from_state: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Hochreiter and Schmidhuber 1997, Long Short-Term Memory, with the forget gate of Gers et al. 2000."""
    i, f, g, o = lstm_gates(from_input, from_state)
    c = (f * c).addcmul(i, g)
    return o * c.tanh(), c


def lstm_gates(from_input: Tensor, from_state: Tensor) -> tuple[Tensor, ...]:
    """Return the input and forget gates, the candidate of the cell state, and the output gate."""
    i, f, g, o = (from_input + from_state).chunk(4, dim=-1)
    return i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()


def gru(from_input: Tensor, from_state: Tensor, h: Tensor, c: None) -> tuple[Tensor, None]:
    """Cho et al. 2014, with the reset gate after the recurrent product as cuDNN has it."""
    _, update, new = gru_gates(from_input, from_state)
    return new + update * (h - new), None


def gru_gates(from_input: Tensor, from_state: Tensor) -> tuple[Tensor, ...]:
    """Return the reset and update gates, and the candidate of the hidden state."""
    reset_x, update_x, new_x = from_input.chunk(3, dim=-1)
    reset_h, update_h, new_h = from_state.chunk(3, dim=-1)
    reset = (reset_x + reset_h).sigmoid()
    return reset, (update_x + update_h).sigmoid(), (new_x + reset * new_h).tanh()


def rnn(from_input: Tensor, from_state: Tensor, h: Tensor, c: None) -> tuple[Tensor, None]:
    """Elman 1990, Finding Structure in Time."""
    return (from_input + from_state).tanh(), None


def no_gates(from_input: Tensor, from_state: Tensor) -> tuple[Tensor, ...]:
    """Return the gates of a plain recurrent network, which has none."""
    return ()


Cell = Literal["lstm", "gru", "rnn"]

EQUATIONS: dict[str, Equation] = {"lstm": lstm, "gru": gru, "rnn": rnn}

# The gates of each cell from the same products, and their names.
GATES: dict[str, Callable[[Tensor, Tensor], tuple[Tensor, ...]]] = {
    "lstm": lstm_gates,
    "gru": gru_gates,
    "rnn": no_gates,
}
GATE_NAMES = {"lstm": ("input", "forget", "candidate", "output"), "gru": ("reset", "update", "candidate"), "rnn": ()}
