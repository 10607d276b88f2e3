"""Contract checks for encoders, decoders and bundles: ours pass them, and so can a user's own."""

from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from seqgen.arguments import checked
from seqgen.inference.bundle import Bundle
from seqgen.inference.inputs import InputBundle
from seqgen.protocols import Decoder, Encoder
from seqgen.settings import evaluating, unaffected
from seqgen.state import AnyMemory, AnyState, Memory, State
from seqgen.tasks.part_files import optional_files

CLOSE = 1e-4  # maximum difference of numbers that must be equal but for rounding


class Checks(list[str]):
    """The properties that were checked, each a line that begins with "ok: "; printed, a line for each."""

    def require(self, kept: bool, rule: str, found: str) -> None:
        """Raise an AssertionError of one sentence where a rule is not kept, with what was found instead."""
        if not kept:
            raise AssertionError(f"{rule}, but {found}")
        if f"ok: {rule}" not in self:
            self.append(f"ok: {rule}")

    def same(self, one: Tensor, other: Tensor, rule: str, name: str) -> None:
        """Require that two tensors are equal but for rounding."""
        if one.shape != other.shape:
            self.require(False, rule, f"{name} are of shapes {tuple(one.shape)} and {tuple(other.shape)}")
        difference = (one.float() - other.float()).abs().max().item()
        self.require(difference < CLOSE, rule, f"the largest difference of {name} is {difference:.2g}")

    def __str__(self) -> str:
        return "\n".join(self)


@checked
@unaffected
def check_encoder(encoder: Encoder, *inputs: Tensor, padding: int | None = None) -> Checks:
    """Check the properties of an encoder that heads, attention and decoders rely on.

    Args:
        encoder: any module that returns a memory; it is checked in evaluation mode.
        *inputs: tensors with a batch of at least 2 rows on axis 0, as the encoder takes them.
        padding: the number with which the first input is padded on the right, for an encoder of sequences.

    Returns:
        The properties that were checked; print them.

    Raises:
        AssertionError: with the property that is violated, and what was found.
    """
    checks = Checks()
    with evaluating(encoder), torch.no_grad():
        memory = encoder(*inputs)
        checks.require(isinstance(memory, Memory), "an encoder must return a Memory", f"it is a {_kind(memory)}")
        batch, positions = memory.mask.shape
        _check_shapes(checks, encoder, memory, (len(inputs[0]), positions))
        again = encoder(*inputs)
        checks.same(memory.summary, again.summary, "the same inputs must give the same memory", "summaries")
        for row in range(batch):
            alone = encoder(*(tensor[row : row + 1] for tensor in inputs))
            rule = "the memory of a row must not depend on its neighbours"
            _same_memory(checks, alone, memory.select(torch.tensor([row])), rule)
        if padding is not None:
            wider = nn.functional.pad(inputs[0], (0, 3), value=padding)
            _same_memory(checks, memory, encoder(wider, *inputs[1:]), "padding must not change a memory")
    return checks


def _check_shapes(checks: Checks, encoder: Encoder, memory: Memory, shape: tuple[int, int]) -> None:
    states = (*shape, encoder.output_size)
    summary = (shape[0], getattr(encoder, "summary_size", memory.summary.shape[-1]))
    for name, axes, tensor, expected in (
        ("mask", "(batch, positions)", memory.mask, shape),
        ("states", "(batch, positions, output_size)", memory.states, states),
        ("summary", "(batch, summary_size)", memory.summary, summary),
    ):
        rule = f"memory.{name} must be {axes}"
        checks.require(tensor.shape == expected, rule, f"it is {tuple(tensor.shape)} instead of {expected}")
    checks.require(memory.mask.dtype == torch.bool, "memory.mask must be of booleans", f"it is of {memory.mask.dtype}")
    empty = (~memory.mask.any(dim=1)).nonzero().flatten().tolist()
    checks.require(not empty, "every row of memory.mask must have a real position", f"rows {empty} have none")


def _same_memory(checks: Checks, one: Memory, other: Memory, rule: str) -> None:
    checks.same(one.summary, other.summary, rule, "summaries")
    counts = one.mask.sum(dim=1).tolist(), other.mask.sum(dim=1).tolist()
    checks.require(counts[0] == counts[1], rule, f"rows have {counts[0]} and {counts[1]} real positions")
    checks.same(one.states[one.mask], other.states[other.mask], rule, "states")


@checked
@unaffected
def check_bundle(bundle: Bundle[Any], inputs: Sequence[Any] = ()) -> Checks:
    """Check that a bundle is loaded from a directory as it was saved, and that its inputs are independent.

    Args:
        bundle: of any class derived from `Bundle`.
        inputs: for an `InputBundle`, at least 2 inputs, of unequal lengths where they have a length.

    Returns:
        The properties that were checked; print them.

    Raises:
        AssertionError: with the property that is violated, and what was found.
    """
    checks = Checks()
    with TemporaryDirectory() as directory:
        bundle.save_pretrained(directory)
        again = type(bundle).from_pretrained(directory, builder=bundle.own_builder)
    rule = "the arguments of the builder must come back as they were saved"
    checks.require(again.arguments == bundle.arguments, rule, f"{bundle.arguments} are {again.arguments}")
    before, after = bundle.parts(), again.parts()
    changed = [name for name in before if before[name] != after.get(name)]
    checks.require(not changed, "all other parts must come back as they were saved", f"{', '.join(changed)} changed")
    unnamed = sorted((set(before) ^ set(bundle.files)) - optional_files(type(bundle)))
    checks.require(not unnamed, "files must name all parts that are saved", f"it differs in {', '.join(unnamed)}")
    weights, loaded = bundle.model.state_dict(), again.model.state_dict()
    missing = sorted(weights.keys() ^ loaded.keys())
    checks.require(not missing, "the model must be built again with the same weights", f"it differs in {missing}")
    unequal = [name for name, tensor in weights.items() if not torch.equal(tensor.cpu(), loaded[name])]
    checks.require(not unequal, "all weights must come back as they were saved", f"{', '.join(unequal)} changed")
    if isinstance(bundle, InputBundle) and inputs:
        _check_inputs(checks, bundle, [bundle.encode(given) for given in inputs])
    return checks


def _check_inputs(checks: Checks, bundle: InputBundle[Any], rows: Sequence[Any]) -> None:
    count = len(bundle.lengths(rows))
    checks.require(count == len(rows), "lengths must be (rows,)", f"there are {count} for {len(rows)} rows")
    with evaluating(bundle.model), torch.no_grad():
        encoder = bundle.model.encoder
        whole = encoder(*bundle.collate(rows))
        rule = "collate must make a batch with the rows on axis 0"
        checks.require(len(whole.mask) == len(rows), rule, f"it has {len(whole.mask)} rows for {len(rows)}")
        for number, row in enumerate(rows):
            alone = encoder(*bundle.collate([row]))
            rule = "an input must not depend on those that are collated with it"
            _same_memory(checks, alone, whole.select(torch.tensor([number])), rule)


@checked
@unaffected
def check_decoder(
    decoder: Decoder,
    vocab_size: int,
    *,
    memory: AnyMemory | None = None,
    batch_size: int = 3,
    steps: int = 5,
) -> Checks:
    """Check the properties of a decoder that sampling, beam search and, where it has a `forward`, training rely on.

    Args:
        decoder: any object with `start` and `step`; a module is checked in evaluation mode.
        vocab_size: number of tokens.
        memory: of at least 2 rows, for a decoder that starts from a memory.
        batch_size: number of rows to check with, at least 2; with a memory, that of its rows.
        steps: number of steps to check with, at least 2.

    Returns:
        The properties that were checked; print them.

    Raises:
        AssertionError: with the property that is violated, and what was found.
    """
    checks = Checks()
    batch_size = batch_size if memory is None else len(memory.mask)
    tokens = torch.randint(vocab_size, (batch_size, steps), generator=torch.Generator().manual_seed(0))
    with evaluating(decoder), torch.no_grad():
        logits, state = _check_steps(checks, decoder, tokens, vocab_size, memory)
        _check_rows(checks, decoder, tokens, memory, logits, state)
        if isinstance(decoder, nn.Module) and type(decoder).forward is not nn.Module.forward:
            _check_forward(checks, decoder, tokens, memory, logits, state)
        else:
            checks.append("not checked: forward, which training and score need, because there is none")
    return checks


def _check_steps(
    checks: Checks, decoder: Decoder, tokens: Tensor, vocab_size: int, memory: AnyMemory | None
) -> tuple[Tensor, AnyState]:
    start = decoder.start(memory, batch_size=len(tokens))
    checks.require(isinstance(start, AnyState), "start must return a State", f"it is a {_kind(start)}")
    _check_batch_axis(checks, start, len(tokens), "start")
    before = {name: None if tensor is None else tensor.clone() for name, tensor in _tensors(start).items()}
    logits, state = _unroll(checks, decoder, tokens, start, memory)
    shape, expected = tuple(logits.shape), (*tokens.shape, vocab_size)
    found = f"they are {(shape[0], *shape[2:])} instead of {(expected[0], expected[2])}"
    checks.require(shape == expected, "step must return (batch, vocabulary) logits", found)
    checks.require(bool(logits.isfinite().all()), "logits must be finite numbers", "some are not")
    _check_batch_axis(checks, state, len(tokens), "step")
    for name, new in _tensors(start).items():
        old = before[name]
        kept = old is None or new is None or torch.equal(old, new)
        checks.require(kept, "step must not change the state it was given", f"state.{name} changed")
    again, _ = _unroll(checks, decoder, tokens, start, memory)
    checks.same(logits, again, "the same tokens and state must give the same logits", "logits")
    return logits, state


def _check_batch_axis(checks: Checks, state: AnyState, batch_size: int, name: str) -> None:
    for field, tensor in _tensors(state).items():
        kept = tensor is None or (tensor.ndim > 1 and tensor.shape[1] == batch_size)
        found = "" if tensor is None else f"state.{field} is {tuple(tensor.shape)} with a batch of {batch_size}"
        checks.require(kept, f"the state that {name} returns must have the batch on axis 1", found)


def _check_rows(
    checks: Checks,
    decoder: Decoder,
    tokens: Tensor,
    memory: AnyMemory | None,
    logits: Tensor,
    state: AnyState,
) -> None:
    rows = torch.tensor([len(tokens) - 1, 0, 0])
    part = None if memory is None else memory.select(rows)
    start = decoder.start(memory, batch_size=len(tokens)).select(rows)
    picked, picked_state = _unroll(checks, decoder, tokens[rows], start, part)
    rule = "a row must not depend on its neighbours or on its place in the batch"
    checks.same(picked, logits[rows], rule, "logits")
    _same_state(checks, picked_state, state.select(rows), "selecting rows of a state must commute with step")


def _check_forward(
    checks: Checks,
    decoder: Any,
    tokens: Tensor,
    memory: AnyMemory | None,
    logits: Tensor,
    state: AnyState,
) -> None:
    """Call `forward` as training and `score` do: without a state, with that of `start`, and with a carried one."""
    seen, more = ((), "") if memory is None else ((memory,), ", memory")
    start = decoder.start(memory, batch_size=len(tokens))
    _, carried = _unroll(checks, decoder, tokens[:, :1], start, memory)
    calls: list[tuple[str, int, AnyState | None]] = [("state", 0, start), ("state", 1, carried)]
    for name, begin, before in calls if seen else [*calls, ("None", 0, None)]:
        call = f"forward(tokens, {name}{more})"
        try:
            result = decoder(tokens[:, begin:], before, *seen)
        except Exception as error:
            raise AssertionError(
                f"{call} must read all steps at once, but it raises {_kind(error)}: {error}"
            ) from error
        checks.require(_is_pair(result), f"{call} must return logits and a State", f"it returns a {_kind(result)}")
        rule = f"{call} must equal step after step"
        checks.same(result[0], logits[:, begin:], rule, "logits")
        _same_state(checks, result[1], state, rule)


def _same_state(checks: Checks, one: AnyState, other: AnyState, rule: str) -> None:
    for (name, mine), theirs in zip(_tensors(one).items(), _tensors(other).values(), strict=True):
        checks.require((mine is None) == (theirs is None), rule, f"only one has state.{name}")
        if mine is not None and theirs is not None:
            checks.same(mine, theirs, rule, f"state.{name}")


def _tensors(state: AnyState) -> dict[str, Tensor | None]:
    """Return the tensors of a state, or of those of an ensemble, by their names."""
    if isinstance(state, State):
        return state._asdict()
    return {f"{name} of {place}": one for place, each in enumerate(state) for name, one in each._asdict().items()}


def _unroll(
    checks: Checks, decoder: Decoder, tokens: Tensor, state: AnyState, memory: AnyMemory | None
) -> tuple[Tensor, AnyState]:
    logits = []
    for position in tokens.T:
        result = decoder.step(position, state, memory)
        checks.require(_is_pair(result), "step must return logits and a State", f"it returns a {_kind(result)}")
        step_logits, state = result
        logits.append(step_logits)
    return torch.stack(logits, dim=1), state


def _is_pair(result: Any) -> bool:
    return isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], AnyState)


def _kind(value: Any) -> str:
    return type(value).__name__
