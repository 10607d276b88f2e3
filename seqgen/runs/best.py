"""The best validation so far, and whether training is to stop because there was none better for long."""

import math
from typing import Any

INFINITE = float("inf")
NOT_YET = (INFINITE, INFINITE)
CLEARLY, AT_LEAST = 1.1, 0.01  # factor of the lowest loss, and nats above it, beyond which a loss is clearly worse
IN_A_ROW = 5  # such validations, after which training stops unless a patience is given


class Best:
    """The lowest error so far, and the number of validations since; of equal errors the lower loss is better.

    Args:
        patience: validations in a row without improvement after which to stop, or 0 for never; by default five in a row
            that are clearly worse: no improvement, and a loss more than 10 % above the lowest.
    """

    def __init__(self, patience: int | None = None) -> None:
        self.patience = patience
        self.error_and_loss = NOT_YET
        self.lowest_loss = INFINITE
        self.validations_since = 0
        self.clearly_worse = 0

    @property
    def exists(self) -> bool:
        """True after the first validation."""
        return self.error_and_loss != NOT_YET

    @property
    def reason_to_stop(self) -> str:
        """The reason for training to stop; empty where there is none."""
        if self.patience is not None:
            stop = 0 < self.patience <= self.validations_since
            return f"{self.validations_since} validations without improvement" if stop else ""
        if self.clearly_worse < IN_A_ROW:
            return ""
        return f"{IN_A_ROW} validations in a row were clearly worse than the best one (--patience 0 trains on)"

    def improves(self, error: float, loss: float) -> bool:
        """Record a validation, and return whether it is the best so far."""
        improved = math.isfinite(error + loss) and (error, loss) < self.error_and_loss
        if improved:
            self.error_and_loss = error, loss
        if loss < self.lowest_loss:
            self.lowest_loss = loss
        self.validations_since = 0 if improved else self.validations_since + 1
        worse = not improved and loss > max(CLEARLY * self.lowest_loss, self.lowest_loss + AT_LEAST)
        self.clearly_worse = self.clearly_worse + 1 if worse else 0
        return improved

    def state_dict(self) -> dict[str, Any]:
        """Return the values for a checkpoint."""
        values = {name: value for name, value in vars(self).items() if name != "patience"}
        return values | {"error_and_loss": list(self.error_and_loss)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the values from a checkpoint."""
        vars(self).update(state | {"error_and_loss": (state["error_and_loss"][0], state["error_and_loss"][1])})
