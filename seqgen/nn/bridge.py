"""From the summary of a memory to the initial state of a decoder."""

from torch import Tensor, nn

from seqgen.arguments import checked
from seqgen.state import State


@checked
class Bridge(nn.Module):
    """Computes the initial state of a decoder from a memory's summary.

    Bahdanau et al. 2015, Neural Machine Translation by Jointly Learning to Align and Translate.

    Args:
        summary_size: features of the summary.
        hidden_size: features of the hidden state.
        layers: number of all recurrent layers of the decoder.
        cell: "lstm", "gru" or "rnn"; an LSTM's cell state is computed from the summary as well.
    """

    def __init__(self, summary_size: int, hidden_size: int, layers: int, cell: str = "lstm"):
        super().__init__()
        self.hidden_size = hidden_size
        self.hidden = nn.Linear(summary_size, layers * hidden_size)
        self.cell = nn.Linear(summary_size, layers * hidden_size) if cell == "lstm" else None

    def forward(self, summary: Tensor) -> State:
        """Return the initial state for (batch, summary) rows."""
        h = self._layered(self.hidden(summary).tanh())
        return State(h, None if self.cell is None else self._layered(self.cell(summary)))

    def _layered(self, x: Tensor) -> Tensor:
        return x.float().view(x.shape[0], -1, self.hidden_size).transpose(0, 1).contiguous()
