"""The hidden states, cell states and gates of recurrent layers at every step."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from seqgen.arguments import checked
from seqgen.state import State


@checked
class Activations(NamedTuple):
    """Calculations of recurrent layers at each step; every tensor is (layers, batch, steps, hidden).

    `h` are the hidden states; `c` the cell states, of an LSTM only; `gates` are those of an LSTM ("input", "forget",
    "candidate", "output") or a GRU ("reset", "update", "candidate"), by their names. Gates are between 0 and 1,
    candidates between -1 and 1.
    """

    h: Tensor
    c: Tensor | None
    gates: dict[str, Tensor]

    @property
    def last(self) -> State:
        """The state after the last step."""
        return State(self.h[:, :, -1], None if self.c is None else self.c[:, :, -1])

    @classmethod
    def joined(cls, parts: Sequence["Activations"], axis: int) -> "Activations":
        """Return the activations of several stacks of layers (axis 0), or of successive steps (axis 2), as one."""
        cells = [part.c for part in parts if part.c is not None]
        gates = {name: torch.cat([part.gates[name] for part in parts], axis) for name in parts[0].gates}
        return cls(torch.cat([part.h for part in parts], axis), torch.cat(cells, axis) if cells else None, gates)

    def reordered(self, order: Tensor) -> "Activations":
        """Return the activations with the steps of each row in the order of these (batch, steps) positions."""

        def moved(x: Tensor) -> Tensor:
            return x.gather(2, order[None, :, :, None].expand_as(x))

        cells = None if self.c is None else moved(self.c)
        return Activations(moved(self.h), cells, {name: moved(gate) for name, gate in self.gates.items()})
