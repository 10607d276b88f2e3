import copy

import pytest
import torch
from running import forked
from torch import distributed, nn

from seqgen.training.shared_batch_norm import share_batch_norms

pytestmark = pytest.mark.processes
PRECISIONS = ("fp64", "fp32", "bf16")
PARTS = [slice(0, 1), slice(1, 6)]  # rows of each process, of which one has a single one


def network():
    torch.manual_seed(0)
    # No biases before normalization, whose gradients are all rounding.
    first, second = nn.Conv2d(3, 4, 3, bias=False), nn.Conv2d(4, 5, 3, bias=False)
    layers = nn.Sequential(first, nn.BatchNorm2d(4), nn.ReLU(), second, nn.BatchNorm2d(5))
    for number in (1, 4):
        nn.init.normal_(layers[number].weight)
    return layers


def learned(layers, images, precision):
    """The output, gradients and running statistics after a forward and a backward pass, twice."""
    layers, images = (one.double() if precision == "fp64" else one for one in (layers, images))
    for _ in range(2):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            out = layers(images)
        out.to(images.dtype).pow(3).sum().backward()
    gradients = [parameter.grad for parameter in layers.parameters()]
    return out.detach(), gradients, [buffer.double() for buffer in layers.buffers()]


def learn(rank, images, meeting, answers):
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=len(PARTS))
    found = {one: learned(share_batch_norms(network()), images[PARTS[rank]], one) for one in PRECISIONS}
    torch.save(found, f"{answers}{rank}")


@pytest.fixture(scope="module")
def images():
    # A mean that is large against the deviation, where the squares cancel.
    return torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1)) + 5


@pytest.fixture(scope="module")
def found(images, tmp_path_factory):
    """What two processes learned."""
    folder = tmp_path_factory.mktemp("processes")
    arguments = images, folder / "meeting", folder / "answers"
    for process in [forked(learn, rank, *arguments) for rank in range(len(PARTS))]:
        process.join()
    return [torch.load(f"{arguments[2]}{rank}") for rank in range(len(PARTS))]


@pytest.mark.parametrize(("precision", "rounding"), [("fp64", 1e-12), ("fp32", 1e-4)])
def test_processes_normalize_by_the_rows_of_all(images, found, precision, rounding):
    outputs, gradients, statistics = learned(network(), images, precision)
    for (output, _, running), rows in zip([two[precision] for two in found], PARTS, strict=True):
        torch.testing.assert_close(output, outputs[rows], atol=rounding, rtol=rounding)
        for mine, all_of_them in zip(running, statistics, strict=True):
            torch.testing.assert_close(mine, all_of_them, atol=rounding, rtol=rounding)
    for one, other, whole in zip(*(two[precision][1] for two in found), gradients, strict=True):
        torch.testing.assert_close(one + other, whole, atol=whole.abs().max().item() * rounding, rtol=rounding)


def test_they_do_so_in_bf16_too(images, found):
    outputs = learned(network(), images, "bf16")[0]
    for (output, _, _), rows in zip([two["bf16"] for two in found], PARTS, strict=True):
        assert output.dtype == outputs.dtype
        torch.testing.assert_close(output, outputs[rows], atol=0.1, rtol=0.1)


def test_evaluation_and_what_is_saved_are_unchanged(images):
    layers = network().eval()
    before, names = layers(images), list(layers.state_dict())
    shared = share_batch_norms(copy.deepcopy(layers))
    assert torch.equal(shared(images), before)
    assert list(shared.state_dict()) == names
