"""The machine of a benchmark, its limits, and the instructions of its processor that torch may use."""

import os
import subprocess
import sys
from typing import Any

import torch
from measuring import Isa, Options, in_turns

from seqgen.errors import InputError, counted
from seqgen.hardware.devices import describe_device, find_device
from seqgen.hardware.rates import product_rate

# What makes torch's libraries leave out instructions; MKL does so on Intel's processors only.
VARIABLES: dict[str, dict[str, str]] = {
    "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"},
    "avx512": {
        "ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI",
        "MKL_ENABLE_INSTRUCTIONS": "AVX512",
        "ATEN_CPU_CAPABILITY": "avx512",
    },
}
NEEDED = {"avx2": ["avx2", "fma3"], "avx512": ["avx512_f", "avx512_bw", "avx512_dq", "avx512_vl"]}


def begin(options: Options) -> tuple[torch.device, dict[str, Any]]:
    """Return the device and its description, which is printed, or leave with the exit code of a child with --isa.

    Raises:
        InputError: the device is not available, or the processor lacks the instructions.
        SystemExit: the child has run the benchmark.
    """
    if options.isa != "native":
        raise SystemExit(run_again(options.isa))
    device = find_device(options.device)
    limits = machine(device)
    show_machine(limits)
    return device, limits


def run_again(isa: Isa) -> int:
    """Run this command in a child, as torch reads the variables when it is imported; return the child's exit code."""
    has = torch.cpu.get_capabilities()
    lacks = [name for name in NEEDED[isa] if not has.get(name)]
    if lacks:
        raise InputError(
            f"--isa must be instructions that the processor has, not {isa}, as this one lacks {', '.join(lacks)}: "
            "leave it out to use all that there are"
        )
    command = [sys.executable, *sys.argv, "--isa", "native"]  # of two values the last one counts
    return subprocess.run(command, env=os.environ | VARIABLES[isa], check=False).returncode


def isa() -> str:
    """Return the instructions that the environment leaves to torch, as --isa names them."""
    return next((name for name, variables in VARIABLES.items() if variables.items() <= os.environ.items()), "native")


def machine(device: torch.device, rounds: int = 9) -> dict[str, Any]:
    """Return what a machine is, and its limits: matrix products in FLOP per second, and bytes read per second."""
    memory, cache = torch.randn(2**26, device=device), torch.randn(2**20, device=device)
    taken = in_turns({"memory": memory.sum, "cache": lambda: [cache.sum() for _ in range(64)]}, rounds)
    return {
        **describe_device(device),
        "isa": isa(),
        "fp32_flops": product_rate(device, torch.float32, rounds),
        "bf16_flops": product_rate(device, torch.bfloat16, rounds),
        "memory_bytes_per_second": 4 * 2**26 / taken["memory"],
        "cache_bytes_per_second": 64 * 4 * 2**20 / taken["cache"],
    }


def show_machine(limits: dict[str, Any]) -> None:
    """Print the description of `machine`."""
    cores = (
        f", {counted(limits['cores'], 'core')}, {counted(limits['threads'], 'thread')}, {limits['used']}"
        if "cores" in limits
        else ""
    )
    print(
        f"{limits['name']}{cores} (--isa {limits['isa']}), torch {limits['torch']}: matrix products "
        f"{limits['fp32_flops'] / 1e9:,.0f} GFLOP/s in fp32 and {limits['bf16_flops'] / 1e9:,.0f} in bf16; reads "
        f"{limits['memory_bytes_per_second'] / 1e9:.0f} GB/s from memory and "
        f"{limits['cache_bytes_per_second'] / 1e9:.0f} from a 4 MiB piece of cache"
    )
