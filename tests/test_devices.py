import pytest
import torch

from seqgen import devices
from seqgen.errors import InputError


def test_bf16_is_chosen_where_it_was_clearly_faster(monkeypatch):
    for seconds, chosen in ((0.4, "bf16"), (0.9, "fp32"), (float("inf"), "fp32")):
        times = {torch.float32: 1.0, torch.bfloat16: seconds}
        monkeypatch.setattr(devices, "_fastest_product", lambda device, dtype, size, repeats, times=times: times[dtype])
        assert devices.faster_precision(torch.device("cpu")) == chosen


def test_each_product_is_timed_in_its_own_precision(monkeypatch):
    timed = []

    def product(device, dtype, size, repeats):
        timed.append((dtype, size))
        return measure(device, dtype, size, repeats)

    measure = devices._fastest_product
    monkeypatch.setattr(devices, "_fastest_product", product)
    devices.faster_precision(torch.device("cpu"), size=64, rounds=1)
    assert {dtype for dtype, _ in timed} == {torch.float32, torch.bfloat16}
    assert 0 < measure(torch.device("cpu"), torch.float32, 64, 1) < 1


def test_large_products_are_not_measured_where_bf16_is_emulated(monkeypatch):
    def product(device, dtype, size, repeats):
        assert size < 700
        return 10.0 if dtype == torch.bfloat16 else 1.0

    monkeypatch.setattr(devices, "_fastest_product", product)
    assert devices.faster_precision(torch.device("cpu"), size=768) == "fp32"


def test_a_device_without_the_type_is_never_faster():
    assert devices._fastest_product(torch.device("meta"), torch.bfloat16, 8, 1) == float("inf")


def test_bf16_is_refused_where_lstms_have_none(monkeypatch):
    def forward(self, *inputs):
        raise RuntimeError("could not create a primitive descriptor")

    monkeypatch.setattr(torch.nn.LSTM, "forward", forward)
    with pytest.raises(InputError, match="--precision must be fp32 or auto on cpu"):
        devices.find_precision("bf16", torch.device("cpu"))
    assert devices.find_precision("fp32", torch.device("cpu")) == "fp32"
