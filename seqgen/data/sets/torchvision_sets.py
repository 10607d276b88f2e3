"""Public sets of images that torchvision reads."""

import os
from typing import Any

from seqgen.data.labelled import Labelled
from seqgen.errors import InputError
from seqgen.files import cache_directory

SETS = ("FashionMNIST", "MNIST", "KMNIST", "CIFAR10", "CIFAR100")


def public_pictures(name: str, train: bool) -> Labelled:
    """Return the training or the test split of a set, from `$SEQGEN_DATA` or the cache, or else downloaded.

    Raises:
        InputError: the set is in neither and cannot be downloaded.
    """
    import torchvision

    root = os.environ.get("SEQGEN_DATA") or cache_directory()
    kind: Any = getattr(torchvision.datasets, name)
    try:
        try:
            found = kind(root, train=train, download=False)
        except Exception:  # it is missing, or damaged in one of many ways
            for damaged in (cache_directory() / name / "raw").glob("*-ubyte"):
                damaged.unlink()  # which torchvision would not make anew
            found = kind(cache_directory(), train=train, download=True)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{name} is neither in {root} nor can it be downloaded ({reason}): copy torchvision's files of it there"
        ) from None
    images, numbers = zip(*found, strict=True)
    part = "train" if train else "test"
    where = [f"{name}, {part} image {number}" for number in range(len(images))]
    return Labelled(list(images), [found.classes[number] for number in numbers], where)
