"""Contract checks for encoders, decoders and bundles: ours pass them, and so can a user's own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from seqgen.inference.bundle import Bundle
from seqgen.inference.inputs import InputBundle
from seqgen.protocols import Decoder, Encoder
from seqgen.state import Memory, State


def check_encoder(encoder: Encoder, *inputs: Tensor, padding: int | None = None) -> None:
    """Check the properties of an encoder that heads, attention and decoders rely on.

    Its memory has the batch on axis 0 and `output_size` features at every position; every row has a real position;
    rows are independent of each other; the same inputs give the same memory; and padding changes nothing.

    Args:
        encoder: any module that returns a memory; it is checked in evaluation mode.
        *inputs: tensors with a batch of at least 2 rows on axis 0, as the encoder takes them.
        padding: the number with which the first input is padded on the right, for an encoder of sequences.

    Raises:
        AssertionError: with the property that is violated.
    """
    with _evaluating(encoder):
        memory = encoder(*inputs)
        _require(isinstance(memory, Memory), f"an encoder must return a Memory, not {type(memory).__name__}")
        batch, positions = memory.mask.shape
        _require(batch == len(inputs[0]), "memory.mask must be (batch, positions)")
        expected = (batch, positions, encoder.output_size)
        _require(memory.states.shape == expected, f"memory.states must be (batch, positions, output_size), {expected}")
        size = (batch, getattr(encoder, "summary_size", memory.summary.shape[-1]))
        _require(memory.summary.shape == size, f"memory.summary must be (batch, summary_size), {size}")
        _require(memory.mask.dtype == torch.bool, "memory.mask must be of booleans")
        _require(bool(memory.mask.any(dim=1).all()), "every row of memory.mask must have a real position")
        again = encoder(*inputs)
        _require(torch.equal(memory.summary, again.summary), "the same inputs must give the same memory")
        for row in range(batch):
            alone = encoder(*(tensor[row : row + 1] for tensor in inputs))
            _same_memory(alone, memory.select(torch.tensor([row])), "a row must not depend on its neighbours")
        if padding is not None:
            wider = nn.functional.pad(inputs[0], (0, 3), value=padding)
            _same_memory(memory, encoder(wider, *inputs[1:]), "padding must not change a memory")


def _same_memory(one: Memory, other: Memory, rule: str) -> None:
    _same(one.summary, other.summary, rule)
    _require(torch.equal(one.mask.sum(dim=1), other.mask.sum(dim=1)), f"{rule}, nor how many positions are real")
    _same(one.states[one.mask], other.states[other.mask], rule)


def check_bundle(bundle: Bundle[Any], inputs: Sequence[Any] = ()) -> None:
    """Check that a bundle is loaded from a directory as it was saved, and that its inputs are independent.

    Args:
        bundle: of any class derived from `Bundle`.
        inputs: for an `InputBundle`, at least 2 inputs, of unequal lengths where they have a length.

    Raises:
        AssertionError: with the property that is violated.
    """
    with TemporaryDirectory() as directory:
        bundle.save_pretrained(directory)
        again = type(bundle).from_pretrained(directory)
    _require(again.arguments == bundle.arguments, "the arguments of the builder must come back as they were saved")
    _require(again.parts() == bundle.parts(), "all other parts must come back as they were saved")
    _require(set(bundle.parts()) == set(bundle.files), "files must name all parts that are saved")
    before, after = bundle.model.state_dict(), again.model.state_dict()
    _require(before.keys() == after.keys(), "the model must be built again with the same weights")
    for name, tensor in before.items():
        _require(torch.equal(tensor.cpu(), after[name]), f"the weight {name} must come back as it was saved")
    if isinstance(bundle, InputBundle) and inputs:
        _check_inputs(bundle, [bundle.encode(given) for given in inputs])


def _check_inputs(bundle: InputBundle[Any], rows: Sequence[Any]) -> None:
    lengths = bundle.lengths(rows)
    _require(len(lengths) == len(rows), "lengths must be (rows,)")
    with _evaluating(bundle.model):
        encoder = bundle.model.encoder
        whole = encoder(*bundle.collate(rows))
        _require(len(whole.mask) == len(rows), "collate must make a batch with the rows on axis 0")
        for number, row in enumerate(rows):
            alone = encoder(*bundle.collate([row]))
            rule = "an input must not depend on those that are collated with it"
            _same_memory(alone, whole.select(torch.tensor([number])), rule)


@contextmanager
def _evaluating(module: Any) -> Iterator[None]:
    """Return a context in which a module is in evaluation mode and has no gradients."""
    was_training = isinstance(module, nn.Module) and module.training
    if isinstance(module, nn.Module):
        module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        if isinstance(module, nn.Module):
            module.train(was_training)


def check_decoder(
    decoder: Decoder, vocab_size: int, *, memory: Memory | None = None, batch_size: int = 3, steps: int = 5
) -> None:
    """Check the properties of a decoder that sampling and beam search rely on.

    Its state is a value with the batch on axis 1; rows are independent of each other; `State.select` commutes with
    `step`; the same tokens and state give the same logits; and if it has a `forward`, that equals its steps.

    Args:
        decoder: any object with `start` and `step`; a module is checked in evaluation mode.
        vocab_size: number of tokens.
        memory: of at least 2 rows, for a decoder that starts from a memory.
        batch_size: number of rows to check with, at least 2; with a memory, that of its rows.
        steps: number of steps to check with.

    Raises:
        AssertionError: with the property that is violated.
    """
    with _evaluating(decoder):
        _check(decoder, vocab_size, memory, batch_size if memory is None else len(memory.mask), steps)


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
        seen = () if memory is None else (memory,)
        fused, _ = decoder(tokens, decoder.start(memory, batch_size=batch_size), *seen)
        _same(fused, logits, "forward must equal step after step")


def _unroll(decoder: Decoder, tokens: Tensor, state: State, memory: Memory | None) -> tuple[Tensor, State]:
    logits = []
    for position in tokens.T:
        result = decoder.step(position, state, memory)
        _require(isinstance(result, tuple) and len(result) == 2, "step must return logits and a state")
        step_logits, state = result
        logits.append(step_logits)
    return torch.stack(logits, dim=1), state


def _same(one: Tensor, other: Tensor, rule: str) -> None:
    difference = (one.float() - other.float()).abs().max().item()
    _require(difference < 1e-4, f"{rule}; the largest difference is {difference:.2g}")


def _require(kept: bool, rule: str) -> None:
    if not kept:
        raise AssertionError(rule)
