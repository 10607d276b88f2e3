"""Training a captioner on CIDEr-D: what is drawn, and how it is rewarded."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqgen.caption_metrics import Cider, plain
from seqgen.generation.config import GenerationConfig
from seqgen.generation.sampling import sampled
from seqgen.image_captioner import Captioner
from seqgen.state import Memory
from seqgen.symbols import BOS
from seqgen.training.losses import LossFunction
from seqgen.training.self_critical import self_critical

DRAWN = 5  # captions of an image, to compare with each other


def cider_loss(captioner: Captioner, captions: Sequence[Sequence[str]]) -> LossFunction:
    """Return the loss that makes captions with a higher CIDEr-D likelier.

    Args:
        captioner: in training; a batch's `numbers` are those of its images.
        captions: what people said about each image.
    """
    cider = Cider([[plain(text) for text in texts] for texts in captions])
    drawing = captioner.generation.with_options(do_sample=True, num_return_sequences=DRAWN)

    def reward(numbers: Sequence[int], drawn: list[list[list[int]]]) -> Tensor:
        texts = [plain(captioner.target.decode(text)) for of_image in drawn for text in of_image]
        return torch.from_numpy(cider.scores(texts, np.repeat(numbers, DRAWN).tolist())).view(-1, DRAWN)

    return partial(self_critical, draw=partial(_draw, drawing), reward=reward, longest=drawing.max_new_tokens)


def _draw(drawing: GenerationConfig, model: Any, memory: Memory) -> list[list[list[int]]]:
    memory = Memory(memory.states.float(), memory.mask, memory.summary.float())
    prompts, device = [[BOS]] * len(memory.mask), memory.mask.device
    found = sampled(model.decoder, prompts, drawing, memory=memory, device=device)
    return [[one.tokens for one in of_image] for of_image in found]
