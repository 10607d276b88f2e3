"""Exported models in use with onnxruntime and numpy alone: the same tasks as `seqgen.inference`, without torch."""

from seqgen.runtime.loading import load

__all__ = ["load"]
