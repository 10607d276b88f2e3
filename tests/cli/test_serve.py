"""`seqgen serve`: mistakes are sentences, and Ctrl-C ends it at any moment."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from making import make_generator

from seqgen.cli import main as cli
from seqgen.cli.serve import allowed_hosts

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


@pytest.fixture
def run(tmp_path):
    make_generator().save_pretrained(tmp_path / "mine" / "model")
    return tmp_path / "mine"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "70000"], "--port must be from 0 to 65535, not 70000"),
        (["--port", "-1"], "--port must be from 0 to 65535, not -1"),
        (["--port", "http"], "--port must be a whole number"),
        (["--host", "no such host"], "--host must be an address of this machine"),
        (["--host", "192.0.2.1", "--port", "0"], "--host must be an address of this machine"),
        (["--hots", "127.0.0.1"], "did you mean --host"),
        (["--device", "cuda:99", "--port", "0"], "cuda:99"),
    ],
)
def test_a_mistake_is_a_sentence(run, command, options, words):
    code, out, err = command(cli.main, "serve", run, *options)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_a_run_that_is_not_there_is_named(run, command):
    code, _, err = command(cli.main, "serve", run, run.parent / "yours", "--port", 0)
    assert code == 2
    assert "yours" in err


def test_a_port_in_use_is_named_with_another_to_try(run, command):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, _, err = command(cli.main, "serve", run, "--port", port)
    assert code == 2
    assert f"--port {port} " in err
    assert f"try --port {port + 1}" in err


def test_without_the_extra_it_says_what_to_install(run, command, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "seqgen.serving.server", raising=False)
    code, _, err = command(cli.main, "serve", run)
    assert code == 2
    assert 'pip install "seqgen[serve]"' in err


def test_only_names_that_were_asked_for_are_allowed_beside_local_ones(capsys):
    assert allowed_hosts("127.0.0.1", None) == ["localhost", "127.0.0.1", "::1"]
    assert allowed_hosts("10.0.0.5", None) == ["localhost", "127.0.0.1", "::1", "10.0.0.5"]
    assert capsys.readouterr().err == ""
    assert allowed_hosts("0.0.0.0", None) == ["localhost", "127.0.0.1", "::1"]
    assert "--allowed_host" in capsys.readouterr().err
    assert allowed_hosts("::", "Tower, 10.0.0.5")[3:] == ["tower", "10.0.0.5"]


@pytest.mark.processes
def test_ctrl_c_ends_it_also_while_a_text_is_written(run):
    command = [sys.executable, "-m", "seqgen", "serve", str(run), "--port", "0", "--allowed_host", "tower"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()
        asked = json.dumps({"prompt": "the ", "max_new_tokens": 5000}).encode()
        headers = {"Content-Type": "application/json", "Host": "tower"}
        request = urllib.request.Request(f"{address}/api/generate", asked, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert json.loads(answer.readline())["pieces"]
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert err.splitlines() == ["open it in a browser; Ctrl-C ends it", "interrupted"]
