"""Batches of separate documents by length: a model learns where a document begins and ends."""

from collections.abc import Iterator, Sequence

import numpy as np

from seqgen.arguments import checked
from seqgen.batches.padded import padded
from seqgen.batches.windows import Batch, windows
from seqgen.errors import InputError

POOL = 64  # batches, whose documents are sorted by length together


@checked
class Documents:
    """The training batches of many documents, each ended by EOS.

    Documents of similar length share a batch, right-padded; they are shuffled for each epoch by the random seed. A
    batch longer than a window is continued in the next one, with the hidden state carried over.

    Args:
        documents: token numbers of each, EOS included, in memory or read from a file as they are needed.
        batch_size: number of documents of a batch, over all processes.
        window: maximum number of steps of a batch.
        seed: random seed.
        chosen: the numbers of the documents to use; all by default.
        rank: number of this process among `world_size`, among which the rows are divided.
        world_size: number of processes that train together.

    Raises:
        InputError: there are fewer documents than rows, or the rows do not divide among the processes.
    """

    def __init__(
        self,
        documents: Sequence[np.ndarray],
        batch_size: int,
        window: int,
        *,
        seed: int = 0,
        chosen: np.ndarray | None = None,
        rank: int = 0,
        world_size: int = 1,
    ):
        self.documents = documents
        stored: np.ndarray | None = getattr(documents, "lengths", None)
        self.lengths = np.array([len(one) for one in documents], dtype=np.int64) if stored is None else stored
        self.chosen = np.arange(len(documents)) if chosen is None else chosen
        if len(self.chosen) < batch_size:
            raise InputError(f"a batch needs {batch_size} documents, but there are {len(self.chosen)} to train on")
        if batch_size % world_size:
            raise InputError(f"batch_size must divide among {world_size} processes, but it is {batch_size}")
        self.batch_size, self.window, self.seed = batch_size, window, seed
        self.rows = slice(rank * batch_size // world_size, (rank + 1) * batch_size // world_size)

    def starting_at(self, index: int) -> Iterator[Batch]:
        """Yield the batches from number `index` on, without end."""
        epoch = 0
        while True:
            for group in self._groups(epoch):
                length = self.lengths[group].max()
                count = -(-length // self.window)
                if index >= count:
                    index -= count
                    continue
                for number, batch in enumerate(self._batches(group)):
                    if number >= index:
                        yield batch
                index = 0
            epoch += 1

    def once(self) -> Iterator[Batch]:
        """Yield every document once, sorted by length, for validation."""
        order = self.chosen[np.argsort(self.lengths[self.chosen], kind="stable")]
        for begin in range(0, len(order), self.batch_size):
            yield from windows(self._padded(order[begin : begin + self.batch_size]), self.window)

    def chosen_tokens(self, most: int | None = None) -> np.ndarray:
        """Return the tokens of all these documents, one after another, or the first `most` of them."""
        ends = self.lengths[self.chosen].cumsum()
        count = len(ends) if most is None else int(np.searchsorted(ends, most)) + 1
        return np.concatenate([self.documents[int(one)] for one in self.chosen[:count]])[:most]

    @property
    def token_count(self) -> int:
        """The number of tokens in all these documents."""
        return int(self.lengths[self.chosen].sum())

    def _groups(self, epoch: int) -> Iterator[np.ndarray]:
        generator = np.random.default_rng([self.seed, epoch])
        order = generator.permutation(self.chosen)
        # Documents that do not fill a batch wait for another epoch; left out before the sorting, they are random ones.
        order = order[: len(order) // self.batch_size * self.batch_size]
        pool = POOL * self.batch_size
        for begin in range(0, len(order), pool):
            documents = order[begin : begin + pool]
            documents = documents[np.argsort(self.lengths[documents], kind="stable")]
            yield from generator.permutation(documents.reshape(-1, self.batch_size))

    def _batches(self, group: np.ndarray) -> Iterator[Batch]:
        for batch in windows(self._padded(group), self.window):
            yield Batch(batch.inputs[self.rows], batch.targets[self.rows], batch.starts)

    def _padded(self, documents: np.ndarray) -> np.ndarray:
        return padded([self.documents[int(one)] for one in documents])
