"""Checkpoints to resume a run from: written whole, verified when loaded, never unpickled."""

import hashlib
import json
import logging
from pathlib import Path
from typing import Annotated, Any

import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from seqgen.errors import InputError
from seqgen.files import writing

logger = logging.getLogger(__name__)

KEPT = 2  # checkpoints, in case the newest is damaged
TENSOR = "tensor:"


class Checkpoint(BaseModel):
    """The values that a run is resumed from."""

    model_config = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True)

    identity: str
    options: dict[str, Any]
    calculation: Annotated[list[Any], Field(min_length=2, max_length=2)]
    model: dict[str, Tensor]
    average: dict[str, Tensor]
    optimizers: list[dict[str, Any]]
    progress: Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=4, max_length=4)]
    best: dict[str, Any]
    losses: list[float]
    processes: Annotated[list[dict[str, Any]], Field(min_length=1)]


def save_checkpoint(directory: Path, step: int, values: dict[str, Any]) -> Path:
    """Save a tree of dicts, lists, tensors and plain values, and delete all but the newest two checkpoints.

    Raises:
        OSError: the file could not be written; earlier ones are kept.
    """
    tensors: dict[str, Tensor] = {}
    tree = json.dumps(_take_tensors(values, tensors))
    metadata = {"tree": tree, "digest": _digest(tree, tensors)}
    path = directory / f"step-{step:09d}.safetensors"
    with writing(path) as file:
        file.write(safetensors.torch.save(tensors, metadata))
    for old in _checkpoints(directory)[KEPT:]:
        old.unlink()
    return path


def load_checkpoint(directory: Path) -> dict[str, Any] | None:
    """Return the newest undamaged checkpoint, or None where there are no checkpoints.

    Raises:
        InputError: all checkpoints are damaged.
    """
    paths = _checkpoints(directory)
    for path in paths:
        try:
            return _load(path)
        except InputError as error:
            logger.warning(f"{error}; trying the checkpoint before it")
    if paths:
        raise InputError(f"{directory} must hold a whole checkpoint, but all {len(paths)} are damaged")
    return None


def _load(path: Path) -> dict[str, Any]:
    damaged = f"{path} must be as it was saved, but it is truncated or altered"
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{damaged} ({error})") from None
    if metadata.get("digest") != _digest(metadata.get("tree", ""), tensors):
        raise InputError(damaged)
    values: dict[str, Any] = _put_tensors(json.loads(metadata["tree"]), tensors)
    return values


def _checkpoints(directory: Path) -> list[Path]:
    return sorted(directory.glob("step-*.safetensors"), reverse=True)


def _digest(tree: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(tree.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _take_tensors(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return the tree as JSON data, with each tensor replaced by its name in `tensors`.

    A dict becomes a list of its items, because JSON would turn the number keys of an optimizer into text.
    """
    if isinstance(value, Tensor):
        name = f"{TENSOR}{len(tensors)}"
        tensors[name] = value.detach().cpu().clone().contiguous()
        return name
    if isinstance(value, dict):
        return {"items": [[key, _take_tensors(item, tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return [_take_tensors(item, tensors) for item in value]
    return value


def _put_tensors(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, str) and value.startswith(TENSOR):
        return tensors[value]
    if isinstance(value, dict):
        return {key: _put_tensors(item, tensors) for key, item in value["items"]}
    if isinstance(value, list):
        return [_put_tensors(item, tensors) for item in value]
    return value
