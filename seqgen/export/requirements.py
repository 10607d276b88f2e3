"""The packages that an exported model needs, as pip reads them."""

from typing import Any

ALWAYS = ("numpy", "onnxruntime", "regex", "pydantic", "pyyaml", "jsonargparse", "argcomplete", "filelock", "tqdm")


def requirements(bundle: Any) -> str:
    """Return the lines of requirements.txt for a model."""
    return ""
