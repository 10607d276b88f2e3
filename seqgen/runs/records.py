"""Records of a run: lines of JSON in a file; one that is damaged, as a kill may leave it, is none."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field

from seqgen.files import read_bytes
from seqgen.tasks.schemas import Schema


class Metrics(BaseModel):
    """The figures of an update."""

    model_config = ConfigDict(strict=True, extra="allow")
    __pydantic_extra__: dict[str, float] = Field(init=False)

    step: int


class Resumption(Schema):
    """After how many updates a run was resumed, when, and the options that changed: before, and now."""

    step: int
    time: str
    changed: dict[str, Annotated[list[Any], Field(min_length=2, max_length=2)]]


def read_records(path: Path, schema: type[BaseModel]) -> list[dict[str, Any]]:
    """Return the lines of a file that have the schema; none where there is no file."""
    found = []
    for line in read_bytes(path).splitlines() if path.is_file() else []:
        with suppress(ValueError):
            record = pydantic_core.from_json(line)
            schema.model_validate(record)
            found.append(record)
    return found
