"""A translator in onnxruntime."""

from dataclasses import dataclass

from seqgen.runtime.encoder_decoder import GraphEncoderDecoder
from seqgen.tasks.translator import TranslatorTask


@dataclass(kw_only=True)
class Translator(TranslatorTask, GraphEncoderDecoder):
    """An encoder and a decoder with their tokenizers."""

    def __post_init__(self) -> None:
        self.target = self.target or self.source
