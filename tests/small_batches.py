"""Batches of two rows for the small models."""

import numpy as np
import PIL.Image
import torch
from making import TEXT

from seqgen.batches.examples import Examples
from seqgen.batches.pairs import pairs
from seqgen.batches.windows import windows

IMAGE = PIL.Image.new("RGB", (32, 32), "red")


def example(bundle, given, targets):
    return Examples(bundle.collate([bundle.encode(one) for one in given]), torch.tensor(targets))


def pair(bundle, *given):
    targets = [np.array([5, 6, 7]), np.array([8])]
    return pairs(bundle.collate([bundle.encode(one) for one in given]), targets)._replace(numbers=(0, 1))


def text(bundle):
    rows = np.stack([bundle.tokenizer.encode(TEXT[begin : begin + 12]) for begin in (0, 5)])
    return list(windows(rows, 6))
