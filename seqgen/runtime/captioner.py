"""A captioner in onnxruntime."""

from dataclasses import dataclass

from seqgen.runtime.encoder_decoder import GraphEncoderDecoder
from seqgen.tasks.captioner import CaptionerTask


@dataclass(kw_only=True)
class Captioner(CaptionerTask, GraphEncoderDecoder):
    """An encoder of images and a decoder with its tokenizer."""
