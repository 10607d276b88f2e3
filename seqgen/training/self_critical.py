"""Self-critical sequence training: reinforcement learning on a metric of whole texts, such as CIDEr-D."""

from collections.abc import Callable, Sequence
from dataclasses import replace
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

# From a decoder's model and a memory to several sampled texts, without EOS, for each row of the memory.
Sampler = Callable[[nn.Module, Memory], list[list[list[int]]]]
# From the numbers of inputs and the sampled texts of each to (inputs, texts) rewards.
Reward = Callable[[Sequence[int], list[list[list[int]]]], Tensor]

SAMPLES = 5  # captions of an image, which are compared with each other
TEMPERATURE = 0.5  # of their sampling, so that they are like the captions of a search
REWARDED = 10.0  # weight of the loss on rewards beside the cross-entropy, both per token


def self_critical(
    model: Any,
    batch: Pairs,
    carry: State | None = None,
    *,
    draw: Sampler,
    reward: Reward,
    longest: int,
    temperature: float = 1.0,
) -> Loss:
    """Reinforce sampled texts whose reward exceeds the mean reward of the other samples for the same input.

    Rennie et al. 2017 (Self-critical Sequence Training for Image Captioning), with the other samples as the baseline
    instead of the greedy text (Luo 2020, A Better Variant of Self-Critical Sequence Training).

    Args:
        model: an `EncoderDecoder` with an `ImageEncoder`, also wrapped for several processes.
        batch: images with their numbers; its targets are not used.
        carry: not used, as batches are independent.
        draw: samples at least two texts for each row of a memory.
        reward: of the sampled texts.
        longest: maximum number of tokens of a text, EOS included.
        temperature: of the distributions from which the texts are sampled.
    """
    images, alone = batch.inputs[0], getattr(model, "module", model)
    with torch.no_grad():
        samples = draw(alone, alone.encoder(images))
        rewards = reward(batch.numbers, samples).to(images.device, torch.float32)
        each = rewards.shape[1]
        advantages = (rewards - (rewards.sum(dim=1, keepdim=True) - rewards) / (each - 1)).flatten()
    texts = [torch.tensor(text, dtype=torch.long).numpy() for of_input in samples for text in of_input]
    rows = torch.arange(len(samples)).repeat_interleave(each)
    sampled_pairs = pairs((images, rows), texts, longest).to(images.device)
    logits = model(sampled_pairs.inputs, sampled_pairs.tokens).float() / temperature
    logs = logits.log_softmax(dim=2).gather(2, sampled_pairs.targets.unsqueeze(2)).squeeze(2)
    real = sampled_pairs.targets != PAD
    return Loss(-(advantages.unsqueeze(1) * logs * real).sum(), real.sum())


def cider_loss(
    generation: GenerationConfig, tokenizer: Tokenizer, captions: Sequence[Sequence[str]], words: LossFunction
) -> LossFunction:
    """Return the loss that reinforces captions with a high CIDEr-D, beside the cross-entropy of people's captions.

    Without the cross-entropy the probabilities of a few captions grow without end (Paulus et al. 2018, A Deep
    Reinforced Model for Abstractive Summarization). Captions are sampled for a part of the images, as many as a batch
    has.

    Args:
        generation: the options of sampling.
        tokenizer: of captions.
        captions: the reference captions of each image, by the `numbers` of a batch.
        words: the cross-entropy of a batch.
    """
    sampling = generation.with_options(do_sample=True, num_return_sequences=SAMPLES, temperature=TEMPERATURE)
    draw, reward = partial(_sample, sampling), cider_reward(tokenizer, captions)

    def loss(model: nn.Module, batch: Pairs, carry: State | None = None) -> Loss:
        images = max(len(batch.tokens) // SAMPLES, 1)
        few = batch._replace(inputs=(batch.inputs[0][:images],), numbers=batch.numbers[:images])
        how: dict[str, Any] = {"longest": sampling.max_new_tokens, "temperature": TEMPERATURE}
        rewarded, found = self_critical(model, few, draw=draw, reward=reward, **how), words(model, batch, carry)
        return replace(found, total=found.total + REWARDED * found.count / rewarded.count * rewarded.total)

    return loss


def cider_reward(tokenizer: Tokenizer, captions: Sequence[Sequence[str]]) -> Reward:
    """Return the CIDEr-D, from 0 to 10, of `SAMPLES` captions sampled for each image with these reference captions."""
    # References as the tokenizer decodes them, because no caption could match characters that it lacks.
    cider = Cider([[tokenizer.decode(tokenizer.encode(text)) for text in texts] for texts in captions])

    def reward(numbers: Sequence[int], samples: list[list[list[int]]]) -> Tensor:
        texts = [tokenizer.decode(text) for of_image in samples for text in of_image]
        return torch.from_numpy(cider.scores(texts, np.repeat(numbers, SAMPLES).tolist())).view(-1, SAMPLES)

    return reward


def _sample(sampling: GenerationConfig, model: Any, memory: Memory) -> list[list[list[int]]]:
    memory = Memory(memory.states.float(), memory.mask, memory.summary.float())
    prompts, device = [[BOS]] * len(memory.mask), memory.mask.device
    # From the random generator whose state is in the checkpoint, so that a resumed run samples the same.
    seeds = torch.randint(2**62, (len(prompts) * SAMPLES,)).tolist()
    found = sampled(model.decoder, prompts, sampling, seeds=seeds, memory=memory, device=device)
    return [[one.tokens for one in of_image] for of_image in found]
