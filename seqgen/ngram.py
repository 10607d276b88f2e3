"""The Markov chain: an n-gram model, the first thing to compare a recurrent network with."""

import math
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.ngram_counts import NGramCounts, begun
from seqgen.settings import unaffected
from seqgen.state import Memory, State
from seqgen.symbols import BOS

UNSEEN = -1  # the node of an unseen context


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
        self.vocab_size, self.ngrams = vocab_size, ngrams
        self.log_probabilities = nn.Parameter(torch.zeros(sum(ngrams)), requires_grad=False)
        # Of each context, what its tokens leave to the context without its first token; the last is that of UNSEEN.
        self.log_weights = nn.Parameter(torch.zeros(sum(ngrams[:-1]) + 2), requires_grad=False)
        self.keys: Tensor
        self.register_buffer("keys", torch.zeros(sum(ngrams), dtype=torch.long))
        self.register_load_state_dict_post_hook(_require_tree)

    @classmethod
    @unaffected
    def fit(
        cls,
        tokens: np.ndarray,
        *,
        vocab_size: int,
        order: int = 5,
        discount: float | None = None,
        valid: np.ndarray | None = None,
    ) -> Self:
        """Return the model of a text, by interpolated modified Kneser-Ney smoothing.

        Args:
            tokens: (length,) numbers of a text without BOS; EOS ends a document, and no n-gram crosses such an end.
            vocab_size: number of tokens.
            order: number of tokens of the longest n-grams; a shorter text has shorter ones.
            discount: subtracted from every count; by default three for each order, estimated of the counts.
            valid: (length,) numbers of another text, to choose the order by: the last, from 1 to `order`, that
                lowers its loss.

        Raises:
            InputError: a number outside its range, or a text without tokens.
        """
        if order < 1:
            raise InputError(f"order must be at least 1, not {order}")
        if discount is not None and not 0 < discount < 1:
            raise InputError(f"discount must be between 0 and 1, not {discount}")
        for name, text in (("tokens", tokens), *((("valid", valid),) if valid is not None else ())):
            _require_tokens(name, text, vocab_size)
        counts = NGramCounts(tokens, vocab_size)
        best, lowest = None, math.inf
        while len(counts.orders) < order and counts.extend():
            if valid is not None:
                model = cls._of(counts, discount)
                loss = -model.score(valid).mean()
                if loss >= lowest:
                    break
                best, lowest = model, loss
        return best or cls._of(counts, discount)

    @classmethod
    def _of(cls, counts: NGramCounts, discount: float | None) -> Self:
        """Return the model with the n-grams of all orders that were counted."""
        probabilities, weights = counts.probabilities(len(counts.orders), discount)
        ngrams = [len(each.keys) for each in counts.orders]
        begins = np.cumsum([0, 1, *ngrams])  # the first node of each order, 0 included
        keys = [each.keys + begin * counts.vocab_size for each, begin in zip(counts.orders, begins, strict=False)]
        model = cls(counts.vocab_size, ngrams)
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

    @unaffected
    def score(self, tokens: np.ndarray) -> np.ndarray:
        """Return the (length,) log-probability of each token of a text, in nats; the text is as in `fit`.

        Raises:
            InputError: a number outside the vocabulary, or a text without tokens.
        """
        _require_tokens("tokens", tokens, self.vocab_size)
        text = torch.from_numpy(begun(tokens)).to(self.keys.device)
        logs = torch.full((len(text) - 1,), -math.log(self.vocab_size), device=text.device)
        for contexts in self._contexts(text[None], self.start(batch_size=1)):
            before = contexts[0, :-1]
            nodes = self._nodes(before, text[1:])
            backed_off = logs + self.log_weights[before]
            logs = torch.where(nodes == UNSEEN, backed_off, self.log_probabilities[nodes - 1])
        found: np.ndarray = logs[text[1:] != BOS].cpu().numpy()
        return found

    def start(self, memory: Memory | None = None, *, batch_size: int | None = None) -> State:
        """Return the state of `batch_size` rows without a token.

        Raises:
            ValueError: a memory, or no batch size.
        """
        if memory is not None or batch_size is None:
            raise ValueError("an n-gram model has no memory: give batch_size alone")
        nodes = self.keys.new_full((self.order, batch_size, 1), UNSEEN)
        nodes[0] = 0
        return State(nodes)

    def step(self, tokens: Tensor, state: State, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read (batch,) tokens; return (batch, vocabulary) log-probabilities of the next ones and the state."""
        logits, state = self(tokens[:, None], state)
        return logits.squeeze(1), state

    def forward(self, tokens: Tensor, state: State | None = None, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read (batch, steps) tokens; return (batch, steps, vocabulary) log-probabilities of the next, and the state."""
        contexts = self._contexts(tokens, self.start(memory, batch_size=len(tokens)) if state is None else state)
        logits = self.log_weights.new_full((1, self.vocab_size), -math.log(self.vocab_size))
        self._interpolate(logits, self.keys.new_zeros(1))
        logits = logits.repeat(tokens.numel(), 1)
        for nodes in contexts[1:]:
            self._interpolate(logits, nodes.flatten())
        last = torch.stack([nodes[:, -1:] for nodes in contexts])
        return logits.view(*tokens.shape, self.vocab_size), State(last)

    def _interpolate(self, logits: Tensor, contexts: Tensor) -> None:
        """Change (rows, vocabulary) log-probabilities, given contexts one token shorter, to those given (rows,) contexts."""
        logits += self.log_weights[contexts, None]
        begins, ends = torch.searchsorted(self.keys, torch.stack([contexts, contexts + 1]) * self.vocab_size)
        counts = ends - begins
        rows = torch.arange(len(contexts), device=counts.device).repeat_interleave(counts)
        places = torch.arange(len(rows), device=counts.device) + (begins - counts.cumsum(0) + counts)[rows]
        logits[rows, self.keys[places] % self.vocab_size] = self.log_probabilities[places]

    def _contexts(self, tokens: Tensor, state: State) -> list[Tensor]:
        """Return the (batch, steps) nodes of the last 0, 1, 2 and so on tokens after each step."""
        contexts = [torch.zeros_like(tokens)]
        for shorter in state.h[:-1]:
            contexts.append(self._nodes(torch.cat([shorter, contexts[-1][:, :-1]], dim=1), tokens))
        return contexts

    def _nodes(self, contexts: Tensor, tokens: Tensor) -> Tensor:
        """Return the nodes of contexts with a token after each."""
        keys = contexts * self.vocab_size + tokens
        places = torch.searchsorted(self.keys, keys).clamp(max=len(self.keys) - 1)
        return torch.where(self.keys[places] == keys, places + 1, UNSEEN)


def _require_tokens(name: str, tokens: np.ndarray, vocab_size: int) -> None:
    if not len(tokens):
        raise InputError(f"{name} must be at least one, but there is none")
    smallest, largest = int(np.min(tokens)), int(np.max(tokens))
    if smallest < 0 or largest >= vocab_size:
        raise InputError(f"{name} must be from 0 to {vocab_size - 1}, not from {smallest} to {largest}")
    if (np.asarray(tokens) == BOS).any():
        raise InputError(f"{name} must be without BOS, {BOS}, which is put where a document begins: leave it out")


def _require_tree(model: NGram, loaded: object) -> None:
    """Raise an InputError where the keys are not those of a tree, so that no search ends outside of it."""
    begins = [0, *np.cumsum([1, *model.ngrams]).tolist()]
    whole = bool((model.keys.diff() > 0).all())
    for order, end in enumerate(begins[2:], start=1):
        contexts = model.keys[[begins[order] - 1, end - 2]] // model.vocab_size
        whole = whole and begins[order - 1] <= contexts[0] and contexts[1] < begins[order]
    if not whole:
        raise InputError("the keys of an n-gram model must be sorted and of contexts that it has, but they are damaged")
