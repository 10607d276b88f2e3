"""Convolutional networks that turn images into a grid of features: our own small one, or pretrained ones by name.

Torchvision is imported only when one of its networks is used. The weights of EfficientNet-Lite come as Python packages,
so that a pretrained network works without a download.
"""

import hashlib
import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from seqgen.errors import InputError, nearest
from seqgen.hardware.memory import FLOAT, require_memory
from seqgen.nn import efficientnet_lite
from seqgen.nn.cnn import STAGES, small_cnn
from seqgen.nn.efficientnet_lite import EfficientNetLite

SMALL = "small"
LITE = tuple(efficientnet_lite.IMAGE_SIZES)
LITE0 = LITE[0]
CLASSIFIER_PARTS = {"avgpool", "fc", "classifier", "heads", "head", "AuxLogits", "aux1", "aux2", "dropout"}


def backbone(name: str, width: int = 16) -> tuple[nn.Module, int]:
    """Return an untrained network without its classifier, and the number of features of its grid.

    Args:
        name: "small", "efficientnet_lite0" to "efficientnet_lite2", or a torchvision model.
        width: channels of the first stage of the small network.

    Raises:
        InputError: an unknown network, or one without a grid of features.
    """
    if name == SMALL:
        return small_cnn(width), width * 2 ** (STAGES - 1)
    if name in LITE:
        return EfficientNetLite(efficientnet_lite.whole_network(name)), efficientnet_lite.FEATURES
    network = _without_classifier(name, _whole(name))
    try:
        with torch.no_grad():
            _, features, _, _ = network.eval()(torch.zeros(0, 3, 224, 224)).shape  # none: only the shape is wanted
    except (RuntimeError, NotImplementedError, ValueError, AssertionError):
        raise InputError(f"--backbone must be a convolutional network, but {name} gives no grid of features") from None
    return network.train(), features


@torch.no_grad()
def grid_shape(network: nn.Module, image_size: int) -> tuple[int, int]:
    """Return the rows and columns of a network's grid for square images of `image_size` pixels a side."""
    require_memory(8 * 3 * FLOAT * image_size**2, f"an image of {image_size:,} pixels a side in a network")
    rows, columns = network.eval()(torch.zeros(0, 3, image_size, image_size)).shape[2:]
    network.train()
    return rows, columns


def expected_input(name: str, weights: str) -> dict[str, Any] | None:
    """Return the preprocessing of images that pretrained weights expect, as plain data; None for weights "none".

    Raises:
        InputError: an unknown network, or unknown weights.
    """
    if weights == "none":
        return None
    if name == SMALL:
        raise InputError(f"--weights must be none for the {SMALL} backbone, not {weights!r}")
    if name in LITE:
        return efficientnet_lite.expected_preprocessing(name)
    transforms = _find_weights(name, "default" if Path(weights).is_file() else weights).transforms()
    size = transforms.crop_size[0]
    return {
        "size": size,
        "mean": list(transforms.mean),
        "deviation": list(transforms.std),
        "interpolation": transforms.interpolation.value,
        "border": (1 - size / max(transforms.resize_size[0], size)) / 2,
    }


def load_pretrained(network: nn.Module, name: str, weights: str) -> None:
    """Load pretrained weights into a network from `backbone`.

    Args:
        network: changed in place.
        name: of the network.
        weights: "default" or another of torchvision's names, downloaded where its cache lacks them, or a file; those of
            EfficientNet-Lite come as a package.

    Raises:
        InputError: they do not exist, cannot be downloaded, or belong to another network.
    """
    if name == SMALL:
        raise InputError(f"--weights must be none for the {SMALL} backbone, not {weights!r}")
    if Path(weights).is_file():
        tensors = _read_weights(Path(weights))
    elif name in LITE:
        tensors = _read_weights(efficientnet_lite.weights_file(name, weights))
    else:
        tensors = _download(name, weights)
    whole = _whole(name)
    try:
        whole.load_state_dict(tensors)
    except (RuntimeError, TypeError, AttributeError) as error:  # the last two of what is no mapping of tensors
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"--weights must be those of {name}, but {weights} are not: {reason}") from None
    pretrained = EfficientNetLite(whole) if name in LITE else _without_classifier(name, whole)
    network.load_state_dict(pretrained.state_dict())


def _whole(name: str) -> Any:
    """Return an untrained network with its classifier."""
    if name in LITE:
        return efficientnet_lite.whole_network(name)
    return _torchvision().models.get_model(_known(name), weights=None)


def _find_weights(name: str, weights: str) -> Any:
    try:
        return _torchvision().models.get_model_weights(_known(name))[weights.upper()]
    except KeyError:
        raise InputError(f"--weights must be default, none, a file or one of torchvision's, not {weights!r}") from None


def _download(name: str, weights: str) -> dict[str, Tensor]:
    found = _find_weights(name, weights)
    _delete_damaged(Path(torch.hub.get_dir()) / "checkpoints" / found.url.rpartition("/")[2])
    try:
        tensors: dict[str, Tensor] = found.get_state_dict(progress=True, check_hash=True, weights_only=True)
    except OSError as error:
        raise InputError(
            f"the weights of {name} cannot be downloaded ({_line(error)}): get {found.url} elsewhere, and give the "
            "file as --weights"
        ) from None
    return tensors


def _delete_damaged(path: Path) -> None:
    """Delete a file whose name ends in the beginning of its checksum, as torchvision's do, where that is another."""
    checksum = re.search(r"-([0-9a-f]{8,})\.", path.name)
    if checksum and path.is_file():
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not digest.startswith(checksum[1]):
            path.unlink()


def _read_weights(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        tensors: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # each format has errors of its own
        raise InputError(f"--weights must be a file of tensors, but {path} is not: {_line(error)}") from None
    return tensors


def _known(name: str) -> str:
    names = _torchvision().models.list_models(module=_torchvision().models)
    if name not in names:
        hint = nearest(name, [SMALL, *LITE, *names])
        raise InputError(f"--backbone must be {SMALL}, {', '.join(LITE)} or a torchvision model, not {name!r}{hint}")
    return name


def _without_classifier(name: str, model: nn.Module) -> nn.Sequential:
    parts = dict(model.named_children())
    kept = (
        ("features", "norm", "permute")
        if "features" in parts
        else [part for part in parts if part not in CLASSIFIER_PARTS]
    )
    return nn.Sequential(OrderedDict((part, parts[part]) for part in kept if part in parts))


def _torchvision() -> Any:
    try:
        import torchvision
    except (ImportError, RuntimeError) as error:  # built for another torch, it fails while it registers its operators
        raise InputError(
            f"torchvision must fit torch {torch.__version__}, but it cannot be imported ({_line(error)}): "
            "python -m pip install --upgrade torch torchvision"
        ) from None
    return torchvision


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
