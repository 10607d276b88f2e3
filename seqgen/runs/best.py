"""The best validation so far."""

from typing import Any

NOT_YET = (float("inf"), float("inf"))


class Best:
    """The lowest error so far, and the number of validations since; of equal errors the lower loss is better."""

    def __init__(self) -> None:
        self.error_and_loss = NOT_YET
        self.validations_since = 0

    @property
    def exists(self) -> bool:
        """True after the first validation."""
        return self.error_and_loss != NOT_YET

    def improves(self, error: float, loss: float) -> bool:
        """Record a validation, and return whether it is the best so far."""
        improved = (error, loss) < self.error_and_loss
        self.error_and_loss = min((error, loss), self.error_and_loss)
        self.validations_since = 0 if improved else self.validations_since + 1
        return improved

    def state_dict(self) -> dict[str, Any]:
        """Return the values for a checkpoint."""
        return {"error_and_loss": list(self.error_and_loss), "validations_since": self.validations_since}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the values from a checkpoint."""
        self.error_and_loss = (state["error_and_loss"][0], state["error_and_loss"][1])
        self.validations_since = state["validations_since"]
