"""The recurrent decoder: tokens in, logits of the next tokens out; alone, or with attention to a memory."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.nn.activations import Activations
from seqgen.nn.attention import Attention
from seqgen.nn.bridge import Bridge
from seqgen.nn.cells import EQUATIONS
from seqgen.nn.dropout import LockedDropout
from seqgen.nn.embedding import ScaledEmbedding
from seqgen.nn.encoders import SequenceEncoder, VectorEncoder
from seqgen.nn.image_encoder import ImageEncoder
from seqgen.nn.recurrent import Recurrent
from seqgen.protocols import DecoderWeights, LayerWeights
from seqgen.state import Memory, State
from seqgen.symbols import PAD

# Applies recurrent layers to (batch, steps, features) and a state: all steps at once, or a single one.
ApplyLayers = Callable[[Recurrent, Tensor, State], tuple[Tensor, State]]


@checked
class RecurrentDecoder(nn.Module):
    """Embedding, recurrent layers, output layer; without a memory it is a language model.

    With a bridge it starts from a memory's summary. Attention is between the recurrent layers: the layers above keep
    past context vectors in their hidden state, and teacher forcing needs no loop over the steps.

    Args:
        embedding: (vocabulary, embedding) table.
        recurrent: its input size is the embedding's; with input feeding, that and the output layer's together.
        output: from features to logits. Its weights may be the embedding's table (Press and Wolf 2017, Using the Output
            Embedding to Improve Language Models).
        dropout: applied to the input of the output layer (or its projection), and of `above`; none by default.
        embedding_dropout: applied to the embeddings; none by default.
        projection: from the last hidden states to the input of the output layer; none by default.
        bridge: from a memory's summary to the initial state of all layers; without one the decoder has no memory.
        attention: its queries are the hidden states of `recurrent`, to which the context vectors are concatenated.
        above: recurrent layers that read both; none by default.
        input_feeding: whether each step also reads the output layer's input of the step before (Luong et al. 2015).
            Training then loops over the steps, which is several times slower.
    """

    def __init__(
        self,
        embedding: nn.Embedding,
        recurrent: Recurrent,
        output: nn.Linear,
        *,
        dropout: nn.Module | None = None,
        embedding_dropout: nn.Module | None = None,
        projection: nn.Module | None = None,
        bridge: nn.Module | None = None,
        attention: Attention | None = None,
        above: Recurrent | None = None,
        input_feeding: bool = False,
    ):
        super().__init__()
        self.embedding = embedding
        self.recurrent = recurrent
        self.output = output
        self.dropout = dropout or nn.Identity()
        self.embedding_dropout = embedding_dropout or nn.Identity()
        self.projection = projection or nn.Identity()
        self.bridge, self.attention, self.above, self.input_feeding = bridge, attention, above, input_feeding

    def start(self, memory: Memory | None = None, *, batch_size: int | None = None) -> State:
        """Return the state before the first token: of the rows of a memory, or the zero state of `batch_size` rows.

        Raises:
            ValueError: a memory for a decoder without a bridge, or none for one with a bridge, or no batch size.
        """
        if self.bridge is not None:
            if memory is None:
                raise ValueError("this decoder starts from a memory: give one")
            state: State = self.bridge(memory.summary)
        elif memory is not None or batch_size is None:
            raise ValueError("this decoder has no bridge: give batch_size and no memory")
        else:
            state = self.recurrent.start(batch_size)
        if not self.input_feeding:
            return state
        return state._replace(feed=state.h.new_zeros(1, state.h.shape[1], self.output.in_features))

    def forward(self, tokens: Tensor, state: State | None = None, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read all steps at once, as in teacher forcing.

        Args:
            tokens: (batch, steps) numbers.
            state: the initial state; that of `start` by default.
            memory: for attention.

        Returns:
            (batch, steps, vocabulary) logits of each next token, and the state after the last step.
        """
        features, state = self.output_features(tokens, state, memory)
        return self.output(features), state

    def output_layer(self) -> nn.Linear | None:
        """Return the layer that maps `output_features` to logits; None where a subclass has its own `forward`."""
        return self.output if type(self).forward is RecurrentDecoder.forward else None

    def output_features(
        self, tokens: Tensor, state: State | None = None, memory: Memory | None = None
    ) -> tuple[Tensor, State]:
        """Return the (batch, steps, features) input of the output layer, and the state after the last step."""
        state = self.start(memory, batch_size=len(tokens)) if state is None else state
        return self._features_of(tokens, state, memory, _all_steps)

    def activations(self, tokens: Tensor, state: State | None = None, memory: Memory | None = None) -> Activations:
        """Return the hidden states, cell states and gates of all recurrent layers, after each token was read.

        Read them in evaluation mode; the arguments are those of `forward`.
        """
        state = self.start(memory, batch_size=len(tokens)) if state is None else state
        found: list[Activations] = []

        def apply(layers: Recurrent, x: Tensor, before: State) -> tuple[Tensor, State]:
            found.append(layers.activations(x, before))
            return found[-1].h[-1], found[-1].last

        self._features_of(tokens, state, memory, apply)
        stacks = 1 if self.above is None else 2  # which take turns where there is input feeding
        return Activations.joined([Activations.joined(found[place::stacks], 2) for place in range(stacks)], 0)

    def _features_of(
        self, tokens: Tensor, state: State, memory: Memory | None, apply: ApplyLayers
    ) -> tuple[Tensor, State]:
        real = tokens != PAD
        if not self.input_feeding:
            return self._features(self._embed(tokens), state, memory, apply, real)
        features = []
        for step, embedded in enumerate(torch.split(self._embed(tokens), 1, dim=1)):
            one, state = self._features(embedded, state, memory, apply, real[:, step : step + 1])
            features.append(one)
        return torch.cat(features, dim=1), state

    def read(self, tokens: Tensor, lengths: Tensor, state: State, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read right-padded prompts in one fused pass.

        Args:
            tokens: (batch, steps) numbers.
            lengths: (batch,) number of real tokens of each row, at least 1.
            state: the initial state.
            memory: for attention.

        Returns:
            (batch, vocabulary) logits and the state after each row's last real token.
        """
        if self.input_feeding:
            return self._read_by_steps(tokens, lengths, state, memory)
        features, state = self.read_features(tokens, lengths, state, memory)
        return self.output(features[torch.arange(features.shape[0], device=features.device), lengths - 1]), state

    def read_features(
        self, tokens: Tensor, lengths: Tensor, state: State, memory: Memory | None = None
    ) -> tuple[Tensor, State]:
        """Return what `output_features` does, and the state after each row's last real token.

        It is for decoders without input feeding; the arguments are those of `read`.
        """
        return self._features(self._embed(tokens), state, memory, lambda layers, x, before: layers(x, before, lengths))

    def _read_by_steps(
        self, tokens: Tensor, lengths: Tensor, state: State, memory: Memory | None
    ) -> tuple[Tensor, State]:
        logits = torch.zeros(len(tokens), self.output.out_features, device=tokens.device)
        for position in range(tokens.shape[1]):
            rows = (lengths > position).nonzero().flatten()
            part = None if memory is None else memory.select(rows)
            step_logits, after = self.step(tokens[rows, position], state.select(rows), part)
            logits, state = logits.index_copy(0, rows, step_logits.float()), state.put(rows, after)
        return logits, state

    def step(self, tokens: Tensor, state: State, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read (batch,) tokens; return (batch, vocabulary) logits of the next ones and the state."""
        features, state = self._features(self.embedding(tokens).unsqueeze(1), state, memory, _one_step)
        return self.output(features.squeeze(1)), state

    def _features(
        self, embedded: Tensor, state: State, memory: Memory | None, apply: ApplyLayers, real: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Return the (batch, steps, features) input of the output layer, and the state after the last step.

        Attention weights are only summed over real steps, by the (batch, steps) mask `real`; by default over all.
        """
        if state.feed is not None:
            embedded = torch.cat([embedded, state.feed.transpose(0, 1)], dim=2)
        below, attended = len(self.recurrent.layers), state.attended
        hidden, after = apply(self.recurrent, embedded, state.layers(0, below))
        if self.attention is not None:
            if memory is None:
                raise ValueError("this decoder has attention: give the memory that it attends to")
            context, weights = self.attention(hidden, memory)
            hidden = torch.cat([hidden, context.to(hidden.dtype)], dim=2)
            if attended is not None:
                means = weights.mean(dim=1)
                attended = attended + (means if real is None else means * real.unsqueeze(2)).sum(dim=1)
        if self.above is not None:
            hidden, upper = apply(self.above, self.dropout(hidden), state.layers(below))
            after = after.below(upper)
        features = self.projection(self.dropout(hidden))
        feed = features[:, -1:].transpose(0, 1).float() if self.input_feeding else None
        return features, after._replace(feed=feed, attended=attended)

    def weights(self) -> DecoderWeights | None:
        """Return the weights of `step`, or None where a part is of an unsupported class or not in fp32."""
        parts = {
            self: (RecurrentDecoder,),
            self.embedding: (nn.Embedding, ScaledEmbedding),
            self.recurrent: (Recurrent,),
            self.projection: (nn.Identity, nn.Linear),
            self.output: (nn.Linear,),
        }
        unsupported = any(type(part) not in kinds for part, kinds in parts.items())
        if unsupported or self.input_feeding or self.output.weight.dtype != torch.float32:
            return None
        output = self.output.weight, self.output.bias
        last = self.projection
        projection = (last.weight, last.bias) if isinstance(last, nn.Linear) else None
        table = self.embedding(torch.arange(self.embedding.num_embeddings, device=self.output.weight.device))
        stack = [*self.recurrent.stack, *(self.above.stack if self.above is not None else ())]
        layers = [LayerWeights(*layer.all_weights[0]) for layer in stack]
        attention = None if self.attention is None else copy.deepcopy(self.attention).eval()
        cell, below = self.recurrent.cell, len(self.recurrent.stack)
        return DecoderWeights(cell, EQUATIONS[cell], table, layers, output, projection, attention, below)

    def _embed(self, tokens: Tensor) -> Tensor:
        # Looked up with time first, the order in memory that the recurrent kernels read.
        embedded: Tensor = self.embedding_dropout(self.embedding(tokens.t()).transpose(0, 1))
        return embedded


def attentive_decoder(
    embedding: nn.Embedding,
    encoder: SequenceEncoder | ImageEncoder | VectorEncoder,
    attention: Attention,
    cell: str,
    hidden_size: int,
    layers: int,
    *,
    dropout: float,
    input_feeding: bool = False,
) -> RecurrentDecoder:
    """Return a decoder that starts from an encoder's summary, with attention above its first layer.

    Raises:
        InputError: a number of layers or a size below 1.
    """
    for name, size in (("layers", layers), ("hidden_size", hidden_size)):
        if size < 1:
            raise InputError(f"{name} must be at least 1, not {size}")
    vocab_size, embedding_size = embedding.weight.shape
    attended_size = hidden_size + encoder.output_size
    above = Recurrent(cell, attended_size, hidden_size, layers - 1, dropout=dropout) if layers > 1 else None
    output = nn.Linear(embedding_size, vocab_size)
    output.weight = embedding.weight
    return RecurrentDecoder(
        embedding,
        Recurrent(cell, embedding_size + (embedding_size if input_feeding else 0), hidden_size),
        output,
        dropout=LockedDropout(dropout),
        embedding_dropout=LockedDropout(dropout),
        projection=nn.Linear(hidden_size if above else attended_size, embedding_size),
        bridge=Bridge(encoder.summary_size, hidden_size, layers, cell),
        attention=attention,
        above=above,
        input_feeding=input_feeding,
    )


def _all_steps(layers: Recurrent, x: Tensor, state: State) -> tuple[Tensor, State]:
    hidden, state = layers(x, state)
    return hidden, state


def _one_step(layers: Recurrent, x: Tensor, state: State) -> tuple[Tensor, State]:
    hidden, state = layers.step(x.squeeze(1), state)
    return hidden.unsqueeze(1), state
