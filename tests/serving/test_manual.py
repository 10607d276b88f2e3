"""The curl lines of the manual work."""

import json
import re
import shutil
import subprocess

import PIL.Image
import pytest
from pages import MANUAL, PAGES

from seqgen.serving.app import POSTED

LINES = re.findall(r"^curl .*$", PAGES[MANUAL], flags=re.MULTILINE)
KINDS = {"mine": "generator", "names": "conditional_generator", "tkinter": "cat"}


def test_every_address_is_shown():
    shown = set(re.findall(r"localhost:8000([\w/]+)", "\n".join(LINES)))
    assert shown == {*POSTED, "/api/models", "/v1/models"}


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize("line", LINES)
def test_a_curl_line_works(server, line, tmp_path):
    PIL.Image.new("RGB", (40, 30)).save(tmp_path / "photo.jpg")
    for name, made in KINDS.items():
        line = line.replace(f'"{name}"', f'"{made}"')
    line = line.replace("localhost:8000", server.address).replace("def main():", "the cat").replace("def ", "the ")
    line = line.replace("curl", "curl --silent --show-error --fail --noproxy '*'", 1)
    found = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr + found.stdout
    for answer in found.stdout.splitlines():
        assert "error" not in json.loads(answer)
