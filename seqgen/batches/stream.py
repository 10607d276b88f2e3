"""One long text as parallel lanes, as in char-rnn: each batch begins where the one before it ended."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from seqgen.arguments import checked
from seqgen.batches.windows import Batch, windows
from seqgen.errors import InputError
from seqgen.symbols import BOS, PAD


@checked
class Stream:
    """The training batches of one long text.

    The text is cut into equal lanes that are read in parallel, window by window, with the hidden state carried over.
    Every epoch has other cuts, by a rotation of the text that depends on the random seed only.

    Args:
        tokens: (length,) numbers, in memory or read from a file as they are needed.
        lanes: number of rows of a batch, over all processes.
        window: number of steps of a batch.
        seed: random seed.
        rank: number of this process among `world_size`, among which the lanes are divided.
        world_size: number of processes that train together.

    Raises:
        InputError: the text is shorter than one batch, or the lanes do not divide among the processes.
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
        self.tokens = tokens
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
            starts = [int(rotation) + lane * self.lane_length - 1 for lane in self.lanes]
            for number in range(position, self.windows_per_epoch):
                read = np.stack([self._window(start + number * self.window) for start in starts])
                if number == 0:
                    read[:, 0] = BOS
                yield Batch(torch.from_numpy(read[:, :-1]), torch.from_numpy(read[:, 1:]), starts=number == 0)
            epoch, position = epoch + 1, 0

    def _window(self, begin: int) -> np.ndarray:
        """Return the tokens of a window and the one before it; after the last token of the text comes its first."""
        begin, count = begin % len(self.tokens), self.window + 1
        read = np.asarray(self.tokens[begin : begin + count], np.int64)
        return np.concatenate([read, np.asarray(self.tokens[: count - len(read)], np.int64)])


def shrink_to_text(length: int, lanes: int, window: int, world_size: int = 1) -> tuple[int, int]:
    """Return the number of lanes and the window for a text of this length: those asked for, or smaller ones.

    Fewer lanes than were asked for are divided among as many processes as train together.
    """
    window = max(min(window, length // world_size), 1)
    fitting = length // window
    return (lanes if lanes <= fitting else fitting - fitting % world_size), window


def held_back_windows(
    tokens: np.ndarray, *, window: int, lanes: int = 64, warm_up: int = 512, rank: int = 0, world_size: int = 1
) -> Iterator[Batch]:
    """Yield a text once for validation, with every token a target exactly once, in few and wide batches.

    Each lane but the first begins `warm_up` tokens early, without targets, so that its hidden state is as good as if
    the text were read in one piece; no lane is so short that the warm-up takes longer than it saves.

    Args:
        tokens: (length,) numbers.
        window: number of steps of a batch.
        lanes: maximum number of rows of a batch.
        warm_up: number of tokens that a lane reads before its first target.
        rank: number of this process among `world_size`, among which the lanes are divided.
        world_size: number of processes that validate together.
    """
    lanes = int(np.clip(len(tokens) // (2 * warm_up), 1, lanes))
    cuts = np.linspace(0, len(tokens), lanes + 1).astype(int)
    firsts, ends = cuts[:-1][rank::world_size], cuts[1:][rank::world_size]
    if not len(firsts):  # fewer lanes than processes
        return
    begins = np.maximum(firsts - warm_up, 0)
    read = np.full((len(begins), (ends - begins).max()), PAD, dtype=np.int64)
    for row, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        read[row, : end - begin] = tokens[begin:end]
    for number, batch in enumerate(windows(read, window)):
        before = torch.from_numpy(firsts - begins)[:, None]
        position = number * window + torch.arange(batch.targets.shape[1])
        yield batch._replace(targets=batch.targets.masked_fill(position < before, PAD))
