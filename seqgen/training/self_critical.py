"""Training on a measure of whole texts, such as CIDEr, by comparing what the model writes with what it writes else."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from seqgen.batches.pairs import Pairs, pairs
from seqgen.generation.config import GenerationConfig
from seqgen.generation.sampling import sampled
from seqgen.metrics.captions import Cider
from seqgen.state import Memory, State
from seqgen.symbols import BOS, PAD
from seqgen.text.tokenizer import Tokenizer
from seqgen.training.losses import Loss, LossFunction

Draw = Callable[[nn.Module, Memory], list[list[list[int]]]]  # several texts, without EOS, for each row of a memory
Reward = Callable[
    [Sequence[int], list[list[list[int]]]], Tensor
]  # (inputs, texts) of numbers of inputs and their texts


SAMPLES = 5  # captions of an image, which are compared with each other


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


def cider_loss(generation: GenerationConfig, tokenizer: Tokenizer, captions: Sequence[Sequence[str]]) -> LossFunction:
    """Return the loss that makes captions with a higher CIDEr-D likelier.

    Of a batch so many images are read that as many captions are sampled as it has: an update costs about the same.

    Args:
        generation: the options that captions are sampled with.
        tokenizer: of captions.
        captions: the reference captions of each image, by the `numbers` of a batch.
    """
    drawing = generation.with_options(do_sample=True, num_return_sequences=SAMPLES)
    draw, reward = partial(_draw, drawing), cider_reward(tokenizer, captions)

    def loss(model: nn.Module, batch: Pairs, carry: State | None = None) -> Loss:
        images = max(len(batch.tokens) // SAMPLES, 1)
        few = batch._replace(inputs=(batch.inputs[0][:images],), numbers=batch.numbers[:images])
        return self_critical(model, few, draw=draw, reward=reward, longest=drawing.max_new_tokens)

    return loss


def cider_reward(tokenizer: Tokenizer, captions: Sequence[Sequence[str]]) -> Reward:
    """Return the CIDEr-D, from 0 to 10, of `SAMPLES` captions sampled for each image with these reference captions."""
    # References without what the tokenizer cannot write, which no caption could match.
    cider = Cider([[tokenizer.decode(tokenizer.encode(text)) for text in texts] for texts in captions])

    def reward(numbers: Sequence[int], drawn: list[list[list[int]]]) -> Tensor:
        texts = [tokenizer.decode(text) for of_image in drawn for text in of_image]
        return torch.from_numpy(cider.scores(texts, np.repeat(numbers, SAMPLES).tolist())).view(-1, SAMPLES)

    return reward


def _draw(drawing: GenerationConfig, model: Any, memory: Memory) -> list[list[list[int]]]:
    memory = Memory(memory.states.float(), memory.mask, memory.summary.float())
    prompts, device = [[BOS]] * len(memory.mask), memory.mask.device
    # From the generator that a checkpoint keeps, so that a resumed run draws the same.
    seeds = torch.randint(2**62, (len(prompts) * SAMPLES,)).tolist()
    found = sampled(model.decoder, prompts, drawing, seeds=seeds, memory=memory, device=device)
    return [[one.tokens for one in of_image] for of_image in found]
