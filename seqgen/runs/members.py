"""The further members of a run's ensemble: runs of the same recipe, side by side in processes of their own."""

import shlex
import sys
from pathlib import Path
from subprocess import DEVNULL, STDOUT, Popen
from typing import Any, TypeVar

from seqgen.errors import InputError, counted
from seqgen.inference.bundle import Bundle
from seqgen.inference.ensemble import ensemble
from seqgen.runs.run import Run

B = TypeVar("B", bound=Bundle[Any])

LIMITS = ("max_steps", "max_seconds", "patience")  # that a resumed run passes on


class Members:
    """The members that `--ensemble` asks for beside the run itself, which is the first; each has another random seed.

    Args:
        run: whose options they have.

    Raises:
        InputError: there are several processes that train together.
    """

    def __init__(self, run: Run):
        if run.members:
            run.alone("ensemble")
        self.run = run
        self._processes: dict[Path, Popen[bytes]] = {}

    def start(self) -> None:
        """Start the training of each further member, or resume it, in a process of its own.

        Its output is in a file beside its directory.
        """
        for number, directory in enumerate(self.run.members, start=1):
            directory.parent.mkdir(exist_ok=True)
            with open(_output(directory), "ab") as output:
                arguments = [sys.executable, sys.argv[0], "--output_dir", str(directory), *self._options(number)]
                # In a session of its own, as a member that gets Ctrl-C, too, and then `stop`, would not save.
                files: dict[str, Any] = {"stdin": DEVNULL, "stdout": output, "stderr": STDOUT}
                self._processes[directory] = Popen(arguments, **files, start_new_session=True)
        if self.run.members:
            self.run.say(
                f"training {len(self.run.members) + 1} members of an ensemble side by side, with "
                f"{counted(self.run.config.threads or 1, 'thread')} each; the others are in "
                f"{self.run.members[0].parent}"
            )

    def _options(self, number: int) -> list[str]:
        config, directory = self.run.config, self.run.members[number - 1]
        if (directory / "resolved.yaml").exists():
            limits = {name: getattr(config, name) for name in LIMITS}
            return ["--resume", *_words({name: value for name, value in limits.items() if value is not None})]
        own: dict[str, Any] = {"seed": config.seed + number, "split_seed": self.run.split_seed}
        own |= {"threads": config.threads, "ensemble": 1}
        return ["--config", str(self.run.directory / "resolved.yaml"), *_words(own)]

    def stop(self) -> None:
        """Let the members save a checkpoint and end."""
        for process in self._processes.values():
            process.terminate()

    def joined(self, first: B) -> B:
        """Return the ensemble of the first member and the others, once they have ended; `first` where there are none.

        Raises:
            InputError: a member has failed.
        """
        if not self._processes:
            return first
        self.run.say("waiting for the other members of the ensemble")
        try:
            for directory, process in self._processes.items():
                if code := process.wait():
                    said = _last_line(_output(directory))
                    raise InputError(f"a member of the ensemble, {directory}, ended with exit code {code}: {said}")
        except BaseException:
            self.stop()
            raise
        others = [type(first).from_pretrained(directory).to(first.device) for directory in self._processes]
        self.run.say(f"testing the ensemble of {len(others) + 1} members")
        joined: B = ensemble([first, *others])
        return joined


def _output(directory: Path) -> Path:
    """Return the file of a member's output, beside its directory, which must be empty at first."""
    return directory.with_name(f"{directory.name}.log")


def _words(options: dict[str, Any]) -> list[str]:
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


def _last_line(file: Path) -> str:
    lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), f"see {shlex.quote(str(file))}")
