"""One long text as parallel lanes, as in char-rnn: each batch goes on where the one before ended."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from seqgen.batches.windows import Batch, windows
from seqgen.errors import InputError
from seqgen.symbols import BOS, PAD


class Stream:
    """The training batches of one long text.

    The text is cut into equal lanes that are read side by side in windows, with the state carried from one window
    to the next. Every epoch the cuts fall elsewhere, by a rotation of the text that depends on the seed only.

    Args:
        tokens: (length,) numbers, in memory or memory-mapped.
        lanes: rows of a batch, over all processes.
        window: steps of a batch.
        seed: of the rotations.
        rank: this process among `world_size`, which share the lanes out among themselves.
        world_size: processes that train together.

    Raises:
        InputError: the text is shorter than one batch, or the lanes cannot be shared out evenly.
    """

    def __init__(
        self,
        tokens: np.ndarray | Sequence[int],
        lanes: int,
        window: int,
        *,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ):
        self.tokens = np.asarray(tokens) if not isinstance(tokens, np.memmap) else tokens
        if len(self.tokens) < lanes * window:
            raise InputError(
                f"a batch of {lanes} lanes of {window} tokens needs a text of at least {lanes * window:,} tokens, "
                f"but this one has {len(self.tokens):,}"
            )
        if lanes % world_size:
            raise InputError(f"the lanes must divide among {world_size} processes, but there are {lanes}")
        self.window, self.seed = window, seed
        self.lane_length = len(self.tokens) // lanes
        self.lanes = range(rank * lanes // world_size, (rank + 1) * lanes // world_size)
        self.windows_per_epoch = self.lane_length // window

    def starting_at(self, index: int) -> Iterator[Batch]:
        """Yield the batches from number `index` on, without end."""
        epoch, position = divmod(index, self.windows_per_epoch)
        while True:
            rotation = np.random.default_rng([self.seed, epoch]).integers(len(self.tokens))
            starts = (rotation + np.array(self.lanes) * self.lane_length)[:, None]
            for number in range(position, self.windows_per_epoch):
                offsets = np.arange(number * self.window - 1, (number + 1) * self.window)
                read = self.tokens[(starts + offsets) % len(self.tokens)].astype(np.int64)
                if number == 0:
                    read[:, 0] = BOS
                yield Batch(torch.from_numpy(read[:, :-1]), torch.from_numpy(read[:, 1:]), starts=number == 0)
            epoch, position = epoch + 1, 0


def shrink_to_text(length: int, lanes: int, window: int) -> tuple[int, int]:
    """Return how many lanes and how long a window a text of this length fills: those asked for, or fewer."""
    window = min(window, length)
    return min(lanes, length // window), window


def held_back_windows(tokens: np.ndarray, *, window: int, lanes: int = 64, warm_up: int = 512) -> Iterator[Batch]:
    """Yield a text once, every token being predicted exactly once, in as few and as wide batches as is fair.

    Each lane but the first begins `warm_up` tokens early, where nothing is predicted, so that its state is as warm
    as if the text were read in one piece; and no lane is so short that the warm-up would cost more than it saves.

    Args:
        tokens: (length,) numbers.
        window: steps of a batch.
        lanes: the most rows of a batch.
        warm_up: tokens that a lane reads before it is asked to predict.
    """
    lanes = int(np.clip(len(tokens) // (2 * warm_up), 1, lanes))
    cuts = np.linspace(0, len(tokens), lanes + 1).astype(int)
    begins = np.maximum(cuts[:-1] - warm_up, 0)
    read = np.full((lanes, (cuts[1:] - begins).max()), PAD, dtype=np.int64)
    for row, (begin, end) in enumerate(zip(begins, cuts[1:], strict=True)):
        read[row, : end - begin] = tokens[begin:end]
    for number, batch in enumerate(windows(read, window)):
        before = torch.from_numpy(cuts[:-1] - begins)[:, None]
        position = number * window + torch.arange(batch.targets.shape[1])
        yield batch._replace(targets=batch.targets.masked_fill(position < before, PAD))
