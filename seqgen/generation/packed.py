"""A decoder packed for generation: the arithmetic of its steps in fewer and faster matrix products."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from seqgen.devices import calculates_in_bf16
from seqgen.protocols import Decoder, DecoderWeights, LayerWeights, Packable
from seqgen.state import Memory, State

Precision = Literal["auto", "fp32", "bf16"]
Product = Callable[[Tensor], Tensor]  # (batch, features) to (batch, other features)
# (1, batch) tokens or (1, batch, features) of the layer below, hidden and cell state, to the next of both
Layer = Callable[[Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor | None]]

LARGEST_TABLE = 2**22  # numbers of embeddings times input weights; more do not pay for a short text
SMALL_OUTPUT = 1024  # tokens; up to here packing the output layer costs more than it saves
ROWS = 16  # batch size that weights are packed for; with this one, a single row is rounded like one of many


def packed(decoder: Decoder, precision: Precision = "auto") -> Decoder:
    """Return a decoder with the same logits but faster steps; one that cannot be packed is returned as it is.

    Args:
        decoder: its weights are copied, so that its training may go on.
        precision: of the weights; "auto" takes bf16 on processors that calculate in it, else fp32.
    """
    if not isinstance(decoder, Packable) or not callable(decoder.weights):
        return decoder
    weights = decoder.weights()
    return PackedDecoder(decoder, weights, precision) if isinstance(weights, DecoderWeights) else decoder


class PackedDecoder:
    """The steps of a recurrent decoder, with packed weights.

    An LSTM layer is one call of oneDNN's, with the weights in the order in which it reads them. For other cells and
    devices the embeddings are multiplied by the input weights of the first layer in advance, and each layer above has
    one matrix product (a GRU's two) with packed weights. With oneDNN the states of a row are the same, bit for bit,
    whatever the other rows of its batch. In bf16, weights, hidden states and products are rounded to 8 bits; an LSTM's
    cell state, sums and the output layer stay in fp32.

    Args:
        decoder: reads the prompts.
        weights: of the decoder.
        precision: "fp32", "bf16" or "auto".
    """

    def __init__(self, decoder: Packable, weights: DecoderWeights, precision: Precision):
        self._decoder = decoder
        self.dtype = _dtype(precision, weights.embedding.device)
        self._equation = weights.equation
        self._attention, self._attends_after = weights.attention, weights.attends_after
        self._layers = self._fused(weights) or self._from_products(weights)
        self._project = None if weights.projection is None else _plain(*weights.projection)
        small = weights.output[0].shape[0] <= SMALL_OUTPUT
        self._output = _plain(*weights.output) if small else _product(*weights.output, torch.float32)

    def start(self, memory: Memory | None = None, *, batch_size: int | None = None) -> State:
        """Return the state before the first token."""
        return self._decoder.start(memory, batch_size=batch_size)

    def read(self, tokens: Tensor, lengths: Tensor, state: State, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read right-padded prompts in one fused pass of the decoder itself."""
        return self._decoder.read(tokens, lengths, state, memory)

    def step(self, tokens: Tensor, state: State, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read (batch,) tokens; return (batch, vocabulary) logits of the next ones and the state."""
        x, hidden, cells, attended = tokens.unsqueeze(0), [], [], state.attended
        for index, layer in enumerate(self._layers):
            h, c = state.h[index : index + 1], None if state.c is None else state.c[index : index + 1]
            x, c = layer(x, h, c)
            hidden.append(x)
            cells += [] if c is None else [c]
            if self._attention is not None and memory is not None and index + 1 == self._attends_after:
                found, weights = self._attention(x.transpose(0, 1).float(), memory)
                x = torch.cat([x, found.transpose(0, 1).to(x.dtype)], dim=2)
                attended = None if attended is None else attended + weights.mean(dim=1).sum(dim=1)
        after = State(torch.cat(hidden), torch.cat(cells) if cells else None, attended=attended)
        features = x[0].float() if self._project is None else self._project(x[0].float())
        return self._output(features), after

    def _fused(self, weights: DecoderWeights) -> list[Layer] | None:
        """Return the layers as calls of oneDNN's LSTM, or None where it does not support them."""
        if weights.cell != "lstm":
            return None
        table = weights.embedding.detach().to(self.dtype, copy=True)
        try:
            first, *above = (_lstm(layer, self.dtype) for layer in weights.layers)
        except (AttributeError, NotImplementedError, RuntimeError):  # another device, or a processor without it
            return None
        return [lambda tokens, h, c: first(functional.embedding(tokens, table), h, c), *above]

    def _from_products(self, weights: DecoderWeights) -> list[Layer]:
        above = self._two_products if weights.cell == "gru" else self._one_product
        return [self._first(weights.embedding, weights.layers[0]), *map(above, weights.layers[1:])]

    def _first(self, embedding: Tensor, weights: LayerWeights) -> Layer:
        recur = _product(weights.state, weights.state_bias, self.dtype)
        if len(embedding) * len(weights.input) <= LARGEST_TABLE:
            table = functional.linear(embedding, weights.input, weights.input_bias).detach()
            return lambda tokens, h, c: self._equation(functional.embedding(tokens, table), recur(h), h, c)
        table, into = embedding.detach().clone(), _product(weights.input, weights.input_bias, self.dtype)
        return lambda tokens, h, c: self._equation(into(functional.embedding(tokens, table)).float(), recur(h), h, c)

    def _one_product(self, weights: LayerWeights) -> Layer:
        product = _product(torch.cat([weights.input, weights.state], dim=1), None, self.dtype)
        bias = (weights.input_bias + weights.state_bias).detach()
        return lambda x, h, c: self._equation(bias, product(torch.cat([x, h], dim=-1)), h, c)

    def _two_products(self, weights: LayerWeights) -> Layer:
        """Return a layer whose products stay apart, because a GRU applies its reset gate to one of them."""
        into = _product(weights.input, weights.input_bias, self.dtype)
        recur = _product(weights.state, weights.state_bias, self.dtype)
        return lambda x, h, c: self._equation(into(x).float(), recur(h), h, c)


def _lstm(weights: LayerWeights, dtype: torch.dtype) -> Layer:
    """Return a layer that is one oneDNN call; it is tried once, with a RuntimeError where it is not supported."""
    size = weights.state.shape[1]
    matrices = (matrix.detach().to(dtype, copy=True) for matrix in (weights.input, weights.state))
    biases = [bias.detach().to(dtype, copy=True) for bias in (weights.input_bias, weights.state_bias)]
    packed_weights = torch.ops.mkldnn._reorder_mkldnn_rnn_layer_weight(*matrices, size, False, True, False, None)
    call = torch.ops.aten.mkldnn_rnn_layer.default

    def layer(x: Tensor, h: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
        x, h = x.to(dtype), h.to(dtype)
        # forward in time, all rows alike; kind 2 is the LSTM, of this size, in 1 layer; with biases; for inference
        _, h, c, _ = call(x, *packed_weights, *biases, h, c, False, [], 2, size, 1, True, False, False, False)
        return h, c

    with torch.inference_mode():
        zeros = torch.zeros(1, 1, size)
        layer(torch.zeros(1, 1, weights.input.shape[1]), zeros, zeros)
    return layer


def _dtype(precision: Precision, device: torch.device) -> torch.dtype:
    fast = device.type == "cpu" and calculates_in_bf16(device)
    return torch.bfloat16 if precision == "bf16" or (precision == "auto" and fast) else torch.float32


def _plain(weight: Tensor, bias: Tensor | None) -> Product:
    weight, bias = weight.detach().clone(), None if bias is None else bias.detach().clone()
    return lambda x: functional.linear(x, weight, bias)


def _product(weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Product:
    weight, bias = weight.detach().to(dtype, copy=True), None if bias is None else bias.detach().to(dtype, copy=True)
    try:
        packed_weights = torch.ops.mkldnn._reorder_linear_weight(weight, ROWS)
    except (AttributeError, NotImplementedError, RuntimeError):  # another device, or a processor without oneDNN
        return lambda x: functional.linear(x.to(dtype), weight, bias)
    return lambda x: torch.ops.mkldnn._linear_pointwise(x.to(dtype), packed_weights, bias, "none", [], "")
