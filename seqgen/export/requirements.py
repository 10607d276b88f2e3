"""The packages that an exported model needs, as pip reads them; torch is not among them."""

import re
from importlib.metadata import PackageNotFoundError, requires
from typing import Any

# Of the runtime, the tokenizers, the checks of files, and the command line.
ALWAYS = (
    "onnxruntime",
    "numpy",
    "regex",
    "pillow",
    "pydantic",
    "pyyaml",
    "jsonargparse[signatures]",
    "argcomplete",
    "filelock",
    "psutil",
    "tqdm",
    "lazy-loader",
)


def requirements(bundle: Any) -> str:
    """Return the lines of the requirements.txt of a model in use."""
    bounds = _bounds()
    return "".join(f"{name}{bounds.get(name, '')}\n" for name in (*ALWAYS, *_own(bundle)))


def _own(bundle: Any) -> list[str]:
    """Return the packages that only this kind of model needs."""
    tokenizers = (getattr(bundle, name, None) for name in ("tokenizer", "source", "target"))
    needed = {
        "sentencepiece": any(getattr(one, "kind", "") in ("subword", "bpe") for one in tokenizers),
        "safetensors": getattr(bundle, "ngrams", None) is not None,
        "nltk": getattr(bundle, "alphabet", None) is not None,  # which splits texts into words
    }
    return [name for name, is_needed in needed.items() if is_needed]


def _bounds() -> dict[str, str]:
    """Return the versions of packages that this version of seqgen accepts."""
    try:
        lines = requires("seqgen") or []
    except PackageNotFoundError:  # used from its folder, without being installed
        return {}
    found = (re.fullmatch(r"([\w.-]+(?:\[\w+\])?)\s*([^;]*?)\s*(?:;.*)?", line) for line in lines)
    return {one[1].lower(): one[2] for one in found if one}
