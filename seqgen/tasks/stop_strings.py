"""The ends of texts by stop strings."""


class StopStrings:
    """The rows of a batch that have reached a stop string, which is the last part of its text.

    Args:
        rows: number of texts.
        stop_strings: any of which ends a text.
    """

    def __init__(self, rows: int, stop_strings: tuple[str, ...]):
        self.stop_strings = stop_strings
        self.reached = [False] * rows
        self._tails = [""] * rows
        self._tail_length = max(map(len, stop_strings), default=0) - 1

    def cut(self, row: int, piece: str) -> str:
        """Return a new piece of text, up to the end of a stop string."""
        tail = self._tails[row]
        text = tail + piece
        ends = [text.find(stop) + len(stop) for stop in self.stop_strings if stop in text]
        if ends:
            self.reached[row] = True
            return text[len(tail) : min(ends)]
        self._tails[row] = text[-self._tail_length :] if self._tail_length > 0 else ""
        return piece
