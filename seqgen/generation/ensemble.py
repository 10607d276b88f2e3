"""An ensemble of decoders, which search and sampling take for one: the mean of the members' probabilities."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from seqgen.arguments import checked
from seqgen.generation.reading import read
from seqgen.generation.shared_memory import SharedMemory
from seqgen.protocols import Decoder
from seqgen.state import Memories, Memory, States


def pooled(logits: Sequence[Tensor]) -> Tensor:
    """Return the (..., answers) logits, in fp32, of the mean of the distributions of several logits of this shape.

    This mean is the linear opinion pool (Stone 1961, The Opinion Pool): its loss is at most the mean of the members'
    losses, and none of them alone can exclude an answer, as it could where log-probabilities are averaged.

    The sum of the exponentials is that of the first logits, so that logits that are all equal come back bit for bit.
    """
    given = torch.stack([one.float() for one in logits])
    normalizers = given.logsumexp(dim=-1, keepdim=True)
    alike = given + (normalizers[:1] - normalizers)
    peaks = alike.amax(dim=0).clamp(min=torch.finfo(alike.dtype).min)  # finite, also where a probability is 0 in all
    return peaks + (alike - peaks).exp().mean(dim=0).log()


@checked
class DecoderEnsemble(nn.Module):
    """Decoders of the same vocabulary as one: its states and memories are those of all of them.

    Args:
        members: modules or other decoders, of any sizes and cells.
    """

    takes_shared_memory = True

    def __init__(self, members: Sequence[Decoder]):
        super().__init__()
        self.members = list(members)  # some, such as packed ones, are no modules
        for number, member in enumerate(members):
            if isinstance(member, nn.Module):
                self.add_module(str(number), member)

    def start(self, memory: Memories | None = None, *, batch_size: int | None = None) -> States:
        """Return the states before the first token, for the rows of the memories or for `batch_size` rows."""
        pairs = zip(self.members, self.memories(memory), strict=True)
        return States(member.start(theirs, batch_size=batch_size) for member, theirs in pairs)

    def step(
        self, tokens: Tensor, state: States, memory: Memories | SharedMemory | None = None
    ) -> tuple[Tensor, States]:
        """Read (batch,) tokens; return (batch, vocabulary) logits of the next ones and the states."""
        several = zip(self.members, state, self.memories(memory), strict=True)
        return _together([member.step(tokens, own, theirs) for member, own, theirs in several])

    def read(
        self, tokens: Tensor, lengths: Tensor, state: States, memory: Memories | None = None
    ) -> tuple[Tensor, States]:
        """Read right-padded (batch, steps) tokens; return logits and states after each row's last real token."""
        several = zip(self.members, state, self.memories(memory), strict=True)
        return _together([read(member, tokens, lengths, own, theirs) for member, own, theirs in several])

    def forward(
        self, tokens: Tensor, state: States | None = None, memory: Memories | None = None
    ) -> tuple[Tensor, States]:
        """Return (batch, steps, vocabulary) logits for (batch, steps) tokens, and the states after the last step."""
        states = [None] * len(self.members) if state is None else state
        members: list[Any] = list(self.members)
        several = zip(members, states, self.memories(memory), strict=True)
        # A language model of one's own need not take a memory.
        return _together(
            [member(tokens, own, *([] if theirs is None else [theirs])) for member, own, theirs in several]
        )

    def memories(self, memory: Memories | SharedMemory | None) -> Sequence[Memory | SharedMemory | None]:
        """Return the memory of each member as its step takes it."""
        if isinstance(memory, SharedMemory):
            pairs = zip(self.members, memory.memory, strict=True)
            return [memory._replace(memory=theirs).given_to(member) for member, theirs in pairs]
        return [None] * len(self.members) if memory is None else memory


def _together(found: list[tuple[Tensor, Any]]) -> tuple[Tensor, States]:
    logits, states = zip(*found, strict=True)
    return pooled(logits), States(states)
