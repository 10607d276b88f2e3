"""A memory whose rows several beams share, so that it is neither repeated nor reordered for them."""

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor

from seqgen.state import Memory

Attend = Callable[[Tensor, Memory], tuple[Tensor, Tensor]]


class SharedMemory(NamedTuple):
    """The memory of the unfinished beams of a batch.

    `memory`, of an ensemble `Memories`, has a row for each text, `beams` is the number of places for beams that each
    row has, and `places`, (n,) numbers in order, are those of the unfinished beams.
    """

    memory: Any
    places: Tensor
    beams: int

    def whole(self) -> Any:
        """Return a memory with a row for each unfinished beam."""
        return self.memory.select(self.places // self.beams)

    def given_to(self, decoder: object) -> Any:
        """Return the memory as the step of a decoder takes it: shared, or for most decoders whole."""
        return self if getattr(decoder, "takes_shared_memory", False) else self.whole()

    def attended(self, attend: Attend, queries: Tensor) -> tuple[Tensor, Tensor]:
        """Attend with the queries of all beams of a row at once.

        Args:
            attend: from (rows, beams, query) queries and their memory to (rows, beams, memory) context vectors and
                (rows, heads, beams, positions) attention weights.
            queries: (n, 1, query), of each unfinished beam.

        Returns:
            The (n, 1, memory) context vectors, and the (n, heads, 1, positions) attention weights.
        """
        rows = len(self.memory.mask)
        grid = queries.new_zeros(rows * self.beams, queries.shape[2]).index_copy(0, self.places, queries[:, 0])
        contexts, weights = attend(grid.view(rows, self.beams, -1), self.memory)
        of_places = weights.transpose(1, 2).flatten(0, 1)
        return contexts.flatten(0, 1)[self.places].unsqueeze(1), of_places[self.places].unsqueeze(2)
