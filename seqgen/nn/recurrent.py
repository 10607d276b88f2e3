"""Recurrent layers with the state passed in and returned: the only file that deals with the quirks of torch's own."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.nn.activations import Activations
from seqgen.nn.cells import EQUATIONS, GATE_NAMES, GATES
from seqgen.nn.dropout import LockedDropout
from seqgen.state import State

CELLS: dict[str, Callable[[int, int], nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
MOST_LAYERS = 1000  # more than anyone can train; a million take minutes to build, however small


@checked
class Recurrent(nn.Module):
    """A stack of recurrent layers: LSTM, GRU or plain tanh RNN.

    Recurrent weights are initialized as orthogonal matrices, gate by gate (Saxe et al. 2014, Exact solutions to the
    nonlinear dynamics of learning in deep linear neural networks), an LSTM's forget bias with 1 (Jozefowicz et al.
    2015, An Empirical Exploration of Recurrent Network Architectures), all other biases with 0.

    Args:
        cell: "lstm", "gru" or "rnn".
        input_size: features of the input.
        hidden_size: features of the hidden state, and of the output.
        layers: number of layers.
        dropout: dropout probability between layers, with one mask for all steps of a row where `locked` (Gal and
            Ghahramani 2016), else with a new one at every step.
        locked: see `dropout`.
        weight_drop: dropout probability of the recurrent weights, with one mask for a whole call (Wan et al. 2013,
            Regularization of Neural Networks using DropConnect; in recurrent layers, Merity et al. 2018).

    Raises:
        InputError: an unknown cell, a size below 1, too many layers, or a probability outside [0, 1).
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        layers: int = 1,
        *,
        dropout: float = 0.0,
        locked: bool = True,
        weight_drop: float = 0.0,
    ):
        super().__init__()
        if cell not in CELLS:
            raise InputError(f"cell must be one of {', '.join(CELLS)}, not {cell!r}")
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size), ("layers", layers)):
            if size < 1:
                raise InputError(f"{name} must be at least 1, not {size}")
        if layers > MOST_LAYERS:
            raise InputError(f"layers must be at most {MOST_LAYERS:,}, not {layers:,}")
        if not 0 <= weight_drop < 1:
            raise InputError(f"weight_drop must be at least 0 and below 1, not {weight_drop}")
        self.cell, self.hidden_size, self.weight_drop = cell, hidden_size, weight_drop
        self.layers = nn.ModuleList(
            CELLS[cell](hidden_size if above else input_size, hidden_size) for above in range(layers)
        )
        self.dropout = LockedDropout(dropout) if locked else nn.Dropout(dropout)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Initialize all weights again, as described for the class."""
        for name, parameter in self.named_parameters():
            if "weight_hh" in name:
                for gate in parameter.view(-1, self.hidden_size, self.hidden_size):
                    nn.init.orthogonal_(gate)
            elif "weight_ih" in name:
                nn.init.xavier_uniform_(parameter)
            else:
                parameter.zero_()
                if self.cell == "lstm" and "bias_ih" in name:
                    parameter[self.hidden_size : 2 * self.hidden_size] = 1

    def start(self, batch_size: int) -> State:
        """Return the zero state of `batch_size` rows."""
        zeros = next(self.parameters()).new_zeros(len(self.layers), batch_size, self.hidden_size)
        return State(zeros, zeros.clone() if self.cell == "lstm" else None)

    def forward(self, x: Tensor, state: State | None = None, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        """Run over whole sequences.

        Args:
            x: (batch, steps, input).
            state: the initial state; zeros by default.
            lengths: (batch,) number of real steps of each right-padded row; all by default.

        Returns:
            (batch, steps, hidden), zero on padding, and the state after each row's last real step.
        """
        state = self.start(x.shape[0]) if state is None else state
        return self._run(x, state) if lengths is None else self._run_ragged(x, state, lengths)

    def _run(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = [], []
        for index, layer in enumerate(self.stack):
            x = self.dropout(x) if index else x
            before = state.h[index : index + 1]
            carried = before if state.c is None else (before, state.c[index : index + 1])
            # The kernels are fastest with time first; the transposed views cost nothing.
            out, final = functional_call(layer, self._dropped_weights(layer), (x.transpose(0, 1), carried))
            x = out.transpose(0, 1)
            h.append(final[0] if isinstance(final, tuple) else final)
            c += [final[1]] if isinstance(final, tuple) else []
        return x, State(torch.cat(h), torch.cat(c) if c else None)

    @property
    def stack(self) -> list[nn.RNNBase]:
        """The layers from the lowest to the highest."""
        return cast("list[nn.RNNBase]", self.layers)

    def _dropped_weights(self, layer: nn.RNNBase) -> dict[str, Tensor]:
        if not self.training or self.weight_drop == 0:
            return {}
        return {"weight_hh_l0": functional.dropout(layer.all_weights[0][1], self.weight_drop)}

    def _run_ragged(self, x: Tensor, state: State, lengths: Tensor) -> tuple[Tensor, State]:
        # Between two successive lengths the same rows are unfinished, so each such stretch is one fused call.
        out = x.new_zeros(x.shape[0], x.shape[1], self.hidden_size)
        begin = 0
        for end in sorted(set(lengths.tolist())):
            unfinished = (lengths > begin).nonzero().flatten()
            if end > begin:
                piece, after = self._run(x[unfinished, begin:end], state.select(unfinished))
                out[unfinished, begin:end] = piece.to(out.dtype)
                state = state.put(unfinished, after)
            begin = end
        return out, state

    def activations(self, x: Tensor, state: State | None = None) -> Activations:
        """Return the hidden states, cell states and gates of all layers at each step, without dropout.

        Args:
            x: (batch, steps, input).
            state: the initial state; zeros by default.
        """
        state = self.start(x.shape[0]) if state is None else state
        stack = []
        for index in range(len(self.stack)):
            stack.append(self._activations_of(index, x, state.layers(index, index + 1)))
            x = stack[-1].h[0]
        return Activations.joined(stack, 0)

    def _activations_of(self, index: int, x: Tensor, state: State) -> Activations:
        input_weight, state_weight, input_bias, state_bias = self.stack[index].all_weights[0]
        h, c = state.h, state.c
        steps = []
        for from_input in functional.linear(x, input_weight, input_bias).unbind(1):
            products = from_input, functional.linear(h, state_weight, state_bias)
            gates = zip(GATE_NAMES[self.cell], GATES[self.cell](*products), strict=True)
            h, c = EQUATIONS[self.cell](*products, h, c)
            cells = None if c is None else c.unsqueeze(2)
            steps.append(Activations(h.unsqueeze(2), cells, {name: gate.unsqueeze(2) for name, gate in gates}))
        return Activations.joined(steps, 2)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Advance by one step, without dropout and without the fixed cost of a fused kernel.

        Args:
            x: (batch, input).
            state: of the step before.

        Returns:
            The (batch, hidden) output and the new state.
        """
        h, c = [], []
        for index, layer in enumerate(self.stack):
            input_weight, state_weight, input_bias, state_bias = layer.all_weights[0]
            from_input = functional.linear(x, input_weight, input_bias)
            from_state = functional.linear(state.h[index], state_weight, state_bias)
            before = None if state.c is None else state.c[index]
            x, cell_state = EQUATIONS[self.cell](from_input, from_state, state.h[index], before)
            h.append(x)
            c += [] if cell_state is None else [cell_state]
        return x, State(torch.stack(h), torch.stack(c) if c else None)
