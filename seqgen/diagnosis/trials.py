"""Trials of the installation: each says what works, or raises an InputError that says what to do."""

import tempfile
from pathlib import Path

import torch

from seqgen.diagnosis.fastest import usual_batch, usual_generator
from seqgen.errors import InputError
from seqgen.inference.loading import load
from seqgen.training.loop import train_steps
from seqgen.training.optimizers import optimizers
from seqgen.training.schedules import Schedule

AGAIN = "python -m pip install --force-reinstall torch torchvision"


def operators(device: torch.device) -> str:
    """Call an operator that torchvision brings along in a library of its own."""
    try:
        import torchvision

        kept = torchvision.ops.nms(torch.tensor([[0.0, 0, 1, 1], [0, 0, 1, 1]]), torch.tensor([0.5, 0.9]), 0.5)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"torchvision does not fit torch ({reason}); install both from the same place: {AGAIN}"
        ) from None
    if kept.tolist() != [1]:
        raise InputError(f"torchvision's operators are wrong; install it again together with torch: {AGAIN}")
    return "they load"


def learning(device: torch.device) -> str:
    """Make an update of the default generator, so that no decision is needed that was not shown."""
    model = usual_generator().to(device).model
    before = [parameter.detach().clone() for parameter in model.parameters()]
    [step] = train_steps(model, [usual_batch(device)], optimizers(model, "muon"), Schedule(max_steps=1, warm_up=0))
    if any(torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True)):
        raise InputError(f"an update leaves weights as they were; install torch again: {AGAIN}")
    return f"an update from a loss of {step.loss:.2f} nats changes all weights"


def saving(device: torch.device) -> str:
    """Save and load the default generator."""
    generator = usual_generator().to(device)
    with tempfile.TemporaryDirectory() as folder:
        generator.save_pretrained(Path(folder))
        loaded = load(folder).to(device)
    pairs = zip(generator.model.state_dict().values(), loaded.model.state_dict().values(), strict=True)
    if not all(torch.equal(one, other) for one, other in pairs):
        raise InputError("a model is not what was saved; install it again: python -m pip install safetensors")
    return "a loaded model has the weights that were saved"


def repeating(device: torch.device) -> str:
    """Write the same text twice with one random seed."""
    generator = usual_generator().to(device)
    once, again = (generator.generate(max_new_tokens=40, seed=1) for _ in range(2))
    if once != again:
        raise InputError(f"the same random seed gives two different texts; install torch again: {AGAIN}")
    return "the same random seed gives the same text"
