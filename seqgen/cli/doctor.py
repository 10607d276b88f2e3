"""`seqgen doctor`: the machine, what every part uses on it and why, and whether the installation is sound.

Nothing that may be missing or broken is imported outside a row of the report.
"""

import json
import pkgutil
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from seqgen.diagnosis.rows import NO_BREAK, Found, Rows, sentence
from seqgen.errors import InputError

# The functions that return the rows of a device, and the title of the section.
SECTIONS = {
    "machine": ("Machine", "seqgen.diagnosis.machine:machine"),
    "products": ("Matrix products", "seqgen.diagnosis.machine:products"),
    "decisions": (
        "Decisions: the fastest way to make one call (fewer threads only where 15 % faster)",
        "seqgen.diagnosis.fastest:fastest",
    ),
    "installation": ("Installation", "seqgen.diagnosis.installation:installation"),
}
DEFAULTS = {"device": "auto", "measure_again": False, "json": False}
COLUMN = 26  # letters of a row's name


def doctor(arguments: list[str]) -> None:
    """Show the machine, what every part uses on it and why, and whether the installation is sound.

    Raises:
        InputError: the device is not available.
        SystemExit: with 1, where a row has failed.
    """
    options = _options(arguments)
    device = _device(options["device"])
    if options["measure_again"] and device is not None:
        pkgutil.resolve_name("seqgen.diagnosis.fastest:forget_all")(device)
    report: dict[str, dict[str, Any]] = {}
    failed = 0
    for section, (title, place) in SECTIONS.items():
        report[section] = {}
        if not options["json"]:
            print(f"\n{title}" if len(report) > 1 else title)
        for name, found in _rows(section, place, device):
            failed += isinstance(found, str)
            report[section][name] = {"failed": found} if isinstance(found, str) else found.data
            if not options["json"]:
                _show(name, f"FAILED: {found}" if isinstance(found, str) else found.text)
    if options["json"]:
        print(json.dumps({**report, "sound": not failed}, indent=1, ensure_ascii=False))
    if failed:
        sys.exit(1)


def _options(arguments: list[str]) -> dict[str, Any]:
    try:
        from seqgen.options import new_parser, parse
    except Exception:  # jsonargparse is missing or broken, as the report will say
        return DEFAULTS | {option.strip("-"): True for option in arguments if option in ("--json", "--measure_again")}
    parser = new_parser(doctor.__doc__ or "", prog="seqgen doctor")
    parser.add_argument("--device", type=str, default=DEFAULTS["device"], help="auto, cpu, cuda, cuda:1, mps and so on")
    parser.add_argument("--measure_again", action="store_true", help="forget what was decided here, and measure anew")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parse(parser, arguments, {"device": str, "measure_again": bool, "json": bool})


def _device(name: str) -> Any:
    try:
        pkgutil.resolve_name("seqgen.hardware.devices:use_huge_pages")()  # as in training
        return pkgutil.resolve_name("seqgen.hardware.devices:find_device")(name)
    except InputError:
        raise
    except Exception:  # torch is missing or broken, as the report will say
        return None


def _rows(section: str, place: str, device: Any) -> Iterator[tuple[str, Found | str]]:
    """Yield the name of each row of a section with what it found, or the sentence about its failure."""
    try:
        rows: Rows = pkgutil.resolve_name(place)(device)
    except Exception as error:
        yield section, f"it cannot be shown, because of what is wrong below ({sentence(error)})"
        return
    for name, row in rows.items():
        try:
            yield name, row()
        except InputError as error:
            yield name, str(error)
        except (Exception, SystemExit) as error:
            yield name, f"{sentence(error)}; please report this with the rest of what is shown here"


def _show(name: str, text: str) -> None:
    """Print a row: its name, and its text beside it, wrapped on a terminal."""
    width = min(shutil.get_terminal_size().columns, 120) if sys.stdout.isatty() else sys.maxsize
    margin, name = " " * (COLUMN + 4), f"  {name:<{COLUMN}}  "
    for line in text.split("\n"):
        filled = textwrap.fill(line, width, initial_indent=name, subsequent_indent=margin, break_on_hyphens=False)
        print(filled.replace(NO_BREAK, " "))
        name = margin
    sys.stdout.flush()
