"""A conditional generator in onnxruntime."""

from dataclasses import dataclass

from seqgen.runtime.encoder_decoder import GraphEncoderDecoder
from seqgen.tasks.conditional_generator import ConditionalGeneratorTask


@dataclass(kw_only=True)
class ConditionalGenerator(ConditionalGeneratorTask, GraphEncoderDecoder):
    """An encoder of categories or numbers and a decoder with its tokenizer."""
