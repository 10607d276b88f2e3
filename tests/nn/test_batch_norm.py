import pytest
import torch
from torch import nn

from seqgen.nn.backbones import backbone
from seqgen.nn.image_encoder import ImageEncoder
from seqgen.nn.pooling import Mean


# Of such images the last grid of the network has one position.
@pytest.mark.parametrize(("name", "size"), [("small", 16), ("resnet18", 32), ("mobilenet_v3_small", 32)])
def test_an_image_alone_is_trained_on(name, size):
    torch.manual_seed(0)
    network, features = backbone(name)
    names = list(network.state_dict())
    encoder = ImageEncoder(network, features, Mean()).train()
    assert list(encoder.backbone.state_dict()) == names
    layers = [part for part in encoder.modules() if isinstance(part, nn.BatchNorm2d)]
    before = [layer.running_mean.clone() for layer in layers]
    memory = encoder(torch.randn(1, 3, size, size))
    assert memory.states.shape == (1, 1, features)
    memory.summary.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in encoder.parameters() if parameter.grad is not None)
    # Where there are several values their statistics count, as always.
    assert not torch.equal(layers[0].running_mean, before[0])
    assert torch.equal(layers[-1].running_mean, before[-1])
    assert all(layer.running_var.isfinite().all() for layer in layers)


def test_several_images_are_normalized_as_by_torch():
    network, features = backbone("small")
    images = torch.randn(2, 3, 16, 16)
    expected = network(images)
    torch.testing.assert_close(ImageEncoder(network, features, Mean()).train().backbone(images), expected)
