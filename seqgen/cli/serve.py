"""`seqgen serve`."""

import asyncio
import sys
from typing import Any

from seqgen.errors import InputError
from seqgen.hardware.devices import find_device
from seqgen.inference.saved import find_model, used_as
from seqgen.interruptions import handle, interruptions


def serve(options: dict[str, Any]) -> None:
    """Serve models in the browser and over HTTP until Ctrl-C."""
    try:
        from seqgen.serving.server import address, bound, new_server
    except ModuleNotFoundError as error:
        raise InputError(
            f'seqgen serve needs {error.name}, which is not installed: pip install "seqgen[serve]"'
        ) from None
    with bound(options["host"], options["port"]) as listening:  # a mistake is found before models are loaded
        runs = [options["directory"], *options["runs"]]
        directories = [find_model(run) for run in runs]
        device = find_device(options["device"])
        bundles = [used_as(directory).from_pretrained(directory).to(device) for directory in directories]
        from seqgen.serving.app import application
        from seqgen.serving.served import named

        app = application(named(runs, bundles), allowed_hosts(options["host"], options["allowed_host"]))
        handle(interruptions.end)
        print(address(listening), flush=True)
        print("open it in a browser; Ctrl-C ends it", file=sys.stderr)
        asyncio.run(new_server(app).serve(sockets=[listening]))


def allowed_hosts(host: str, allowed: str | None) -> list[str]:
    """Return the names that requests may give for this server: local ones, its address, and those that were allowed."""
    from seqgen.serving.guard import EVERYWHERE, LOCAL

    named = [name.strip().lower() for name in (allowed or "").split(",") if name.strip()]
    if host in EVERYWHERE and not named:
        print("other machines need --allowed_host with the name that they know this one by", file=sys.stderr)
    return list(dict.fromkeys([*LOCAL, *({host.lower()} - EVERYWHERE), *named]))
