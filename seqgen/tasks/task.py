"""The base of all tasks: the parts of a saved model other than its network."""

from abc import ABC
from typing import Any, ClassVar

from pydantic import BaseModel

from seqgen.tasks.parts import Part


class Task(ABC):
    """Base of a kind of model without its network; `builder` is the name of the kind."""

    builder: ClassVar[str]
    files: ClassVar[dict[str, Part | type[BaseModel]]]  # JSON files: of one part, or of plain fields by their schema

    def parts(self) -> dict[str, dict[str, Any]]:
        """Return all parts that there are, but the network, as plain data by the names of their files."""
        return {
            name: kept.to_data(getattr(self, kept.field))
            if isinstance(kept, Part)
            else {field: getattr(self, field) for field in kept.model_fields}
            for name, kept in self.files.items()
            if not (isinstance(kept, Part) and kept.optional and getattr(self, kept.field) is None)
        }

    @classmethod
    def fields(cls, parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Return the parts that `parts` described, by the names of their fields."""
        found: dict[str, Any] = {}
        for name, kept in cls.files.items():
            if isinstance(kept, Part) and kept.optional and name not in parts:
                continue
            found |= {kept.field: kept.from_data(parts[name])} if isinstance(kept, Part) else parts[name]
        return found
