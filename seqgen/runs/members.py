"""The further members of a run's ensemble: runs of the same recipe, side by side in processes of their own."""

import os
import shlex
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, STDOUT, Popen, TimeoutExpired
from typing import Any, NamedTuple, TypeVar

from seqgen.errors import InputError, counted
from seqgen.files import read_options
from seqgen.inference.bundle import Bundle
from seqgen.inference.ensemble import ensemble
from seqgen.runs.command import command
from seqgen.runs.option_kinds import FREE_ON_RESUME
from seqgen.runs.run import Run
from seqgen.runs.stopping import PARENT

B = TypeVar("B", bound=Bundle[Any])

OWN = {"resume", "output_dir", "ensemble"}  # options that each member has for itself
PATIENCE = 60.0  # seconds that members have to save and end


class Member(NamedTuple):
    """The process of a member, the file of its output, and where in it this process began."""

    process: "Popen[bytes]"
    output: Path
    begin: int


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
        self._members: dict[Path, Member] = {}

    def start(self) -> None:
        """Start the training of each further member, or resume it, in a process of its own.

        Its output is in a file beside its directory.
        """
        for number, directory in enumerate(self.run.members, start=1):
            directory.parent.mkdir(exist_ok=True)
            path = directory.with_name(f"{directory.name}.log")  # beside the directory, which must be empty at first
            begin = path.stat().st_size if path.exists() else 0
            with open(path, "ab") as output:
                arguments = [sys.executable, sys.argv[0], "--output_dir", str(directory), *self._options(number)]
                files: dict[str, Any] = {"stdin": DEVNULL, "stdout": output, "stderr": STDOUT}
                environment = os.environ | {PARENT: str(os.getpid())}  # so that it ends where this process was killed
                # In a session of its own, as a member that gets Ctrl-C, too, and then `stop`, would not save.
                process = Popen(arguments, **files, env=environment, start_new_session=True)
                self._members[directory] = Member(process, path, begin)
        if self.run.members:
            self.run.say(
                f"training {len(self.run.members) + 1} members of an ensemble side by side, with "
                f"{counted(self._threads, 'thread')} each; the others are in "
                f"{self.run.members[0].parent}"
            )

    def _options(self, number: int) -> list[str]:
        config, directory = self.run.config, self.run.members[number - 1]
        if (directory / "resolved.yaml").exists():
            before, now = read_options(directory / "resolved.yaml"), config.resolved()
            changed = {name: now[name] for name in FREE_ON_RESUME - OWN if now.get(name) != before.get(name)}
            return ["--resume", *_words(changed)]
        own: dict[str, Any] = {"seed": config.seed + number, "split_seed": self.run.split_seed}
        own |= {"threads": self._threads, "ensemble": 1}
        # What a model determines that a run begins with must not be given, as resolved options are.
        options = "config.yaml" if config.init_from else "resolved.yaml"
        return ["--config", str(self.run.directory / options), *_words(own)]

    @property
    def _threads(self) -> int:
        return self.run.config.threads or self.run.config.share_of_threads

    def stop(self) -> None:
        """Let the members save a checkpoint, and wait until they have ended."""
        for member in self._members.values():
            if member.process.poll() is None:
                member.process.terminate()
        for member in self._members.values():
            with suppress(TimeoutExpired):
                member.process.wait(PATIENCE)

    @property
    def failure(self) -> str | None:
        """A sentence about the first member that has failed by now, None where there is none."""
        for directory, member in self._members.items():
            if code := member.process.poll():
                how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
                return f"a member of the ensemble, {directory}, {how}: {_last_line(member)}"
        return None

    def require_running(self) -> None:
        """Raise an InputError, which says how to go on, where a member has failed."""
        if failure := self.failure:
            again = command("--output_dir", str(self.run.directory), "--resume")
            raise InputError(f"{failure}; once that is mended, all members go on with {again}")

    def joined(self, first: B) -> B:
        """Return the ensemble of the first member and the others, once they have ended; `first` where there are none.

        Raises:
            InputError: a member has failed.
        """
        if not self._members:
            return first
        self.run.say("waiting for the other members of the ensemble")
        try:
            while any(member.process.poll() != 0 for member in self._members.values()):
                self.require_running()
                time.sleep(0.2)
        except BaseException:
            self.stop()
            raise
        others = [type(first).from_pretrained(directory).to(first.device) for directory in self._members]
        self.run.say(f"testing the ensemble of {len(others) + 1} members")
        joined: B = ensemble([first, *others])
        return joined


def _words(options: dict[str, Any]) -> list[str]:
    given = {name: "null" if value is None else str(value) for name, value in options.items()}
    return [word for name, value in given.items() for word in (f"--{name}", value)]


def _last_line(member: Member) -> str:
    lines = member.output.read_bytes()[member.begin :].decode("utf-8", "replace").split("\n")
    said = next((f"{line.strip()}; " for line in reversed(lines) if line.strip()), "")
    return f"{said}all that it said is in {shlex.quote(str(member.output))}"
