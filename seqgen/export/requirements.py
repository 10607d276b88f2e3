"""The packages that an exported model needs, as pip reads them."""

from importlib.metadata import requires
from typing import Any

from packaging.requirements import Requirement

ALWAYS = ("numpy", "onnxruntime", "regex", "pydantic", "pyyaml", "jsonargparse", "argcomplete", "filelock", "tqdm")


def requirements(bundle: Any) -> str:
    """Return the lines of requirements.txt for a model."""
    return ""
