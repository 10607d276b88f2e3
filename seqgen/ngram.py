"""The Markov chain: an n-gram model, the first thing to compare a recurrent network with."""

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.hardware.memory import FLOAT, require_memory
from seqgen.ngram_counts import NGramCounts, begun, token_numbers
from seqgen.settings import unaffected
from seqgen.state import Memory, State
from seqgen.symbols import BOS, SYMBOLS

UNSEEN = -1  # the node of an unseen context
LEAST = 0.001  # fraction of the loss that one more token of context must be worth


@checked
class NGram(nn.Module):
    """An n-gram model of tokens: the probability of a token given the `order` - 1 tokens before it.

    A decoder like any other; `fit` estimates it of a text, by counting:

        tokenizer = seqgen.CharacterTokenizer.fit([text])
        model = seqgen.NGram.fit(tokenizer.encode(text), vocab_size=tokenizer.vocab_size, order=5)
        print(seqgen.Generator.of(model, tokenizer=tokenizer).generate("The ")[0])

    It is a tree of the n-grams that the text has, sorted: node 0 is the empty one, and node i + 1 has the key i, the
    node of its context times `vocab_size` plus its last token. What a state has of its text is the nodes of its last 0,
    1, 2 and so on tokens.

    Args:
        vocab_size: number of tokens.
        ngrams: number of different n-grams of each order.
    """

    def __init__(self, vocab_size: int, ngrams: list[int]):
        super().__init__()
        if not ngrams or min(ngrams) < 1:
            raise InputError(f"ngrams must be a number of at least 1 for each order, not {ngrams}")
        _require_numbered(vocab_size, sum(ngrams))
        require_memory(4 * FLOAT * sum(ngrams), f"a tree of {sum(ngrams):,} n-grams")
        self.vocab_size, self.ngrams = vocab_size, ngrams
        self.log_probabilities = nn.Parameter(torch.zeros(sum(ngrams)), requires_grad=False)
        # Of each context, what its tokens leave to the context without its first token; the last is that of UNSEEN.
        self.log_weights = nn.Parameter(torch.zeros(sum(ngrams[:-1]) + 2), requires_grad=False)
        self.keys: Tensor
        self.register_buffer("keys", torch.zeros(sum(ngrams), dtype=torch.long))
        self.register_load_state_dict_post_hook(_require_tree)  # type: ignore[no-untyped-call]

    @classmethod
    @checked
    @unaffected
    def fit(
        cls,
        tokens: np.ndarray | Sequence[int],
        *,
        vocab_size: int,
        order: int = 5,
        discount: float | None = None,
        valid: np.ndarray | Sequence[int] | None = None,
    ) -> Self:
        """Return the model of a text, by interpolated modified Kneser-Ney smoothing.

        Args:
            tokens: (length,) numbers of a text; EOS ends a document, and no n-gram crosses such an end.
            vocab_size: number of tokens.
            order: number of tokens of the longest n-grams; a shorter text has shorter ones.
            discount: subtracted from every count; by default three for each order, estimated of the counts.
            valid: (length,) numbers of another text, to choose the order by: the last, from 1 to `order`, that
                lowers its loss by a thousandth.

        Raises:
            InputError: a number outside its range, or a text without tokens.
        """
        if order < 1:
            raise InputError(f"order must be at least 1, not {order}")
        if discount is not None and not 0 < discount < 1:
            raise InputError(f"discount must be between 0 and 1, not {discount}")
        _require_numbered(vocab_size, order * len(tokens))
        valid = None if valid is None else token_numbers("valid", valid, vocab_size)
        counts = NGramCounts(token_numbers("tokens", tokens, vocab_size), vocab_size)
        best, lowest = None, math.inf
        while len(counts.orders) < order and counts.extend():
            if valid is not None:
                model = cls._of(counts, discount)
                loss = -model.score(valid).mean()
                if loss > (1 - LEAST) * lowest:
                    break
                best, lowest = model, loss
        return best or cls._of(counts, discount)

    @classmethod
    def _of(cls, counts: NGramCounts, discount: float | None) -> Self:
        """Return the model with the n-grams of all orders that were counted."""
        probabilities, weights = counts.probabilities(discount)
        ngrams = [len(each.keys) for each in counts.orders]
        model = cls(counts.vocab_size, ngrams)
        begins = np.cumsum([0, 1, *ngrams])  # the first node of each order, 0 included
        keys = [each.keys + begin * counts.vocab_size for each, begin in zip(counts.orders, begins, strict=False)]
        model.keys.copy_(torch.from_numpy(np.concatenate(keys)))
        model.log_probabilities.copy_(torch.from_numpy(np.log(np.concatenate(probabilities[1:]))))
        model.log_weights[:-1].copy_(torch.from_numpy(np.log(np.concatenate(weights))))
        return model.eval()

    @property
    def order(self) -> int:
        """The number of tokens of the longest n-grams."""
        return len(self.ngrams)

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments that this model is built with before its weights are loaded."""
        return {"vocab_size": self.vocab_size, "ngrams": self.ngrams}

    @checked
    @unaffected
    def score(self, tokens: np.ndarray | Sequence[int]) -> np.ndarray:
        """Return the (length,) log-probabilities of the tokens of a text but for BOS, in nats; the text is as in `fit`.

        Raises:
            InputError: a number outside the vocabulary, or a text without tokens.
        """
        text = torch.from_numpy(begun(token_numbers("tokens", tokens, self.vocab_size))).to(self.keys.device)
        logs, _ = self.target_scores(text[None, :-1], text[None, 1:])
        found: np.ndarray = logs[0, text[1:] != BOS].cpu().numpy()
        return found

    def target_scores(self, tokens: Tensor, targets: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Read (batch, steps) tokens; return (batch, steps) log-probabilities of the targets after each and the state.

        Each target but the last of a row is the next token, or is nothing to be scored, such as PAD.
        """
        state = self.start(batch_size=len(tokens)) if state is None else state
        text, before = torch.cat([tokens, targets[:, -1:]], dim=1), self._empty(self.order + 1, len(tokens))
        before[:-1] = state.h
        nodes = self._contexts(text, before)
        logs = torch.full(tokens.shape, -math.log(self.vocab_size), device=text.device)
        for contexts, longer in zip(nodes[:-1, :, :-1], nodes[1:, :, 1:], strict=True):
            backed_off = logs + self.log_weights[contexts]
            logs = torch.where(longer == UNSEEN, backed_off, self.log_probabilities[longer - 1])
        return logs, State(nodes[:-1, :, -2:-1])

    def start(self, memory: Memory | None = None, *, batch_size: int | None = None) -> State:
        """Return the state of `batch_size` rows without a token.

        Raises:
            ValueError: a memory, or no batch size.
        """
        if memory is not None or batch_size is None:
            raise ValueError("an n-gram model has no memory: give batch_size alone")
        return State(self._empty(self.order, batch_size))

    def step(self, tokens: Tensor, state: State, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read (batch,) tokens; return (batch, vocabulary) log-probabilities of the next ones and the state."""
        longer = self._nodes(state.h[:-1], tokens[:, None])
        after = State(torch.cat([torch.zeros_like(state.h[:1]), longer]))
        return self._logits(after.h.squeeze(2)), after

    def forward(self, tokens: Tensor, state: State | None = None, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read (batch, steps) tokens; return (batch, steps, vocabulary) log-probabilities and the state."""
        state = self.start(memory, batch_size=len(tokens)) if state is None else state
        contexts = self._contexts(tokens, state.h)
        logits = self._logits(contexts.flatten(1)).view(*tokens.shape, self.vocab_size)
        return logits, State(contexts[:, :, -1:])

    def _logits(self, contexts: Tensor) -> Tensor:
        """Return the (rows, vocabulary) log-probabilities of the tokens after (order, rows) nodes of contexts."""
        unigrams = self.log_weights[0] - math.log(self.vocab_size)
        unigrams = unigrams.repeat(self.vocab_size)
        unigrams[self.keys[: self.ngrams[0]]] = self.log_probabilities[: self.ngrams[0]]
        contexts = contexts[1:]
        weights = self.log_weights[contexts]
        # Of each context and those that are longer; a token that follows none has all of them.
        sums = weights.flip(0).cumsum(0).flip(0)
        logits = unigrams + weights.sum(0)[:, None]
        begins, ends = torch.searchsorted(self.keys, torch.stack([contexts, contexts + 1]).flatten(1) * self.vocab_size)
        counts = ends - begins
        seen = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
        places = torch.arange(len(seen), device=counts.device) + (begins - counts.cumsum(0) + counts)[seen]
        tokens = seen % contexts.shape[1] * self.vocab_size + self.keys[places] % self.vocab_size
        found = self.log_probabilities[places] + (sums - weights).flatten()[seen]
        # Of all contexts that a token follows the longest counts, which makes it the most probable.
        return logits.view(-1).scatter_reduce_(0, tokens, found, "amax").view_as(logits)

    def _empty(self, orders: int, batch_size: int) -> Tensor:
        """Return the (orders, batch, 1) nodes before the first token."""
        nodes = self.keys.new_full((orders, batch_size, 1), UNSEEN)
        nodes[0] = 0
        return nodes

    def _contexts(self, tokens: Tensor, before: Tensor) -> Tensor:
        """Return the (orders, batch, steps) nodes of the last 0, 1, 2 and so on tokens after each step."""
        contexts = [torch.zeros_like(tokens)]
        for shorter in before[:-1]:
            contexts.append(self._nodes(torch.cat([shorter, contexts[-1][:, :-1]], dim=1), tokens))
        return torch.stack(contexts)

    def _nodes(self, contexts: Tensor, tokens: Tensor) -> Tensor:
        """Return the nodes of contexts with a token after each."""
        keys = contexts * self.vocab_size + tokens
        places = torch.searchsorted(self.keys, keys).clamp(max=len(self.keys) - 1)
        return torch.where(self.keys[places] == keys, places + 1, UNSEEN)


def _require_numbered(vocab_size: int, ngrams: int) -> None:
    if vocab_size < len(SYMBOLS) or vocab_size * (ngrams + 1) >= 1 << 63:  # as many as there are keys
        raise InputError(
            f"vocab_size must be from {len(SYMBOLS)} to 2^63 by the number of n-grams, {ngrams:,}, not {vocab_size:,}"
        )


def _require_tree(model: NGram, loaded: object) -> None:
    """Raise an InputError where the keys are not those of a tree, so that no search ends outside of it."""
    begins = [0, *np.cumsum([1, *model.ngrams]).tolist()]
    whole = bool((model.keys.diff() > 0).all())
    for order, end in enumerate(begins[2:], start=1):
        contexts = model.keys[[begins[order] - 1, end - 2]] // model.vocab_size
        whole = whole and begins[order - 1] <= contexts[0] and contexts[1] < begins[order]
    if not whole:
        raise InputError("the keys of an n-gram model must be sorted and of contexts that it has, but they are damaged")
