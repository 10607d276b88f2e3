"""Batches of examples of similar length, as many as a budget of tokens allows."""

from collections.abc import Iterator

import numpy as np

from seqgen.arguments import checked

POOL = 100  # batches, whose examples are sorted by length together


@checked
class Buckets:
    """Batches of example numbers, shuffled for each epoch by the random seed: a function of their number.

    Args:
        lengths: (examples,) number of tokens of each.
        budget: maximum number of tokens of a batch, padding included, over all processes; a longer example is alone.
        seed: random seed.
        rank: number of this process among `world_size`, among which the examples of a batch are divided.
        world_size: number of processes that train together; no batch has fewer examples.
    """

    def __init__(self, lengths: np.ndarray, budget: int, *, seed: int = 0, rank: int = 0, world_size: int = 1):
        self.lengths, self.budget, self.seed = lengths, budget, seed
        self.rank, self.world_size = rank, world_size
        self.pool = max(int(POOL * budget / max(lengths.mean(), 1)), 1)
        self.batches_per_epoch = len(self._epoch(0))

    def starting_at(self, index: int) -> Iterator[np.ndarray]:
        """Yield the batches from number `index` on, without end; of each, the examples of this process."""
        epoch = 0
        while True:
            batches = self._epoch(epoch)
            for batch in batches[index:]:
                yield batch[self.rank :: self.world_size]
            index = max(index - len(batches), 0)
            epoch += 1

    def once(self) -> Iterator[np.ndarray]:
        """Yield every example of this process once, by length."""
        shares = (batch[self.rank :: self.world_size] for batch in self._cut(np.argsort(self.lengths, kind="stable")))
        yield from (share for share in shares if len(share))

    def _epoch(self, epoch: int) -> list[np.ndarray]:
        generator = np.random.default_rng([self.seed, epoch])
        order = generator.permutation(len(self.lengths))
        batches: list[np.ndarray] = []
        for begin in range(0, len(order), self.pool):
            pool = order[begin : begin + self.pool]
            batches += self._cut(pool[np.argsort(self.lengths[pool], kind="stable")])
        return [batches[number] for number in generator.permutation(len(batches))]

    def _cut(self, order: np.ndarray) -> list[np.ndarray]:
        """Cut examples, the shortest first, into batches."""
        batches = []
        begin = 0
        while begin < len(order):
            # The last example of a batch is its longest, and the others are padded to its length.
            padded = self.lengths[order[begin:]] * np.arange(1, len(order) - begin + 1)
            size = max(int(np.searchsorted(padded, self.budget, side="right")), self.world_size)
            batches.append(order[begin : begin + size])
            begin += size
        if len(batches) > 1 and len(batches[-1]) < self.world_size:
            last = batches.pop()
            batches[-1] = np.concatenate([batches[-1], last])
        return batches
