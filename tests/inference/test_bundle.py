import dataclasses
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from making import make_generator

import seqgen
from seqgen.errors import InputError
from seqgen.inference import saved as saved_model
from seqgen.inference.generator import Generator

FILES = [*Generator.files, *saved_model.FILES]


@pytest.fixture
def saved(generator, tmp_path):
    generator.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_a_loaded_model_writes_what_the_saved_one_wrote(cell, tmp_path):
    generator = make_generator(cell=cell, layers=2)
    generator.generation = dataclasses.replace(generator.generation, temperature=0.7)
    generator.save_pretrained(tmp_path)
    for again in (seqgen.load(tmp_path), Generator.from_pretrained(str(tmp_path))):
        assert isinstance(again, Generator)
        assert not again.model.training
        assert again.generation == generator.generation
        assert again.generate("the ", seed=1) == generator.generate("the ", seed=1)
        assert again.score("the cat") == generator.score("the cat")


def test_a_run_directory_stands_for_its_model(saved):
    assert seqgen.load(saved.parent).generate("the", seed=1) == seqgen.load(saved).generate("the", seed=1)


def test_a_saved_model_is_plain_data(saved):
    assert sorted(path.name for path in saved.iterdir()) == sorted([*FILES, "README.md"])
    for name in FILES[:-1]:
        json.loads((saved / name).read_text(encoding="utf-8"))
    config = json.loads((saved / "config.json").read_text(encoding="utf-8"))
    assert config["builder"] == "generator"


@pytest.mark.parametrize("name", FILES)
def test_an_incomplete_model_says_what_is_missing(saved, name):
    (saved / name).unlink()
    with pytest.raises(InputError, match="lacks " + re.escape(name)):
        seqgen.load(saved)


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_model_is_refused(saved, name):
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError) as caught:
        seqgen.load(saved)
    assert "\n" not in str(caught.value)


def change(path, **values):
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**data, **values}), encoding="utf-8")


@pytest.mark.parametrize("values", [{"format": 99}, {"format": None}, {"builder": "oracle"}])
def test_a_model_of_a_newer_version_is_refused(saved, values):
    change(saved / "config.json", **values)
    with pytest.raises(InputError, match="a newer version"):
        seqgen.load(saved)


def test_weights_of_another_size_are_refused(saved):
    change(saved / "config.json", arguments={"hidden_size": 17})
    with pytest.raises(InputError, match="must have the weights of the file"):
        seqgen.load(saved)


def test_what_is_neither_a_directory_nor_a_name_is_refused(tmp_path):
    for source in (tmp_path / "nothing", "./nothing", "nothing"):
        with pytest.raises(InputError, match="there is no folder"):
            seqgen.load(source)


def test_a_model_is_used_only_as_what_it_is(saved, monkeypatch):
    class Oracle(Generator):
        builder = "oracle"

    with pytest.raises(InputError, match="must hold a oracle, but it holds a generator"):
        Oracle.from_pretrained(saved)


def test_a_generator_that_could_not_be_loaded_is_not_saved(generator, tmp_path):
    other = Generator.of(
        generator.model, tokenizer=generator.tokenizer, arguments={**generator.arguments, "hidden_size": 8}
    )
    for unknown in (other, Generator.of(torch.nn.Linear(2, 2), tokenizer=generator.tokenizer)):
        with pytest.raises(InputError, match="that is saved must be what its builder"):
            unknown.save_pretrained(tmp_path / "model")
    assert not (tmp_path / "model").exists()


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as serving and taking one small model needs."""

    commit = "0123456789abcdef0123456789abcdef01234567"

    def log_message(self, *arguments):
        pass

    def answer(self, content, code=200, **headers):
        self.send_response(code)
        for name, value in {"Content-Length": len(content), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        name = self.path.rsplit("/", 1)[1].split("?")[0]
        if "/api/models/you/romeo" in self.path and "/tree/" in self.path:
            tree = [{"type": "file", "path": n, "size": len(c), "oid": "0" * 40} for n, c in self.server.files.items()]
            self.answer(json.dumps(tree).encode(), Content_Type="application/json")
        elif "/api/models/you/romeo" in self.path:
            siblings = [{"rfilename": each} for each in self.server.files]
            info = {"id": "you/romeo", "sha": self.commit, "siblings": siblings, "private": False, "tags": []}
            self.answer(json.dumps(info).encode(), Content_Type="application/json")
        elif "/resolve/" in self.path and name in self.server.files:
            content = self.server.files[name]
            self.answer(content, ETag=f'"{hashlib.sha1(content).hexdigest()}"', X_Repo_Commit=self.commit)
        else:
            self.answer(b"not found", 404, X_Error_Code="RepoNotFound")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.posts.append((self.path, body))
        if self.path.endswith("/repos/create"):
            reply = {"url": f"{self.server.url}/you/romeo", "id": "you/romeo", "name": "you/romeo"}
        elif "/preupload/" in self.path:
            wanted = json.loads(body)["files"]
            reply = {"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in wanted]}
        elif "/commit/" in self.path:
            url = f"{self.server.url}/you/romeo/commit/{self.commit}"
            reply = {"commitUrl": url, "commitOid": self.commit, "success": True}
        else:
            reply = {}
        self.answer(json.dumps(reply).encode(), Content_Type="application/json")


@pytest.fixture
def hub(saved, tmp_path, monkeypatch):
    """A server of our own on this machine, which the hub's client takes for the hub."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.files = {name: (saved / name).read_bytes() for name in FILES}
    server.posts = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    import huggingface_hub.constants
    import huggingface_hub.hf_api

    for module in (huggingface_hub.constants, huggingface_hub.hf_api):
        monkeypatch.setattr(module, "ENDPOINT", server.url, raising=False)
    monkeypatch.setattr(huggingface_hub.hf_api.api, "endpoint", server.url)
    monkeypatch.setattr(
        huggingface_hub.constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        server.url + "/{repo_id}/resolve/{revision}/{filename}",
    )
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_model_comes_from_the_hub_by_its_name(hub, saved):
    assert seqgen.load("you/romeo").generate("the", seed=1) == seqgen.load(saved).generate("the", seed=1)


def test_a_name_that_the_hub_does_not_have_is_an_error(hub):
    with pytest.raises(InputError, match="there is no folder 'you/juliet' here") as caught:
        seqgen.load("you/juliet")
    assert "\n" not in str(caught.value)


def test_a_model_goes_to_the_hub_whole(hub, saved, monkeypatch):
    address = seqgen.load(saved).push_to_hub("you/romeo", token="hf_secret")
    assert address.endswith(Hub.commit)
    [commit] = [body for path, body in hub.posts if "/commit/" in path]
    sent = [json.loads(line)["value"] for line in commit.splitlines() if json.loads(line)["key"] != "header"]
    assert {value["path"] for value in sent} == {*FILES, "README.md"}


def test_a_hub_that_cannot_be_reached_is_an_error(saved, hub):
    hub.shutdown()
    hub.server_close()
    with pytest.raises(InputError, match="hub did not"):
        seqgen.load("you/romeo")
    with pytest.raises(InputError, match="hub did not"):
        seqgen.load(saved).push_to_hub("you/romeo", token="hf_secret")


def test_saving_does_not_disturb_training(generator, tmp_path):
    generator.model.train()
    before = torch.get_rng_state()
    generator.save_pretrained(tmp_path / "a")
    assert generator.model.training
    assert torch.equal(torch.get_rng_state(), before)
