"""Classifiers in onnxruntime."""

from dataclasses import dataclass
from typing import ClassVar, Self

from seqgen.runtime.answers import GraphAnswers
from seqgen.runtime.exported import Exported, require_logits
from seqgen.tasks.classifiers import ClassifierTask, ImageClassifierTask, TextClassifierTask


@dataclass(kw_only=True)
class GraphClassifier(ClassifierTask, GraphAnswers):
    """Shared base of classifiers; `given` is the input of their graph."""

    given: ClassVar[str]

    @classmethod
    def of(cls, exported: Exported) -> Self:
        """Return the classifier of exported files."""
        classifier = cls(**exported.fields(cls), graph=exported.graph("classify", (cls.given,)))
        require_logits(classifier.graph, len(classifier.classes), "labels.json")
        return classifier


@dataclass(kw_only=True)
class TextClassifier(TextClassifierTask, GraphClassifier):
    """A classifier of texts."""

    given = "tokens"


@dataclass(kw_only=True)
class ImageClassifier(ImageClassifierTask, GraphClassifier):
    """A classifier of images."""

    given = "images"
