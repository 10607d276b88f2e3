"""The decoder that writes: tokens in, logits of the next tokens out."""

import torch
from torch import Tensor, nn

from seqgen.nn.embedding import ScaledEmbedding
from seqgen.nn.recurrent import Recurrent
from seqgen.state import DecoderWeights, LayerWeights, Memory, State


class RecurrentDecoder(nn.Module):
    """Embedding, recurrent layers, output layer; alone it is a language model.

    Args:
        embedding: (vocabulary, embedding) table.
        recurrent: its input size is the embedding's.
        output: from the hidden size, or what `projection` makes of it, to the vocabulary. Its weights may be the
            embedding's table (Press and Wolf 2017, Using the Output Embedding to Improve Language Models).
        dropout: applied to what the output layer reads; none by default.
        embedding_dropout: applied to the embeddings; none by default.
        projection: from the hidden size to what the output layer reads; none by default.
    """

    def __init__(
        self,
        embedding: nn.Embedding,
        recurrent: Recurrent,
        output: nn.Linear,
        dropout: nn.Module | None = None,
        embedding_dropout: nn.Module | None = None,
        projection: nn.Module | None = None,
    ):
        super().__init__()
        self.embedding = embedding
        self.recurrent = recurrent
        self.output = output
        self.dropout = dropout or nn.Identity()
        self.embedding_dropout = embedding_dropout or nn.Identity()
        self.projection = projection or nn.Identity()

    def start(self, memory: Memory | None = None, *, batch_size: int | None = None) -> State:
        """Return the zero state of `batch_size` rows.

        Raises:
            ValueError: a memory was given, which this decoder cannot read, or no batch size.
        """
        if memory is not None or batch_size is None:
            raise ValueError("this decoder starts from nothing: give batch_size and no memory")
        return self.recurrent.start(batch_size)

    def forward(self, tokens: Tensor, state: State | None = None, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read all positions at once, as in teacher forcing.

        Args:
            tokens: (batch, steps) numbers.
            state: where to start from; zeros by default.
            memory: none; a decoder without attention reads none.

        Returns:
            (batch, steps, vocabulary) logits of each next token, and the state after the last position.
        """
        features, state = self.features(tokens, state, memory)
        return self.output(features), state

    def features(
        self, tokens: Tensor, state: State | None = None, memory: Memory | None = None
    ) -> tuple[Tensor, State]:
        """Return the (batch, steps, features) that the output layer reads, and the state after the last position."""
        hidden, state = self.recurrent(self._embed(tokens), state)
        return self.projection(self.dropout(hidden)), state

    def read(self, tokens: Tensor, lengths: Tensor, state: State, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read right-padded prompts in one fused pass.

        Args:
            tokens: (batch, steps) numbers.
            lengths: (batch,) real tokens of each row, at least 1.
            state: where to start from.
            memory: none.

        Returns:
            (batch, vocabulary) logits and the state after each row's last real token.
        """
        hidden, state = self.recurrent(self._embed(tokens), state, lengths)
        last = hidden[torch.arange(len(lengths), device=hidden.device), lengths - 1]
        return self.output(self.projection(self.dropout(last.unsqueeze(1)))).squeeze(1), state

    def step(self, tokens: Tensor, state: State, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read (batch,) tokens; return (batch, vocabulary) logits of the next ones and the state."""
        hidden, state = self.recurrent.step(self.embedding(tokens), state)
        return self.output(self.projection(hidden)), state

    def weights(self) -> DecoderWeights | None:
        """Return what `step` calculates with, or None where a part is not of the usual kind, or not in fp32."""
        parts = {
            self: (RecurrentDecoder,),
            self.embedding: (nn.Embedding, ScaledEmbedding),
            self.recurrent: (Recurrent,),
            self.projection: (nn.Identity, nn.Linear),
            self.output: (nn.Linear,),
        }
        if any(type(part) not in kinds for part, kinds in parts.items()) or self.output.weight.dtype != torch.float32:
            return None
        # A linear layer after another is one linear layer.
        matrix, bias = self.output.weight, self.output.bias
        if isinstance(self.projection, nn.Linear):
            bias = self.output(self.projection.bias) if self.projection.bias is not None else bias
            matrix = matrix @ self.projection.weight
        table = self.embedding(torch.arange(self.embedding.num_embeddings, device=matrix.device))
        layers = [LayerWeights(*layer.all_weights[0]) for layer in self.recurrent.stack]
        return DecoderWeights(self.recurrent.cell, table, layers, (matrix, bias))

    def _embed(self, tokens: Tensor) -> Tensor:
        # Looked up with time first, the order in memory that the recurrent kernels read.
        embedded: Tensor = self.embedding_dropout(self.embedding(tokens.t()).transpose(0, 1))
        return embedded
