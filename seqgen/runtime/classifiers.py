"""Classifiers in onnxruntime."""

from dataclasses import dataclass
from typing import Self

from seqgen.runtime.answers import GraphAnswers
from seqgen.runtime.exported import Exported, require_logits
from seqgen.tasks.classifiers import ImageClassifierTask, TextClassifierTask


@dataclass(kw_only=True)
class TextClassifier(TextClassifierTask, GraphAnswers):
    """A classifier of texts."""

    @classmethod
    def of(cls, exported: Exported) -> Self:
        """Return the classifier of exported files."""
        classifier = cls(**exported.fields(cls), graph=exported.graph("classify", ("tokens",)))
        require_logits(classifier.graph, len(classifier.classes), "labels.json")
        return classifier


@dataclass(kw_only=True)
class ImageClassifier(ImageClassifierTask, GraphAnswers):
    """A classifier of images."""

    @classmethod
    def of(cls, exported: Exported) -> Self:
        """Return the classifier of exported files."""
        classifier = cls(**exported.fields(cls), graph=exported.graph("classify", ("images",)))
        require_logits(classifier.graph, len(classifier.classes), "labels.json")
        return classifier
