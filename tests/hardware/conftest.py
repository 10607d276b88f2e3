from contextlib import nullcontext

import pytest
import torch
from pretended_gpu import GPU, pretended_gpu


@pytest.fixture
def gpu(monkeypatch):
    """The GPU of this machine, or a pretended one."""
    with nullcontext(GPU) if torch.cuda.is_available() else pretended_gpu(monkeypatch) as device:
        yield device
