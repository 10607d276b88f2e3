import torch

from seqgen import devices


def test_bf16_is_chosen_where_it_was_clearly_faster(monkeypatch):
    for seconds, chosen in ((0.4, "bf16"), (0.9, "fp32"), (float("inf"), "fp32")):
        times = {torch.float32: 1.0, torch.bfloat16: seconds}
        monkeypatch.setattr(devices, "_fastest_product", lambda device, dtype, size, repeats, times=times: times[dtype])
        assert devices.faster_precision(torch.device("cpu")) == chosen


def test_it_is_really_measured():
    assert devices.faster_precision(torch.device("cpu"), size=64) in ("bf16", "fp32")
    assert devices._fastest_product(torch.device("meta"), torch.bfloat16, 8, 1) == float("inf")
