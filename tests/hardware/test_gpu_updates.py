"""Updates on a GPU, a real or a pretended one: they are those of the CPU, which seldom waits for the GPU."""

from functools import partial
from itertools import cycle, islice, pairwise

import numpy as np
import pytest
import torch
from making import (
    make_captioner,
    make_conditional_generator,
    make_generator,
    make_image_classifier,
    make_tagger,
    make_text_classifier,
    make_translator,
)
from pretended_gpu import waits
from small_batches import IMAGE, example, pair, text

from seqgen.batches.stream import Stream
from seqgen.errors import InputError
from seqgen.training.averaging import Average
from seqgen.training.loop import Progress, train_steps
from seqgen.training.losses import next_token, right_answer, target_tokens
from seqgen.training.optimizers import optimizers
from seqgen.training.schedules import Schedule
from seqgen.training.trial import update


def tagged(bundle):
    return [example(bundle, ["the", "cat"], [[0, 1, 2], [2, 1, 0]])] * 2


# A model of each pattern, its batches, and its loss.
LEARNERS = {
    "generator": (partial(make_generator, layers=2), text, next_token),
    "text classifier": (make_text_classifier, lambda bundle: [example(bundle, ["fine", "dull"], [1, 0])], right_answer),
    "image classifier": (make_image_classifier, lambda bundle: [example(bundle, [IMAGE, IMAGE], [1, 2])], right_answer),
    "tagger": (make_tagger, tagged, right_answer),
    "translator": (make_translator, lambda bundle: [pair(bundle, "the cat sat.", "on")], target_tokens),
    "captioner": (make_captioner, lambda bundle: [pair(bundle, IMAGE, IMAGE)], target_tokens),
    "conditional generator": (make_conditional_generator, lambda bundle: [pair(bundle, "cat", "dog")], target_tokens),
}


@pytest.mark.parametrize(("make", "batches", "loss"), LEARNERS.values(), ids=LEARNERS)
def test_the_losses_are_those_of_the_cpu(gpu, make, batches, loss):
    losses = []
    for device in (torch.device("cpu"), gpu):
        bundle = make().to(device)
        learning = optimizers(bundle.model, "adamw", 0.001), Schedule(max_steps=20)
        steps = train_steps(bundle.model, cycle(batches(bundle)), *learning, loss_function=loss)
        losses.append([step.loss for step in steps])
    assert losses[0][-1] < losses[0][0]
    assert losses[1] == pytest.approx(losses[0], rel=5e-3)  # a GPU's products have 10 bits, where it may choose


class Counted:
    """Batches that note how often the program had waited for the GPU when each was asked for."""

    def __init__(self, batches):
        self.batches, self.waits = batches, []

    def __iter__(self):
        for batch in cycle(self.batches):
            self.waits.append(len(waits))
            yield batch


@pytest.mark.skipif(torch.cuda.is_available(), reason="a real GPU does not say what waits for it")
@pytest.mark.parametrize(("make", "batches", "loss"), LEARNERS.values(), ids=LEARNERS)
def test_an_update_waits_once_and_after_the_next_batch_was_made(gpu, make, batches, loss):
    bundle = make().to(gpu)
    average, counted = Average(bundle.model, lambda updates: 10.0), Counted(batches(bundle))
    learning = optimizers(bundle.model, "muon"), Schedule(max_steps=5)
    after = []
    for _ in train_steps(bundle.model, counted, *learning, loss_function=loss):
        average.update_parameters(bundle.model)
        after.append(len(waits))
    assert [later - earlier for earlier, later in pairwise(after)][1:] == [1, 1, 1]  # Muon decides at its first update
    assert counted.waits[2:] == [waited - 1 for waited in after[1:]]


def test_batches_made_ahead_leave_paused_training_as_it_was(gpu):
    stream, losses = Stream(np.random.default_rng(0).integers(4, 12, 600), 4, 16), []
    for pauses in ([4], [2, 4]):
        model = make_generator(dropout=0.5).to(gpu).model
        learning, progress, carry = (optimizers(model, "adamw"), Schedule(max_steps=4)), Progress(), None
        losses.append([])
        for pause in pauses:
            batches = stream.starting_at(progress.steps)
            steps = train_steps(model, batches, *learning, progress=progress, carry=carry)
            for step in islice(steps, pause - progress.steps):
                losses[-1].append(step.loss)
            progress, carry = step.progress, step.carry
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a real GPU does not say what waits for it")
def test_a_batch_is_waited_for_on_its_way_back_alone(gpu):
    [batch, _] = text(make_generator())
    moved = batch.to(gpu)
    assert not waits
    back = moved.to("cpu")
    assert len(waits) == 2  # otherwise it might be read before it has arrived
    assert torch.equal(back.inputs, batch.inputs)


def test_an_update_must_fit_the_memory_of_the_gpu(gpu, monkeypatch):
    bundle = make_generator().to(gpu)
    [batch, _] = text(bundle)
    trial = partial(update, "test", bundle.model, batch.to(gpu), next_token, [])
    trial()
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 10**9))
    monkeypatch.setattr(torch.cuda, "memory_reserved", torch.cuda.memory_allocated)
    with pytest.raises(InputError, match=r"an update of .* must fit the memory, .* and there are 0.0 GB"):
        trial()
