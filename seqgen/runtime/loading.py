"""Exported models by their kinds."""

import pkgutil
from pathlib import Path
from typing import Any

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.runtime.exported import MANIFEST, Exported

# The class of an exported model in use, by the name of its kind.
KINDS = {
    "generator": "seqgen.runtime.generator:Generator",
    "text_classifier": "seqgen.runtime.classifiers:TextClassifier",
    "image_classifier": "seqgen.runtime.classifiers:ImageClassifier",
    "tagger": "seqgen.runtime.tagger:Tagger",
    "translator": "seqgen.runtime.translator:Translator",
    "captioner": "seqgen.runtime.captioner:Captioner",
    "conditional_generator": "seqgen.runtime.conditional_generator:ConditionalGenerator",
}


def kind_of(exported: Exported) -> Any:
    """Return the class of an exported model.

    Raises:
        InputError: an unknown kind.
    """
    kind = exported.manifest.kind
    if kind not in KINDS:
        path = exported.directory / MANIFEST
        raise InputError(
            f"{path} must have one of the kinds {', '.join(KINDS)}, not {kind!r}: a newer seqgen may read it"
        )
    return pkgutil.resolve_name(KINDS[kind])


@checked
def load(directory: str | Path) -> Any:
    """Return an exported model in use, which needs onnxruntime and no torch: a `Generator`, `Translator` and so on.

    It has the methods of the saved model that use it, with the same arguments, results and errors; greedy and beam
    search write the same texts where the weights are fp32, but for rounding. Samples have random numbers of their own:
    a random seed gives other texts than with torch, and the same ones again.

    Args:
        directory: that `seqgen export` has written.

    Raises:
        InputError: it holds no exported model, a file is missing, damaged or of another version, or onnxruntime is
            not installed.
    """
    exported = Exported(directory)
    return kind_of(exported).of(exported)
