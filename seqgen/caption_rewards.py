"""Training a captioner on CIDEr-D: what is drawn, and how it is rewarded."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from seqgen.batches.pairs import Pairs
from seqgen.caption_metrics import Cider
from seqgen.generation.config import GenerationConfig
from seqgen.generation.sampling import sampled
from seqgen.image_captioner import Captioner
from seqgen.state import Memory, State
from seqgen.symbols import BOS
from seqgen.training.losses import Loss, LossFunction
from seqgen.training.self_critical import Reward, self_critical

DRAWN = 5  # captions of an image, to compare with each other


def cider_loss(captioner: Captioner, captions: Sequence[Sequence[str]]) -> LossFunction:
    """Return the loss that makes captions with a higher CIDEr-D likelier.

    Of a batch so many images are read that as many captions are drawn as it has: an update costs about the same.

    Args:
        captioner: in training; a batch's `numbers` are those of its images.
        captions: what people said about each image, as it is learned.
    """
    drawing = captioner.generation.with_options(do_sample=True, num_return_sequences=DRAWN)
    draw, reward = partial(_draw, drawing), cider_reward(captioner, captions)

    def loss(model: nn.Module, batch: Pairs, carry: State | None = None) -> Loss:
        images = max(len(batch.tokens) // DRAWN, 1)
        few = batch._replace(inputs=(batch.inputs[0][:images],), numbers=batch.numbers[:images])
        return self_critical(model, few, draw=draw, reward=reward, longest=drawing.max_new_tokens)

    return loss


def cider_reward(captioner: Captioner, captions: Sequence[Sequence[str]]) -> Reward:
    """Return the CIDEr-D, from 0 to 10, of what was drawn for images with these captions, `DRAWN` for each."""
    target = captioner.target  # what it cannot write, nothing is compared with
    cider = Cider([[target.decode(target.encode(text)) for text in texts] for texts in captions])

    def reward(numbers: Sequence[int], drawn: list[list[list[int]]]) -> Tensor:
        texts = [target.decode(text) for of_image in drawn for text in of_image]
        return torch.from_numpy(cider.scores(texts, np.repeat(numbers, DRAWN).tolist())).view(-1, DRAWN)

    return reward


def _draw(drawing: GenerationConfig, model: Any, memory: Memory) -> list[list[list[int]]]:
    memory = Memory(memory.states.float(), memory.mask, memory.summary.float())
    prompts, device = [[BOS]] * len(memory.mask), memory.mask.device
    # From the generator that a checkpoint keeps, so that a resumed run draws the same.
    seeds = torch.randint(2**62, (len(prompts) * DRAWN,)).tolist()
    found = sampled(model.decoder, prompts, drawing, seeds=seeds, memory=memory, device=device)
    return [[one.tokens for one in of_image] for of_image in found]
