"""Attention over a memory: attention weights and context vectors."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from seqgen.arguments import checked
from seqgen.errors import InputError, nearest
from seqgen.state import Memory

Score = Literal["general", "additive"]
KINDS = get_args(Score)
SCALE = 0.2  # of general scores: with a larger one the initial weights are nearly one-hot, a smaller one learns slower


@checked
class Attention(nn.Module):
    """Attention weights of queries over the positions of a memory, and context vectors: its states weighted by these.

    "general" scores are dot products of projected queries and states (Luong et al. 2015, Effective Approaches to
    Attention-based Neural Machine Translation), "additive" ones come from a feed-forward network (Bahdanau et al. 2015,
    Neural Machine Translation by Jointly Learning to Align and Translate), which is several times slower.

    Args:
        query_size: features of a query.
        memory_size: features of the memory's states, and of the context vector.
        kind: "general" or "additive".
        heads: number of attention heads, each over its own part of the memory's features (Vaswani et al. 2017,
            Attention Is All You Need).
        gated: whether a gate computed from the query scales the context vector (Xu et al. 2015, Show, Attend and Tell).

    Raises:
        InputError: an unknown kind, or heads that do not divide the memory's features.
    """

    def __init__(
        self, query_size: int, memory_size: int, kind: str = "general", heads: int = 1, *, gated: bool = False
    ):
        super().__init__()
        if kind not in KINDS:
            raise InputError(f"attention must be one of {', '.join(KINDS)}, not {kind!r}{nearest(kind, KINDS)}")
        if heads < 1 or memory_size % heads:
            raise InputError(f"heads must be at least 1 and divide the memory's {memory_size} features, not {heads}")
        self.kind, self.heads = kind, heads
        self.query = nn.Linear(query_size, memory_size, bias=kind == "additive")
        self.gate = nn.Linear(query_size, 1) if gated else None
        if kind == "additive":
            self.key = nn.Linear(memory_size // heads, memory_size // heads, bias=False)
            self.look = nn.Parameter(torch.empty(memory_size // heads))
            nn.init.normal_(self.look, std=(memory_size // heads) ** -0.5)

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Attend to the memory.

        Args:
            queries: (batch, steps, query).
            memory: with the same batch.

        Returns:
            The (batch, steps, memory) context vectors, and the (batch, heads, steps, positions) attention weights,
            which sum to one over the real positions and are zero on padding.
        """
        keys = _split(memory.states, self.heads)
        split = _split(self.query(queries), self.heads)
        if self.kind == "general":
            scores = split @ keys.transpose(2, 3) * SCALE
        else:
            scores = (split.unsqueeze(3) + self.key(keys).unsqueeze(2)).tanh() @ self.look
        weights = scores.float().masked_fill(~memory.mask[:, None, None], -torch.inf).softmax(dim=3)
        context = (weights.to(keys.dtype) @ keys).transpose(1, 2).flatten(2)
        return context if self.gate is None else self.gate(queries).sigmoid() * context, weights


def _split(x: Tensor, heads: int) -> Tensor:
    """Return (batch, heads, positions, features of a head) for (batch, positions, features)."""
    return x.view(*x.shape[:2], heads, -1).transpose(1, 2)
