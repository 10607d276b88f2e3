"""A decoder packed for generation: the arithmetic of its steps in fewer and faster matrix products."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from seqgen.errors import InputError
from seqgen.generation.ensemble import DecoderEnsemble
from seqgen.generation.shared_memory import SharedMemory
from seqgen.hardware.decisions import Operation, decide
from seqgen.hardware.precision import (
    DTYPES,
    Calculation,
    Precision,
    handicap,
    possible_precisions,
    possible_threads,
    set_threads,
    using_threads,
)
from seqgen.protocols import Decoder, DecoderWeights, LayerWeights, Packable
from seqgen.state import Memory, State

Product = Callable[[Tensor], Tensor]  # (batch, features) to (batch, other features)
# (1, batch) tokens or (1, batch, features) of the layer below, hidden and cell state, to the next of both
Layer = Callable[[Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor | None]]

LARGEST_TABLE = 2**22  # numbers of embeddings times input weights; more do not pay for a short text
SMALL_OUTPUT = 1024  # tokens; up to here packing the output layer costs more than it saves
ROWS = 16  # batch size that weights are packed for; with this one, a single row is rounded like one of many


class Packing(NamedTuple):
    """The way in which a decoder is packed.

    `kernel` is "lstm", one call of oneDNN's a layer; "packed", products of oneDNN's with weights in the order in which
    it reads them; or "plain", torch's own products.
    """

    kernel: str
    precision: str
    threads: int

    def __str__(self) -> str:
        return f"{self.kernel} {Calculation(self.precision, self.threads)}"


def packed(decoder: Decoder, precision: Precision = "auto", *, rows: int = 1, memory: Any = None) -> Decoder:
    """Return a decoder with the same logits but faster steps; one that cannot be packed is returned as it is.

    Args:
        decoder: its weights are copied, so that its training may go on; of an ensemble each member is packed.
        precision: of the weights; "auto" takes the one that is faster on this machine for a network of this size and
            this number of rows.
        rows: number of texts that are generated at once.
        memory: with a row for each of them, or with any rows of as many positions; of an ensemble `Memories`.
    """
    if isinstance(decoder, DecoderEnsemble):
        pairs = zip(decoder.members, decoder.memories(memory), strict=True)
        return DecoderEnsemble([packed(member, precision, rows=rows, memory=theirs) for member, theirs in pairs])
    if not isinstance(decoder, Packable) or not callable(decoder.weights):
        return decoder
    weights = decoder.weights()
    if not isinstance(weights, DecoderWeights):
        return decoder
    device = weights.embedding.device
    one_dnn = (["lstm"] if weights.cell == "lstm" else []) + ["packed"] if device.type == "cpu" else []
    # torch's own products round a row by the number of rows beside it: for several they are the last resort.
    for kernels in [[*one_dnn, "plain"]] if rows == 1 else [one_dnn, ["plain"]]:
        ways = [
            Packing(kernel, each, threads)
            for threads in possible_threads(device)
            for each in possible_precisions(precision, device)
            for kernel in kernels
        ]
        with suppress(RuntimeError):
            return _fastest(ways, decoder, weights, rows, memory)
    return decoder


def _fastest(
    ways: list[Packing], decoder: Packable, weights: DecoderWeights, rows: int, memory: Memory | None
) -> "PackedDecoder":
    """Return the decoder packed in the way with the fastest step.

    Raises:
        RuntimeError: the processor supports none.
    """
    device, ready = weights.embedding.device, {}

    def prepare(way: Packing) -> Operation:
        set_threads(way.threads)
        tokens = torch.zeros(rows, dtype=torch.long, device=device)
        beside = None if memory is None else memory.select(tokens)
        ready[way] = steps = PackedDecoder(decoder, weights, way)
        state = steps.start(beside, batch_size=rows)

        def step() -> None:
            set_threads(way.threads)
            steps.step(tokens, state, beside)

        return step

    sizes = " + ".join(str(layer.state.shape[1]) for layer in weights.layers)
    vocab_size, features = weights.output[0].shape
    attends = "without" if weights.attention is None else "with"
    network = f"{weights.cell} {sizes} {attends} attention, {vocab_size} tokens of {features} features"
    question = f"writing up to {1 << (rows - 1).bit_length()} texts at once: {network}"
    candidates = {str(way): partial(prepare, way) for way in ways}
    with torch.inference_mode():
        choice = decide(question, candidates, device, {str(way): handicap(way.threads) for way in ways}).choice
    [way] = [way for way in ways if str(way) == choice]
    return ready.get(way) or PackedDecoder(decoder, weights, way)


def threads_of(decoder: Decoder) -> AbstractContextManager[None]:
    """Return a context with the number of threads with which the steps of a packed decoder are fastest."""
    members = decoder.members if isinstance(decoder, DecoderEnsemble) else [decoder]
    # One number for all members of an ensemble, as each change makes OpenMP start its threads again.
    counts = [member.way.threads for member in members if isinstance(member, PackedDecoder)]
    return using_threads(max(counts)) if counts else nullcontext()


class PackedDecoder:
    """The steps of a recurrent decoder, with packed weights.

    Where an LSTM layer is no single call of oneDNN's, the embeddings are multiplied by the input weights of the first
    layer in advance, and each layer above has one matrix product (a GRU's two). With oneDNN the states of a row are the
    same, bit for bit, whatever the other rows of its batch. In bf16, weights, hidden states and products are rounded to
    8 bits; an LSTM's cell state, sums and the output layer stay in fp32.

    Args:
        decoder: reads the prompts.
        weights: of the decoder.
        way: how its weights are packed.

    Raises:
        RuntimeError: the processor does not support it.
    """

    takes_shared_memory = True

    def __init__(self, decoder: Packable, weights: DecoderWeights, way: Packing):
        self._decoder = decoder
        self.way, self.dtype = way, DTYPES[way.precision]
        self._equation = weights.equation
        self._product = _plain if way.kernel == "plain" else _packed
        self._attention, self._attends_after = weights.attention, weights.attends_after
        self._layers = self._fused(weights) if way.kernel == "lstm" else self._from_products(weights)
        self._project = None if weights.projection is None else _plain(*weights.projection, torch.float32)
        small = way.kernel == "plain" or weights.output[0].shape[0] <= SMALL_OUTPUT
        self._output = (_plain if small else _packed)(*weights.output, torch.float32)

    def start(self, memory: Memory | None = None, *, batch_size: int | None = None) -> State:
        """Return the state before the first token."""
        state: State = self._decoder.start(memory, batch_size=batch_size)
        return state

    def read(self, tokens: Tensor, lengths: Tensor, state: State, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read right-padded prompts in one fused pass of the decoder itself."""
        return self._decoder.read(tokens, lengths, state, memory)

    def step(self, tokens: Tensor, state: State, memory: Memory | SharedMemory | None = None) -> tuple[Tensor, State]:
        """Read (batch,) tokens; return (batch, vocabulary) logits of the next ones and the state."""
        if not tokens.shape[0]:  # for which oneDNN divides by zero, and ends the process
            raise InputError("tokens must be those of at least one row, but there are none")
        x, hidden, cells, attended = tokens.unsqueeze(0), [], [], state.attended
        no_cells = [None] * len(self._layers)
        before = state.h.chunk(len(self._layers)), no_cells if state.c is None else state.c.chunk(len(self._layers))
        for index, (layer, h, c) in enumerate(zip(self._layers, *before, strict=True)):
            x, c = layer(x, h, c)
            hidden.append(x)
            cells += [] if c is None else [c]
            if self._attention is not None and memory is not None and index + 1 == self._attends_after:
                queries = x.transpose(0, 1).float()
                if isinstance(memory, SharedMemory):
                    found, weights = memory.attended(self._attention, queries)
                else:
                    found, weights = self._attention(queries, memory)
                x = torch.cat([x, found.transpose(0, 1).to(x.dtype)], dim=2)
                attended = None if attended is None else attended + weights.mean(dim=1).sum(dim=1)
        after = State(torch.cat(hidden), torch.cat(cells) if cells else None, attended=attended)
        features = _cast(x[0], torch.float32)
        features = features if self._project is None else self._project(features)
        return self._output(features), after

    def _fused(self, weights: DecoderWeights) -> list[Layer]:
        table = weights.embedding.detach().to(self.dtype, copy=True)
        first, *above = (_lstm(layer, self.dtype) for layer in weights.layers)
        return [lambda tokens, h, c: first(functional.embedding(tokens, table), h, c), *above]

    def _from_products(self, weights: DecoderWeights) -> list[Layer]:
        above = self._two_products if weights.cell == "gru" else self._one_product
        return [self._first(weights.embedding, weights.layers[0]), *map(above, weights.layers[1:])]

    def _first(self, embedding: Tensor, weights: LayerWeights) -> Layer:
        recur = self._product(weights.state, weights.state_bias, self.dtype)
        if len(embedding) * len(weights.input) <= LARGEST_TABLE:
            table = functional.linear(embedding, weights.input, weights.input_bias).detach()
            return lambda tokens, h, c: self._equation(functional.embedding(tokens, table), recur(h), h, c)
        table, into = embedding.detach().clone(), self._product(weights.input, weights.input_bias, self.dtype)
        return lambda tokens, h, c: self._equation(into(functional.embedding(tokens, table)).float(), recur(h), h, c)

    def _one_product(self, weights: LayerWeights) -> Layer:
        product = self._product(torch.cat([weights.input, weights.state], dim=1), None, self.dtype)
        bias = (weights.input_bias + weights.state_bias).detach()
        return lambda x, h, c: self._equation(bias, product(torch.cat([x, h], dim=-1)), h, c)

    def _two_products(self, weights: LayerWeights) -> Layer:
        """Return a layer whose products stay apart, because a GRU applies its reset gate to one of them."""
        into = self._product(weights.input, weights.input_bias, self.dtype)
        recur = self._product(weights.state, weights.state_bias, self.dtype)
        return lambda x, h, c: self._equation(into(x).float(), recur(h), h, c)


def _lstm(weights: LayerWeights, dtype: torch.dtype) -> Layer:
    """Return a layer that is one oneDNN call."""
    size = weights.state.shape[1]
    matrices = (matrix.detach().to(dtype) for matrix in (weights.input, weights.state))  # reordering copies them
    biases = [bias.detach().to(dtype, copy=True) for bias in (weights.input_bias, weights.state_bias)]
    packed_weights = torch.ops.mkldnn._reorder_mkldnn_rnn_layer_weight(*matrices, size, False, True, False, None)
    call = torch.ops.aten.mkldnn_rnn_layer.default

    def layer(x: Tensor, h: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
        x, h = _cast(x, dtype), _cast(h, dtype)
        # forward in time, all rows alike; kind 2 is the LSTM, of this size, in 1 layer; with biases; for inference
        _, h, c, _ = call(x, *packed_weights, *biases, h, c, False, [], 2, size, 1, True, False, False, False)
        return h, c

    return layer


def _cast(x: Tensor, dtype: torch.dtype) -> Tensor:
    return x if x.dtype is dtype else x.to(dtype)  # a call that does nothing takes a microsecond, too


def _plain(weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Product:
    weight, bias = weight.detach().to(dtype, copy=True), None if bias is None else bias.detach().to(dtype, copy=True)
    return lambda x: functional.linear(_cast(x, dtype), weight, bias)


def _packed(weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Product:
    bias = None if bias is None else bias.detach().to(dtype, copy=True)
    packed_weights = torch.ops.mkldnn._reorder_linear_weight(weight.detach().to(dtype), ROWS)
    return lambda x: torch.ops.mkldnn._linear_pointwise(_cast(x, dtype), packed_weights, bias, "none", [], "")
