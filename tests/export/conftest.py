from contextlib import suppress
from functools import cache

import pytest


@pytest.fixture(autouse=True, scope="session")
def translations():
    """The exporter reads the sources of its 500 translations for each graph; here, where it can be, once."""
    with pytest.MonkeyPatch.context() as patch:
        with suppress(ImportError, AttributeError):  # of torch's own, whose next version may have another
            from torch.onnx._internal.exporter._registration import ONNXRegistry

            patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(cache(ONNXRegistry.from_torchlib)))
        yield
