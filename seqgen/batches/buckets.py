"""Which examples share a batch: those of like length, as many as a budget of tokens allows."""

from collections.abc import Iterator

import numpy as np

POOL = 100  # batches; examples of like length are looked for among so many


class Buckets:
    """Batches of example numbers, drawn anew every epoch from the seed: a function of their number.

    Args:
        lengths: (examples,) tokens of each.
        budget: the most tokens of a batch, padding included, over all processes; a longer example stands alone.
        seed: of the orders.
        rank: this process among `world_size`, which share the examples of a batch out among themselves.
        world_size: processes that train together; no batch has fewer examples.
    """

    def __init__(self, lengths: np.ndarray, budget: int, *, seed: int = 0, rank: int = 0, world_size: int = 1):
        self.lengths, self.budget, self.seed = lengths, budget, seed
        self.rank, self.world_size = rank, world_size
        self.pool = max(int(POOL * budget / lengths.mean()), 1)
        self.batches_per_epoch = len(self._epoch(0))

    def starting_at(self, index: int) -> Iterator[np.ndarray]:
        """Yield the batches from number `index` on, without end; of each the share of this process."""
        epoch = 0
        while True:
            batches = self._epoch(epoch)
            for batch in batches[index:]:
                yield batch[self.rank :: self.world_size]
            index = max(index - len(batches), 0)
            epoch += 1

    def once(self) -> Iterator[np.ndarray]:
        """Yield every example once, by length."""
        yield from self._cut(np.argsort(self.lengths, kind="stable"))

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
            # The last example of a batch is its longest, and what all others are padded to.
            padded = self.lengths[order[begin:]] * np.arange(1, len(order) - begin + 1)
            size = max(int(np.searchsorted(padded, self.budget, side="right")), self.world_size)
            batches.append(order[begin : begin + size])
            begin += size
        if len(batches) > 1 and len(batches[-1]) < self.world_size:
            last = batches.pop()
            batches[-1] = np.concatenate([batches[-1], last])
        return batches
