"""A decoder laid out for writing: the same arithmetic as its own steps, in as few and as fast products as can be."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from seqgen.cells import EQUATIONS
from seqgen.state import Decoder, DecoderWeights, LayerWeights, Memory, Packable, State

Precision = Literal["auto", "fp32", "bf16"]
Product = Callable[[Tensor], Tensor]  # (batch, features) to (batch, other features)
# (batch,) tokens or (batch, features) of the layer below, and the hidden state, to what the equations ask for
Layer = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

LARGEST_TABLE = 2**22  # numbers; a larger one would not pay in a short text, so its rows are multiplied when needed
SMALL_OUTPUT = 1024  # tokens: up to here laying the product out costs more than it saves
ROWS = 16  # that the layout is made for; with it, a single row is rounded like one of many


def packed(decoder: Decoder, precision: Precision = "auto") -> Decoder:
    """Return a decoder that writes the same, faster; one that cannot be laid out is returned as it is.

    Args:
        decoder: its weights are copied, so that it may be trained on meanwhile.
        precision: of the weights; "auto" takes bf16 on processors that calculate in it, else fp32.
    """
    if not isinstance(decoder, Packable) or not callable(decoder.weights):
        return decoder
    weights = decoder.weights()
    return PackedDecoder(decoder, weights, precision) if isinstance(weights, DecoderWeights) else decoder


class PackedDecoder:
    """What the steps of a recurrent decoder need, and nothing else.

    The embedding is already multiplied into the gates of the first layer, each layer above it has one product (a
    GRU's two), and oneDNN has the weights in the order in which its products read them; with these products the gates
    of a row are the same bit for bit whatever else is in its batch. In bf16 the products of the recurrent layers are
    rounded to 8 bits, their factors too; the states and the output layer stay in fp32.

    Args:
        decoder: reads the prompts.
        weights: of the decoder.
        precision: "fp32", "bf16" or "auto".
    """

    def __init__(self, decoder: Packable, weights: DecoderWeights, precision: Precision):
        self._decoder = decoder
        self.dtype = _dtype(precision, weights.embedding.device)
        self._equation = EQUATIONS[weights.cell]
        above = self._apart if weights.cell == "gru" else self._joined
        self._layers = [self._first(weights.embedding, weights.layers[0]), *map(above, weights.layers[1:])]
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
        x, hidden, cells = tokens, [], []
        for index, layer in enumerate(self._layers):
            h, c = state.h[index], None if state.c is None else state.c[index]
            x, c = self._equation(*layer(x, h), h, c)
            hidden.append(x)
            cells += [] if c is None else [c]
        return self._output(x), State(torch.stack(hidden), torch.stack(cells) if cells else None)

    def _first(self, embedding: Tensor, weights: LayerWeights) -> Layer:
        recur = _product(weights.state, weights.state_bias, self.dtype)
        if len(embedding) * len(weights.input) <= LARGEST_TABLE:
            table = functional.linear(embedding, weights.input, weights.input_bias).detach()
            return lambda tokens, h: (functional.embedding(tokens, table), recur(h))
        table, into = embedding.detach().clone(), _product(weights.input, weights.input_bias, self.dtype)
        return lambda tokens, h: (into(functional.embedding(tokens, table)).float(), recur(h))

    def _joined(self, weights: LayerWeights) -> Layer:
        product = _product(torch.cat([weights.input, weights.state], dim=1), None, self.dtype)
        bias = (weights.input_bias + weights.state_bias).detach()
        return lambda x, h: (bias, product(torch.cat([x, h], dim=1)))

    def _apart(self, weights: LayerWeights) -> Layer:
        """The reset gate of a GRU stands between the two products, so that they cannot be joined."""
        into = _product(weights.input, weights.input_bias, self.dtype)
        recur = _product(weights.state, weights.state_bias, self.dtype)
        return lambda x, h: (into(x).float(), recur(h))


def _dtype(precision: Precision, device: torch.device) -> torch.dtype:
    has_bf16 = device.type == "cpu" and any(
        "bf16" in name and has for name, has in torch.cpu.get_capabilities().items()
    )
    return torch.bfloat16 if precision == "bf16" or (precision == "auto" and has_bf16) else torch.float32


def _plain(weight: Tensor, bias: Tensor | None) -> Product:
    weight, bias = weight.detach().clone(), None if bias is None else bias.detach().clone()
    return lambda x: functional.linear(x, weight, bias)


def _product(weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Product:
    weight, bias = weight.detach().to(dtype, copy=True), None if bias is None else bias.detach().to(dtype, copy=True)
    try:
        laid_out = torch.ops.mkldnn._reorder_linear_weight(weight, ROWS)
    except (AttributeError, NotImplementedError, RuntimeError):  # another device, or a processor without oneDNN
        return lambda x: functional.linear(x.to(dtype), weight, bias)
    return lambda x: torch.ops.mkldnn._linear_pointwise(x.to(dtype), laid_out, bias, "none", [], "")
