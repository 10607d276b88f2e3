"""Metrics of a run while it trains."""

import json
from itertools import pairwise

import pytest

from seqgen.runs.logger import LINE_EVERY, Logger
from seqgen.training.loop import Progress, Step
from seqgen.training.schedules import Schedule


@pytest.fixture
def log(tmp_path):
    """Log an update every so many seconds, and return the lines that were printed."""

    def logged(capsys, seconds, every):
        logger = Logger(tmp_path, Schedule(max_seconds=seconds))
        for number in range(1, int(seconds / every) + 1):
            logger.log(Step(Progress(number, number * every, number * every, number), 1.5, 1, 0.01, None, False))
        logger.close()
        return capsys.readouterr().err.splitlines()

    return logged


@pytest.mark.parametrize("every", [0.1, 3.0, 25.0])
def test_without_a_terminal_progress_comes_as_lines_every_ten_seconds(log, capsys, every):
    lines = log(capsys, 100.0, every)
    at = [float(line.split(", ")[2].removesuffix(" s: loss 1.500").split(" ")[0]) for line in lines]
    assert all(after - before >= LINE_EVERY - 1 for before, after in pairwise(at))
    assert all(after - before <= max(LINE_EVERY, every) + every + 1 for before, after in pairwise(at))
    assert at[0] <= 2 * max(LINE_EVERY, every) + 1
    assert all("%" in line and "loss 1.500" in line for line in lines)


def test_a_mean_loss_is_written_every_few_updates(log, capsys, tmp_path):
    log(capsys, 10.0, 0.1)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [20, 40, 60, 80, 100]
