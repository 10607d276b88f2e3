"""Contract checks for decoders: ours run them, and so can a user's own."""

import torch
from torch import Tensor, nn

from seqgen.protocols import Decoder
from seqgen.state import Memory, State


def check_decoder(
    decoder: Decoder, vocab_size: int, *, memory: Memory | None = None, batch_size: int = 3, steps: int = 5
) -> None:
    """Check that a decoder keeps the promises which sampling and search build on.

    Its state is a value with the batch on axis 1; rows do not influence each other; `State.select` commutes with
    `step`; the same call twice gives the same; and if it has a `forward`, that equals its steps.

    Args:
        decoder: any object with `start` and `step`; a module is checked in evaluation mode.
        vocab_size: tokens are drawn below it.
        memory: of at least 2 rows, for a decoder that starts from one and looks at it.
        batch_size: rows to check with, at least 2; as many as the memory has, where there is one.
        steps: positions to check with.

    Raises:
        AssertionError: with the promise that is not kept.
    """
    was_training = isinstance(decoder, nn.Module) and decoder.training
    if isinstance(decoder, nn.Module):
        decoder.eval()
    try:
        with torch.no_grad():
            _check(decoder, vocab_size, memory, batch_size if memory is None else len(memory.mask), steps)
    finally:
        if isinstance(decoder, nn.Module):
            decoder.train(was_training)


def _check(decoder: Decoder, vocab_size: int, memory: Memory | None, batch_size: int, steps: int) -> None:
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(vocab_size, (batch_size, steps), generator=generator)
    start = decoder.start(memory, batch_size=batch_size)
    _require(isinstance(start, State), f"start must return a State, not {type(start).__name__}")
    for name, tensor in start._asdict().items():
        _require(tensor is None or tensor.shape[1] == batch_size, f"state.{name} must have the batch on axis 1")
    before = [None if tensor is None else tensor.clone() for tensor in start]
    logits, state = _unroll(decoder, tokens, start, memory)
    shape = (batch_size, steps, vocab_size)
    _require(logits.shape == shape, f"step must return (batch, vocabulary) logits, not {tuple(logits.shape)}")
    _require(bool(logits.isfinite().all()), "logits must be finite numbers")
    for old, new in zip(before, start, strict=True):
        kept = old is None or new is None or torch.equal(old, new)
        _require(kept, "step must not change the state it was given")
    again, _ = _unroll(decoder, tokens, start, memory)
    _require(torch.equal(logits, again), "the same tokens and state must give the same logits")

    rows = torch.tensor([batch_size - 1, 0, 0])
    part = None if memory is None else memory.select(rows)
    picked, picked_state = _unroll(decoder, tokens[rows], start.select(rows), part)
    _same(picked, logits[rows], "a row must not depend on its neighbours or on its place in the batch")
    for name, mine, theirs in zip(State._fields, picked_state, state.select(rows), strict=True):
        if mine is not None and theirs is not None:
            _same(mine, theirs, f"selecting rows of state.{name} must commute with step")

    if isinstance(decoder, nn.Module) and type(decoder).forward is not nn.Module.forward:
        fused, _ = decoder(tokens, decoder.start(memory, batch_size=batch_size), memory)
        _same(fused, logits, "forward must equal step after step")


def _unroll(decoder: Decoder, tokens: Tensor, state: State, memory: Memory | None) -> tuple[Tensor, State]:
    logits = []
    for position in tokens.T:
        result = decoder.step(position, state, memory)
        _require(isinstance(result, tuple) and len(result) == 2, "step must return logits and a state")
        step_logits, state = result
        logits.append(step_logits)
    return torch.stack(logits, dim=1), state


def _same(one: Tensor, other: Tensor, promise: str) -> None:
    difference = (one.float() - other.float()).abs().max().item()
    _require(difference < 1e-4, f"{promise}; the largest difference is {difference:.2g}")


def _require(kept: bool, promise: str) -> None:
    if not kept:
        raise AssertionError(promise)
