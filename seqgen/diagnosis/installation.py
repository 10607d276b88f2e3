"""Checks of the installation: packages, cache, and models that learn, are saved and write."""

import importlib
import importlib.metadata
import pkgutil
import re
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from seqgen.diagnosis.rows import Found, Rows, sentence
from seqgen.errors import InputError
from seqgen.files import cache_directory

MODULES = {"pillow": "PIL", "scikit-learn": "sklearn", "pyyaml": "yaml"}  # named otherwise than their packages

# Functions of the device that say what works, or raise.
TRIALS = {
    "torchvision's operators": "seqgen.diagnosis.trials:operators",
    "learning": "seqgen.diagnosis.trials:learning",
    "saving and loading": "seqgen.diagnosis.trials:saving",
    "repeating a text": "seqgen.diagnosis.trials:repeating",
}


class Requirement(NamedTuple):
    """A package that seqgen needs, the lowest version of it, and the extra that it belongs to, or ""."""

    package: str
    lowest: str
    extra: str

    @property
    def wanted(self) -> str:
        """The requirement as pip takes it."""
        return f'"{self.package}>={self.lowest}"' if self.lowest else self.package


def installation(device: Any) -> Rows:
    """Return a row for each check; the text of one that succeeds begins with "ok"."""
    needed = list(requirements())
    rows: Rows = {each.package: partial(_package, each) for each in needed if not each.extra}
    if not needed:
        rows["seqgen"] = _not_installed
    for extra in sorted({each.extra for each in needed if each.extra}):
        rows[f"extra {extra}"] = partial(_extra, [each for each in needed if each.extra == extra])
    trials: Rows = {name: partial(_trial, pkgutil.resolve_name, place, device) for name, place in TRIALS.items()}
    return {**rows, "cache": _cache, **trials}


def requirements() -> Iterator[Requirement]:
    """Yield what the installed package says that it needs; nothing where it is not installed."""
    try:
        texts = importlib.metadata.requires("seqgen") or []
    except importlib.metadata.PackageNotFoundError:
        return
    for text in texts:
        wanted, _, condition = text.partition(";")
        package, lowest, extra = (
            re.search(pattern, part)
            for pattern, part in ((r"[\w.-]+", wanted), (r">=\s*([\w.]+)", wanted), (r"extra == .([\w-]+)", condition))
        )
        assert package is not None
        yield Requirement(package[0], lowest[1] if lowest else "", extra[1] if extra else "")


def _package(needed: Requirement) -> Found:
    version = _version(needed.package)
    if version is None:
        raise InputError(f"it is missing; install it: python -m pip install {needed.wanted}")
    if _numbers(version) < _numbers(needed.lowest):
        raise InputError(
            f"version {version} is older than {needed.lowest}; update it: python -m pip install {needed.wanted}"
        )
    try:
        importlib.import_module(MODULES.get(needed.package, needed.package.replace("-", "_")))
    except (Exception, SystemExit) as error:
        again = f"python -m pip install --force-reinstall {needed.wanted}"
        raise InputError(
            f"version {version} cannot be imported ({sentence(error)}); install it again: {again}"
        ) from None
    return _ok(version)


def _not_installed() -> Found:
    raise InputError("it is not installed, so its packages are not known; in its folder: python -m pip install .")


def _extra(needed: list[Requirement]) -> Found:
    """Return whether the packages of an extra are there; that they are not is no failure."""
    missing = [each.wanted for each in needed if _version(each.package) is None]
    names = ", ".join(each.package for each in needed)
    if missing:
        command = f"python -m pip install {' '.join(missing)}"
        return Found(f"missing, for those who want it: {command}", {"present": False, "install": command})
    return Found(f"present: {names}", {"present": True})


def _cache() -> Found:
    try:
        folder = cache_directory()
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"{error.filename or 'the cache'} cannot be written ({error.strerror}); set XDG_CACHE_HOME to a folder of "
            "your own, or nothing will be kept"
        ) from None
    return _ok(f"{folder} can be written")


def _trial(resolve: Callable[[str], Any], place: str, device: Any) -> Found:
    try:
        function = resolve(place)
    except Exception as error:
        raise InputError(f"it cannot be tried until what is wrong above is mended ({sentence(error)})") from None
    return _ok(function(device))


def _ok(found: str) -> Found:
    return Found(f"ok, {found}", found)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> list[int]:
    """Return the numbers of a version by which it is older than another."""
    return [int(number) for number in re.findall(r"\d+", version.partition("+")[0])]
