"""Reading prompts of unequal lengths, in one fused pass or token by token."""

from typing import Any

from torch import Tensor

from seqgen.protocols import Decoder, Reader

SHORT = 16  # tokens of a prompt; up to here single steps are faster than a fused pass with its fixed cost


def read(decoder: Decoder, tokens: Tensor, lengths: Tensor, state: Any, memory: Any = None) -> tuple[Tensor, Any]:
    """Read right-padded (batch, steps) tokens; return logits and state after each row's last real token.

    Args:
        decoder: its own `read` is used where it has one and that is faster.
        tokens: (batch, steps) numbers.
        lengths: (batch,) number of real tokens of each row, at least 1.
        state: before the first token.
        memory: to attend to.
    """
    # A fused pass over padded prompts would also sum the attention weights of padding.
    if isinstance(decoder, Reader) and tokens.shape[1] > SHORT and state.attended is None:
        return decoder.read(tokens, lengths, state, memory)
    logits, state = decoder.step(tokens[:, 0], state, memory)
    for position in range(1, tokens.shape[1]):
        longer = (lengths > position).nonzero().flatten()
        part = None if memory is None else memory.select(longer)
        step_logits, after = decoder.step(tokens[longer, position], state.select(longer), part)
        logits, state = logits.index_copy(0, longer, step_logits), state.put(longer, after)
    return logits, state
