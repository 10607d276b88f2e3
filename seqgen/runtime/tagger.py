"""A tagger in onnxruntime."""

from dataclasses import dataclass
from typing import Self

from seqgen.runtime.answers import GraphAnswers
from seqgen.runtime.exported import Exported, require_logits
from seqgen.tasks.tagger import TaggerTask


@dataclass(kw_only=True)
class Tagger(TaggerTask, GraphAnswers):
    """A tagger of words or of characters."""

    @classmethod
    def of(cls, exported: Exported) -> Self:
        """Return the tagger of exported files."""
        fields = exported.fields(cls)
        spelled = () if fields["alphabet"] is None else ("places", "spellings")
        tagger = cls(**fields, graph=exported.graph("tag", ("tokens", *spelled)))
        require_logits(tagger.graph, len(tagger.tags), "labels.json")
        return tagger
