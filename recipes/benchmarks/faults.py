"""The worst hour: runs of every recipe that are killed, or whose disk or clock fails, and what is lost by it.

Each run is resumed until its end and compared with an undisturbed one: its weights, its metrics but for times, its
results and the names of its files must be the same. A process that is not killed must go on, or end with one sentence.

python recipes/benchmarks/faults.py --kills 100 --cores 2
"""

from seqgen.exits import run_main

import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from attempts import Attempt, Chain
from disturbed import Disturbance
from measuring import parse_options, save, show

from seqgen.cli.train import recipes
from seqgen.errors import InputError, nearest

Fault = Literal["kills", "full", "read-only", "vanishing", "clock"]
COUNTED = ("tried", "while saving", "went on", "refused", "bit-equal", "lost")
MOST = 400  # attempts at a run, more than which no disturbance needs


@dataclass(kw_only=True)
class Config:
    """Options of the benchmark of faults."""

    faults: list[Fault] = field(default_factory=lambda: ["kills", "full", "read-only", "vanishing", "clock"])
    """kills by SIGKILL, a disk that is full, read-only or vanishing at each file that is written, a clock that jumps"""
    kills: int = 100
    """number of kills over all recipes"""
    recipes: list[str] = field(default_factory=lambda: list(recipes()))
    """names of the recipes"""
    processes: list[int] = field(default_factory=lambda: [1, 2])
    """numbers of processes that train together"""
    seed: int = 1
    """random seed of the moments"""
    cores: int = 1
    """runs at a time"""
    json: str | None = None
    """a file for the results as JSON"""

    def __post_init__(self) -> None:
        for name in self.recipes:
            if name not in recipes():
                raise InputError(f"--recipes must be of {', '.join(recipes())}{nearest(name, recipes())}")


class Case:
    """A recipe with a number of processes: its undisturbed run, and what became of the others."""

    def __init__(self, config: Config, folder: Path, recipe: str, processes: int):
        self.config, self.folder, self.recipe, self.processes = config, folder, recipe, processes
        self.moments = random.Random(f"{config.seed} {recipe} {processes}")
        # All write their files by the same function.
        self.everywhere = (recipe, processes) == (config.recipes[0], config.processes[0])
        self.lost: list[str] = []
        self.chains = 0
        for _ in range(2):  # the first one waits for imports
            straight, began = self.chain(), time.monotonic()
            if not (end := straight.attempt()).went_on:
                raise InputError(f"{recipe} must run undisturbed, but it ended with: {end.printed}")
            self.seconds = time.monotonic() - began
        self.result = straight.result()

    def chain(self, **options: Any) -> Chain:
        """Return a new run of which there is nothing yet."""
        self.chains += 1
        return Chain(
            self.recipe, self.processes, self.folder / f"{self.recipe}-{self.processes}-{self.chains}", **options
        )

    def row(self, fault: Fault) -> dict[str, Any]:
        """Disturb runs, and return the numbers of what happened."""
        began, before, counts = time.monotonic(), len(self.lost), Counter[str]()
        disturb: dict[Fault, Callable[[Counter[str]], None]] = {"kills": self.kills, "clock": self.clock}
        disturb.get(fault, partial(self.disk, fault))(counts)
        counts["lost"] = len(self.lost) - before
        row: dict[str, Any] = {"fault": fault, "recipe": self.recipe, "processes": self.processes}
        row |= {name: counts[name] for name in COUNTED} | {"seconds": round(time.monotonic() - began)}
        print(", ".join(f"{name} {value}" for name, value in row.items()), file=sys.stderr, flush=True)
        return row

    def kills(self, counts: Counter[str]) -> None:
        """Kill a run again and again, and another one when it has come to its end."""
        wanted = -(-self.config.kills // (len(self.config.recipes) * len(self.config.processes)))
        chain = self.chain()
        while counts["tried"] < wanted:
            kept = chain.kept()
            end, saving = chain.kill(self.moments, self.seconds)
            if end.went_on:
                self.finish(chain, counts)
                chain = self.chain()
                continue
            counts["tried"] += 1
            counts["while saving"] += saving
            counts["refused"] += end.refused and set(end.codes) != {-9}
            self.judge(chain, end, kept, f"killed, {'saving' if saving else 'at a random moment'}")
        self.finish(chain, counts)

    def disk(self, kind: Any, counts: Counter[str]) -> None:
        """Let the disk fail in the first operation, then, resumed, in the first one in which it did not fail yet."""
        chain, struck = self.chain(), set[str]()
        for _ in range(MOST):
            kept = (False, "") if kind == "vanishing" else chain.kept()
            end = chain.attempt(Disturbance(kind, frozenset(struck), self.everywhere))
            if not end.told and end.went_on:
                break
            struck |= set(end.told)
            counts["tried"] += 1
            counts["while saving"] += "run/state" in end.told[0] or "run/model" in end.told[0]
            counts["went on"] += end.went_on
            counts["refused"] += end.refused
            self.judge(chain, end, kept, f"{kind} at {end.told[0]}")
            if kind == "vanishing":
                shutil.rmtree(chain.run, ignore_errors=True)  # what a writer made anew
        self.finish(chain, counts)

    def clock(self, counts: Counter[str]) -> None:
        """Let the clock jump while a run counts its updates, and while it follows the clock."""
        chain, timed = self.chain(), self.chain(limit=("--max_seconds", "5"))
        for one in (chain, timed):
            counts["tried"] += 1
            end = one.attempt(Disturbance("clock", seed=self.moments.randrange(10**6)))
            counts["went on"] += end.went_on
            self.judge(one, end, (False, ""), "a clock that jumps")
        self.finish(chain, counts)
        if not timed.attempt().went_on:
            self.say("resumed after a clock that jumped", timed.attempt())

    def judge(self, chain: Chain, end: Attempt, kept: tuple[bool, str], where: str) -> None:
        """Note what was lost by a disturbance: neither did the run go on, nor was a sentence all that it said."""
        if not (end.went_on or end.refused):
            self.say(where, end)
        model, newest = chain.kept()
        if model < kept[0] or newest < kept[1]:
            self.lost.append(f"{self.recipe}, {self.processes} processes, {where}: {kept} became {(model, newest)}")

    def finish(self, chain: Chain, counts: Counter[str]) -> None:
        """Resume a run until its end, undisturbed, and compare it."""
        end = chain.attempt()
        if not end.went_on:
            return self.say("resumed undisturbed", end)
        result = chain.result()
        different = [name for name in result if result[name] != self.result[name]]
        counts["bit-equal"] += not different
        self.lost += [
            f"{self.recipe}, {self.processes} processes, {name}: {str(result[name])[:500]} instead of "
            f"{str(self.result[name])[:500]}"
            for name in different
        ]
        shutil.rmtree(chain.folder)

    def say(self, where: str, end: Attempt) -> None:
        """Note an end that should not be."""
        last = [text[-1500:] for text in end.printed]
        self.lost.append(f"{self.recipe}, {self.processes} processes, {where}: {end.codes}, hung {end.hung}: {last}")


def main() -> None:
    """Disturb runs, print the table and what was lost, and write the file."""
    config = parse_options(Config, __doc__ or "")
    with TemporaryDirectory() as folder, ThreadPoolExecutor(config.cores) as pool:

        def rows(recipe: str, processes: int) -> tuple[list[dict[str, Any]], list[str]]:
            """Return a row for each fault of a recipe, and what was lost."""
            case = Case(config, Path(folder), recipe, processes)
            return [case.row(fault) for fault in config.faults], case.lost

        pairs = [(recipe, processes) for recipe in config.recipes for processes in config.processes]
        found = list(pool.map(lambda pair: rows(*pair), pairs))
    table = [row for fault in config.faults for rows, _ in found for row in rows if row["fault"] == fault]
    total = {"fault": "all", "recipe": "", "processes": ""}
    total |= {name: sum(row[name] for row in table) for name in (*COUNTED, "seconds")}
    show("Faults", [*table, total])
    lost = [line for _, lines in found for line in lines]
    for line in lost:
        print(f"\nlost: {line}")
    save(config.json, {"rows": table, "lost": lost})


if __name__ == "__main__":
    run_main(main)
