"""The machine, as `seqgen doctor` describes it: processor, threads, instructions, versions, and rates of products."""

import os
import platform
from functools import partial
from typing import Any

import torch

from seqgen import __version__
from seqgen.diagnosis.rows import Found, Rows
from seqgen.errors import counted
from seqgen.hardware.devices import LIMITS, describe_device
from seqgen.hardware.precision import DTYPES, EMULATED, has_bf16, is_worth_trying
from seqgen.hardware.rates import product_rate

SETTINGS = (*LIMITS, "OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES")


def machine(device: torch.device) -> Rows:
    """Return the rows that describe a device, and the software on it."""
    described = describe_device(device)
    rows = {"device": f"{device}: {described.get('name', device.type)}"}
    if device.type == "cpu":
        names = [name for name in described["instructions"] if "bf16" in name]
        rows["cores"] = f"{described['cores']}; torch uses {counted(described['threads'], 'thread')}"
        own = ", ".join(names) or "none"
        rows["instructions"] = f"{described['used']} in torch's kernels; the processor's own for bf16: {own}"
    limits = [f"{name}={os.environ[name]}" for name in SETTINGS if name in os.environ]
    rows["limited by"] = ", ".join(limits) or "nothing in the environment"
    rows["versions"] = f"seqgen {__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    return {name: partial(Found, text, text) for name, text in rows.items()}


def products(device: torch.device) -> Rows:
    """Return a row for the rate of matrix products in each precision."""

    def row(precision: str) -> Found:
        rate = product_rate(device, DTYPES[precision]) / 1e9
        remark = _remark(device) if precision == "bf16" else ""
        data: dict[str, Any] = {"gflop_per_second": rate} | ({"remark": remark} if remark else {})
        return Found(f"{rate:,.{0 if rate >= 10 else 2}f} GFLOP/s{'; ' if remark else ''}{remark}", data)

    return {precision: partial(row, precision) for precision in DTYPES}


def _remark(device: torch.device) -> str:
    if not has_bf16(device):
        return "not used, because there are no LSTMs in bf16 here"
    if not is_worth_trying(device):
        return f"not used, because small products take more than {EMULATED:g} times as long as in fp32"
    return ""
