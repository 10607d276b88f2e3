"""Recurrent layers as ONNX's own operators: the exporter would freeze the number of steps of torch's."""

import copy
from typing import Any, cast

import torch
from torch import Tensor, nn

from seqgen.nn.recurrent import Recurrent
from seqgen.state import State

OPERATORS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}
ORDER = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}  # of the gates in ONNX, by their places in torch
VERSION = 14  # of the operators


def with_operators(model: nn.Module) -> nn.Module:
    """Return a copy of a model whose recurrent layers are exported as operators."""
    parts = {
        id(part): Operators(copy.deepcopy(part)) for part in model.modules() if type(part) is Recurrent
    }  # in place of which a copy of the model has these
    return copy.deepcopy(model, cast("dict[int, object]", parts))


class Operator(nn.Module):
    """One recurrent layer; its weights are in ONNX's order, since int8 passes over weights that are calculated.

    Args:
        cell: "lstm", "gru" or "rnn".
        layer: torch's.
    """

    def __init__(self, cell: str, layer: nn.RNNBase):
        super().__init__()
        self.cell, self.hidden_size = cell, layer.hidden_size
        input_weight, state_weight, input_bias, state_bias = layer.all_weights[0]
        self.input = nn.Buffer(self._reordered(input_weight))
        self.state = nn.Buffer(self._reordered(state_weight))
        self.bias = nn.Buffer(torch.cat([self._reordered(input_bias), self._reordered(state_bias)], dim=1))

    def _reordered(self, weight: Tensor) -> Tensor:
        gates = weight.detach().chunk(len(ORDER[self.cell]))
        return torch.cat([gates[place] for place in ORDER[self.cell]]).unsqueeze(0)

    def forward(self, x: Tensor, h: Tensor, c: Tensor | None, lengths: Tensor | None) -> list[Tensor]:
        """Return (steps, 1, batch, hidden), and the last hidden and cell state, for (steps, batch, input)."""
        carried = [h] if c is None else [h, c]
        attributes: dict[str, Any] = {"hidden_size": self.hidden_size}
        if self.cell == "gru":
            attributes["linear_before_reset"] = 1  # as in torch
        return list(
            torch.onnx.ops.symbolic_multi_out(
                OPERATORS[self.cell],
                [x, self.input, self.state, self.bias, lengths, *carried],
                attributes,
                dtypes=[x.dtype] * (1 + len(carried)),
                shapes=[(x.shape[0], 1, x.shape[1], self.hidden_size), *(part.shape for part in carried)],
                version=VERSION,
            )
        )


class Operators(nn.Module):
    """A stack of recurrent layers with the methods of `Recurrent`, to be exported and never run.

    Args:
        recurrent: whose weights it has.
    """

    def __init__(self, recurrent: Recurrent):
        super().__init__()
        self.cell, self.hidden_size, self.recurrent = recurrent.cell, recurrent.hidden_size, recurrent
        self.layers = nn.ModuleList(Operator(recurrent.cell, layer) for layer in recurrent.stack)

    def start(self, batch_size: int) -> State:
        """Return the zero state of `batch_size` rows."""
        return self.recurrent.start(batch_size)

    def forward(self, x: Tensor, state: State | None = None, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        """Run over whole sequences."""
        state = self.start(x.shape[0]) if state is None else state
        real = None if lengths is None else lengths.to(torch.int32)
        h, c = [], []
        x = x.transpose(0, 1)
        for index, layer in enumerate(self.layers):
            carried = None if state.c is None else state.c[index : index + 1]
            out, *after = layer(x, state.h[index : index + 1], carried, real)
            x = out.squeeze(1)
            h.append(after[0])
            c += after[1:]
        return x.transpose(0, 1), State(torch.cat(h), torch.cat(c) if c else None)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Advance by one step: in int8 only an LSTM has an operator, and the others are faster as products."""
        if self.cell != "lstm":
            return self.recurrent.step(x, state)
        out, state = self(x.unsqueeze(1), state)
        return out.squeeze(1), state
