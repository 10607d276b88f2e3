"""Training on a measure of whole texts, such as CIDEr, by comparing what the model writes with what it writes else."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from seqgen.batches.pairs import Pairs, pairs
from seqgen.state import Memory, State
from seqgen.symbols import PAD
from seqgen.training.losses import Loss

Draw = Callable[[nn.Module, Memory], list[list[list[int]]]]  # several texts, without EOS, for each row of a memory
Reward = Callable[
    [Sequence[int], list[list[list[int]]]], Tensor
]  # (inputs, texts) of numbers of inputs and their texts


def self_critical(
    model: Any, batch: Pairs, carry: State | None = None, *, draw: Draw, reward: Reward, longest: int
) -> Loss:
    """What is drawn becomes likelier the more its reward is above that of the others drawn for the same input.

    Rennie et al. 2017 (Self-critical Sequence Training for Image Captioning), with the other draws instead of the
    greedy text to compare with (Luo 2020, A Better Variant of Self-Critical Sequence Training).

    Args:
        model: an `EncoderDecoder` with an `ImageEncoder`, maybe wrapped for several processes.
        batch: images with their numbers; its targets are not read.
        carry: none; every batch starts anew.
        draw: at least two texts for each input.
        reward: of what was drawn.
        longest: tokens of a text, EOS included.
    """
    images, alone = batch.inputs[0], getattr(model, "module", model)
    with torch.no_grad():
        drawn = draw(alone, alone.encoder(images))
        rewards = reward(batch.numbers, drawn).to(images.device, torch.float32)
        each = rewards.shape[1]
        advantages = (rewards - (rewards.sum(dim=1, keepdim=True) - rewards) / (each - 1)).flatten()
    texts = [torch.tensor(text, dtype=torch.long).numpy() for of_input in drawn for text in of_input]
    rows = torch.arange(len(drawn)).repeat_interleave(each)
    written = pairs((images, rows), texts, longest).to(images.device)
    logits = model(written.inputs, written.tokens).float()
    logs = logits.log_softmax(dim=2).gather(2, written.targets.unsqueeze(2)).squeeze(2)
    real = written.targets != PAD
    return Loss(-(advantages.unsqueeze(1) * logs * real).sum(), real.sum())
