"""The equations of one step of each recurrent cell, given the products of its input and of its hidden state."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor

# From the (batch, gates) products of input and hidden state, and the hidden and cell state, to the next of both.
Equation = Callable[..., tuple[Tensor, Tensor | None]]


def lstm(from_input: Tensor, from_state: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Hochreiter and Schmidhuber 1997, Long Short-Term Memory, with the forget gate of Gers et al. 2000."""
    i, f, g, o = (from_input + from_state).chunk(4, dim=-1)
    c = (f.sigmoid() * c).addcmul(i.sigmoid(), g.tanh())
    return o.sigmoid() * c.tanh(), c


def gru(from_input: Tensor, from_state: Tensor, h: Tensor, c: None) -> tuple[Tensor, None]:
    """Cho et al. 2014, with the reset gate after the recurrent product as cuDNN has it."""
    reset_x, update_x, new_x = from_input.chunk(3, dim=-1)
    reset_h, update_h, new_h = from_state.chunk(3, dim=-1)
    new = (new_x + (reset_x + reset_h).sigmoid() * new_h).tanh()
    return new + (update_x + update_h).sigmoid() * (h - new), None


def rnn(from_input: Tensor, from_state: Tensor, h: Tensor, c: None) -> tuple[Tensor, None]:
    """Elman 1990, Finding Structure in Time."""
    return (from_input + from_state).tanh(), None


Cell = Literal["lstm", "gru", "rnn"]

EQUATIONS: dict[str, Equation] = {"lstm": lstm, "gru": gru, "rnn": rnn}
