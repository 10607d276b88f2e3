"""The names of precisions; apart from what calculates in them, so that a command line needs no torch."""

from typing import Literal

Precision = Literal["auto", "fp32", "bf16"]
