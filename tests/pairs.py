"""Runs of a recipe in several processes, as `torchrun` starts them, without its imports."""

import os
import socket
import time

from running import finish, start


def start_together(name, *arguments, processes=2):
    """Start a recipe in so many processes, each with its stderr in a file beside the run: its name, `.log` and rank."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": str(processes)}
    ranks = [{"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(processes)]
    logs = [f"{log_of(arguments)}{rank}" for rank in range(processes)]
    return [start(name, *arguments, log=log, **meeting, **rank) for log, rank in zip(logs, ranks, strict=True)]


def log_of(arguments):
    """The file beside the directory of a run for its stderr."""
    return f"{arguments[arguments.index('--output_dir') + 1]}.log"


def train_together(name, *arguments, processes):
    """Run a recipe in so many processes, or in one alone; all must succeed."""
    log = log_of(arguments)
    if processes == 1:
        return finish(start(name, *arguments, log=log), log)
    for rank, process in enumerate(start_together(name, *arguments, processes=processes)):
        finish(process, f"{log}{rank}")


def wait_for_checkpoint(processes, directory, step=1, seconds=60):
    """Wait until a run has saved a checkpoint of this update, or a later one."""
    end = time.monotonic() + seconds
    while all(one.is_alive() for one in processes) and time.monotonic() < end:
        if any(int(path.stem.split("-")[1]) >= step for path in directory.glob("state/step-*.safetensors")):
            return
        time.sleep(0.005)


def leave_quickly(processes, seconds=20):
    """Wait for the end of all processes, and return their exit codes: None for one that goes on."""
    end = time.monotonic() + seconds
    for process in processes:
        process.join(max(end - time.monotonic(), 0))
    codes = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
    return codes


def send(process, number):
    """Send a signal to a process."""
    os.kill(process.pid, number)
