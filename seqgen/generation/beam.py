"""Beam search for the most probable texts, of many rows at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqgen.arguments import checked
from seqgen.generation.config import GenerationConfig
from seqgen.generation.constraints import ABSENT, Constraints, Word
from seqgen.generation.history import NEVER, followers
from seqgen.generation.hypothesis import Finished, Hypothesis
from seqgen.generation.logits import left_padded, processed, processor, require_finite
from seqgen.generation.logits_processor import LogitsProcessor
from seqgen.generation.packed import packed, threads_of
from seqgen.generation.sampling import read_prompts, require_begun
from seqgen.generation.shared_memory import SharedMemory
from seqgen.protocols import Decoder
from seqgen.settings import unaffected
from seqgen.state import AnyMemory, AnyState
from seqgen.symbols import EOS

BLOCK = 64  # logits


@checked
@unaffected
@torch.inference_mode()
def beam_search(
    decoder: Decoder,
    prompts: list[list[int]],
    config: GenerationConfig,
    *,
    memory: AnyMemory | None = None,
    words: Sequence[Word] = (),
    logits_processor: Sequence[LogitsProcessor] = (),
    device: torch.device | str = "cpu",
) -> list[list[Hypothesis]]:
    """Return the `num_return_sequences` best hypotheses of each row, the best first; the last is repeated if need be.

    A finished hypothesis keeps its place in the beam, so that one beam is greedy search. A row stops when all its
    hypotheses are finished, or no unfinished one can overtake those to be returned. Rows are independent of each other.
    Groups of beams are those of Vijayakumar et al. 2018, Diverse Beam Search.

    Args:
        decoder: any object with `start` and `step`; its `read` is used where it has one.
        prompts: token numbers of each row, at least BOS, with which its hypotheses begin; at least one row.
        config: the options; `force_words` are left to the caller, who gives the words.
        memory: memory to attend to, with a row for each prompt.
        words: those that every text must have, each as its spellings, any of which is enough: lists of tokens, of which
            one that begins with BOS is only found at the beginning of a text.
        logits_processor: processors of one's own, called in their order after the options.
        device: of the decoder.

    Raises:
        NonFiniteLogits: logits that are not finite.
        InputError: a processor returns something else than scores, or no text with all words was found.
    """
    require_begun(prompts, memory)
    decoder = packed(decoder, config.precision, rows=len(prompts) * config.num_beams, memory=memory)
    with threads_of(decoder):
        state = decoder.start(memory, batch_size=len(prompts))
        if config.coverage_penalty and memory is not None:
            state = state.watching(memory)
        logits, state = read_prompts(decoder, prompts, memory, device, state)
        constraints = Constraints(words, prompts, config.num_beams, logits.shape[1]) if words else None
        search = _Search(prompts, config, constraints, logits_processor, device)
        first = search.live // config.num_beams
        logits, state = logits[first], state.select(first)
        while True:
            chosen = search.advance(logits, state, memory)
            if chosen is None:
                return search.found.best()
            tokens, parents, kept_rows = chosen
            memory = memory if memory is None or kept_rows is None else memory.select(kept_rows)
            logits, state = search.step(decoder, tokens, state.select(parents), memory)


def largest(x: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the (rows, count) largest numbers of each row of (rows, columns), in order, and their columns.

    Only the blocks with the largest maxima are searched, which takes half as long as searching all of them.
    """
    rows, columns = x.shape
    blocks = columns // BLOCK
    if blocks <= 2 * count:
        return x.topk(count, dim=1)
    blocked = x[:, : blocks * BLOCK].view(rows, blocks, BLOCK)
    chosen = blocked.amax(dim=2).topk(count, dim=1).indices
    candidates = blocked.gather(1, chosen.unsqueeze(2).expand(-1, -1, BLOCK)).flatten(1)
    places = (chosen.unsqueeze(2) * BLOCK + torch.arange(BLOCK, device=x.device)).flatten(1)
    rest = torch.arange(blocks * BLOCK, columns, device=x.device).expand(rows, -1)
    candidates, places = torch.cat([candidates, x[:, blocks * BLOCK :]], 1), torch.cat([places, rest], 1)
    best, found = candidates.topk(count, dim=1)
    return best, places.gather(1, found)


@dataclass
class _History:
    """The tokens of all beams so far, as `processor` takes them."""

    tokens: Tensor  # (beams, steps), -1 before shorter prompts
    vocab_size: int
    ngram: int
    written: int = 0

    @property
    def used(self) -> Tensor:
        """Return the (beams, vocabulary) mask of tokens that each beam already has."""
        used = torch.zeros(len(self.tokens), self.vocab_size + 1, dtype=torch.bool, device=self.tokens.device)
        return used.scatter(1, self.tokens % (self.vocab_size + 1), True)[:, :-1]

    def forbidden(self, beam: int) -> list[int]:
        """Return the tokens that would repeat an n-gram of the beam."""
        return followers(self.tokens[beam].tolist(), self.ngram)


class _Search:
    """The beams of all unfinished rows, and the finished hypotheses of all rows.

    Each row has `num_beams` places. Unfinished beams are at the `live` places and have finite scores; the other places
    belong to finished hypotheses, or are not used yet, and nothing is calculated for them.
    """

    def __init__(
        self,
        prompts: list[list[int]],
        config: GenerationConfig,
        constraints: Constraints | None,
        processors: Sequence[LogitsProcessor],
        device: torch.device | str,
    ):
        self.config, self.constraints, self.processors = config, constraints, processors
        self.beams, self.groups = config.num_beams, config.num_beam_groups
        self.found = Finished(len(prompts), config)
        self.rows = list(range(len(prompts)))  # that are unfinished
        self.tokens = left_padded(prompts, device).repeat_interleave(self.beams, dim=0)
        self.prompt_length, self.length = self.tokens.shape[1], 0
        # All beams of a group begin with the same prompt, so only one of them is used in the first step.
        self.scores = torch.full((len(prompts), self.groups, self.beams // self.groups), NEVER, device=device)
        self.scores[:, :, 0] = 0
        self.ended = torch.zeros(len(prompts), self.groups, dtype=torch.long, device=device)
        self.live = self._live()

    def _live(self) -> Tensor:
        return (self.scores.flatten() > NEVER).nonzero().flatten()

    def step(
        self, decoder: Decoder, tokens: Tensor, state: AnyState, memory: AnyMemory | None
    ) -> tuple[Tensor, AnyState]:
        """Make a step of the (n,) unfinished beams, with a memory that has a row for each text."""
        if memory is None:
            return decoder.step(tokens, state)
        return decoder.step(tokens, state, SharedMemory(memory, self.live, self.beams).given_to(decoder))

    def advance(
        self, logits: Tensor, state: AnyState, memory: AnyMemory | None
    ) -> tuple[Tensor, Tensor, Tensor | None] | None:
        """Choose the next token of each unfinished beam.

        Args:
            logits: (n, vocabulary), of the unfinished beams.
            state: of the unfinished beams.
            memory: with a row for each unfinished text.

        Returns:
            The (m,) tokens of the beams that are now unfinished, which of the n each of them continues, and the
            remaining rows where rows were dropped; or None at the end.
        """
        best, found = self._candidates(logits)
        tokens, parents, scores = self._choose(best, found, logits.shape[1])
        index = torch.zeros_like(tokens).index_copy(0, self.live, torch.arange(len(self.live), device=tokens.device))
        self.length += 1
        self.tokens = torch.cat([self.tokens[parents], tokens.unsqueeze(1)], dim=1)
        finished = tokens.view(scores.shape) == EOS
        if self.length >= self.config.max_new_tokens:
            finished = torch.ones_like(finished)
        if self.constraints:
            self.constraints.advance(tokens.cpu().numpy(), parents.cpu().numpy())
            finished &= torch.from_numpy(self.constraints.satisfied).to(finished.device).view(scores.shape)
        finished &= scores > NEVER
        self._finish(finished, scores, state, memory, index[parents])
        self.ended += finished.sum(dim=2)
        self.scores = scores.masked_fill(finished, NEVER)
        best_unfinished = self.scores.amax(dim=(1, 2)).tolist()
        kept = [
            row
            for row, best in enumerate(best_unfinished)
            if not self.found.complete(self.rows[row], best, self.length)
        ]
        if not kept or self.length >= self.config.max_new_tokens:
            return None
        kept_rows, before = None, index[parents]
        if len(kept) < len(self.rows):
            kept_rows = torch.tensor(kept, device=logits.device)
            before = before.view(len(self.rows), -1)[kept_rows].flatten()
            self._drop(kept_rows)
        self.live = self._live()
        return self.tokens[self.live, -1], before[self.live], kept_rows

    def _candidates(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Return the (places, candidates) log-probabilities of each beam's most probable tokens, and the tokens."""
        require_finite(logits)
        history = _History(self.tokens[self.live], logits.shape[1], self.config.no_repeat_ngram_size, self.length)
        logits = processor(self.config, history, logits.device)(logits, list(range(len(logits))))
        logits = processed(self.processors, history.tokens, logits)
        # No beam can have more continuations than there are beams, whatever the other groups chose, and EOS.
        best, found = largest(logits, min(self.beams + bool(self.constraints), logits.shape[1]))
        excluded = best[:, 0] == NEVER  # every token, so that the beam ends
        normalizer = logits.logsumexp(dim=1, keepdim=True)
        best = (best - normalizer).masked_fill(excluded.unsqueeze(1), NEVER)
        best[:, 0].masked_fill_(excluded, 0.0)
        found[:, 0].masked_fill_(excluded, EOS)
        if self.constraints:
            tokens = self.constraints.needed(self.live.cpu().numpy(), found.cpu().numpy())
            needed = torch.from_numpy(tokens).to(found.device)
            logs = (logits.gather(1, needed.clamp(min=0)) - normalizer).masked_fill(needed == ABSENT, NEVER)
            best, found = torch.cat([best, logs], dim=1), torch.cat([found, needed.clamp(min=0)], dim=1)
        if len(best) == len(self.tokens):
            return best, found
        places = len(self.tokens), best.shape[1]
        everywhere = best.new_full(places, NEVER).index_copy(0, self.live, best)
        return everywhere, found.new_zeros(places).index_copy(0, self.live, found)

    def _choose(self, best: Tensor, found: Tensor, vocab_size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return (beams,) tokens, the beams that they continue, and (rows, groups, beams of a group) scores.

        Args:
            best: (beams, candidates) log-probabilities of the most probable tokens of each beam.
            found: (beams, candidates) these tokens.
            vocab_size: number of tokens.
        """
        rows, groups, size = self.scores.shape
        each = best.shape[1]
        totals = (self.scores.unsqueeze(3) + best.view(rows, groups, size, each)).flatten(2)
        words = found.view(rows, groups, size * each)
        taken = torch.zeros(rows, vocab_size, device=totals.device)
        first = torch.arange(rows, device=totals.device).unsqueeze(1) * groups * size
        places = torch.arange(size, device=totals.device)
        tokens, parents, scores = [], [], []
        for group in range(groups):
            ranked = totals[:, group] - self.config.diversity_penalty * taken.gather(1, words[:, group])
            if self.constraints:
                left = self.config.max_new_tokens - self.length - 1
                order = self.constraints.ranked(totals[:, group].cpu().numpy(), words[:, group].cpu().numpy(), left)
                ranked = torch.from_numpy(order).to(totals.device)
                totals[:, group].masked_fill_(ranked == NEVER, NEVER)
            chosen = ranked.topk(size, dim=1).indices
            room = places < size - self.ended[:, group : group + 1]
            score = totals[:, group].gather(1, chosen).masked_fill(~room, NEVER)
            token = words[:, group].gather(1, chosen)
            taken.scatter_add_(1, token, (score > NEVER).float())
            tokens.append(token)
            parents.append(first + group * size + chosen // each)
            scores.append(score)
        return torch.cat(tokens, 1).flatten(), torch.cat(parents, 1).flatten(), torch.stack(scores, dim=1)

    def _finish(
        self, finished: Tensor, scores: Tensor, state: AnyState, memory: AnyMemory | None, before: Tensor
    ) -> None:
        """Add the finished hypotheses to those of their rows; `before` is the row of each place in the state."""
        flat = finished.flatten().nonzero().flatten()
        penalties = self._coverage(state, memory, flat, before[flat]).tolist()
        texts = self.tokens[flat, self.prompt_length :].tolist()
        logs = scores.flatten()[flat].tolist()
        for place, text, log, penalty in zip(flat.tolist(), texts, logs, penalties, strict=True):
            self.found.add(self.rows[place // self.beams], text, log, penalty)

    def _coverage(self, state: AnyState, memory: AnyMemory | None, places: Tensor, before: Tensor) -> Tensor:
        """Return the (n,) coverage penalties for positions with little attention (Wu et al. 2016, GNMT)."""
        if state.attended is None or memory is None:
            return torch.zeros(len(places))
        covered = state.attended[0, before].clamp(min=1e-9, max=1.0).log()
        padding = ~memory.mask[places // self.beams]
        return self.config.coverage_penalty * covered.masked_fill(padding, 0).sum(dim=1)

    def _drop(self, kept: Tensor) -> None:
        """Drop the finished rows."""
        self.tokens = self.tokens.view(len(self.rows), self.beams, -1)[kept].flatten(0, 1)
        self.rows = [self.rows[index] for index in kept.tolist()]
        self.scores, self.ended = self.scores[kept], self.ended[kept]
        if self.constraints:
            self.constraints.keep(kept.cpu().numpy(), self.beams)
