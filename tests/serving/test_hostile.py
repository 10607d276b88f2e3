"""Hostile requests: each is refused in a sentence, and the server answers the next one."""

import base64
import gzip
import hashlib
import io
import json
import re
import socket
import struct
import zlib
from contextlib import ExitStack, suppress

import PIL.Image
import pytest

JSON = {"content-type": "application/json"}
PNG = {"content-type": "image/png"}
BIG = 1 << 20
HUGE = b'{"text": "a", "coverage_penalty": 1e300}'


def of(**asked):
    return json.dumps({"model": "generator"} | asked).encode()


def bomb():
    """A PNG of 2 KB whose header says 100,000 by 100,000 pixels."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(BIG))), (b"IEND", b""))
    parts = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def image(kind, size=(30, 30)):
    file = io.BytesIO()
    PIL.Image.new("RGB", size).save(file, kind)
    return file.getvalue()


def chunked():
    yield from (b" " * 65536 for _ in range(32))


GENERATE, CLASSIFY, COMPLETE = "/api/generate", "/api/classify", "/v1/completions"
CONDITIONAL = "conditional_generator"

OF_TRANSLATOR = {"model": "translator", "num_beams": 10, "num_return_sequences": 10, "max_new_tokens": 1000}
ATTENTION = of(**OF_TRANSLATOR, text="the cat", attention=True)

MANY_PROMPTS = of(prompt="a" * 6_000, num_return_sequences=20, max_new_tokens=1, stream=False)
NAMES = b"{" + b",".join(b'"a%d":1' % number for number in (*range(80_000), 0)) + b"}"

# Name: status, method, address, headers, body, and words of the sentence.
TABLE = {
    "half an object": (400, "POST", GENERATE, JSON, b'{"prompt": ', "must be JSON"),
    "no body": (400, "POST", GENERATE, JSON, b"", "must be JSON"),
    "an array": (400, "POST", GENERATE, JSON, b"[1]", "JSON object"),
    "NaN": (400, "POST", GENERATE, JSON, b'{"temperature": NaN}', "finite"),
    "infinity": (400, "POST", GENERATE, JSON, b'{"temperature": -Infinity}', "finite"),
    "a number too large": (400, "POST", GENERATE, JSON, b'{"model": "generator", "temperature": 1e999}', "temperature"),
    "5,000 digits": (400, "POST", GENERATE, JSON, b'{"seed": ' + b"9" * 5000 + b"}", "must be JSON"),
    "a name twice": (400, "POST", GENERATE, JSON, b'{"prompt": "a", "prompt": "b"}', "once"),
    "100,000 brackets": (400, "POST", GENERATE, JSON, b"[" * 100_000, "nested"),
    "half a surrogate": (400, "POST", GENERATE, JSON, of(prompt="\ud800"), "surrogates"),
    "NUL": (400, "POST", GENERATE, JSON, of(prompt="the\0"), r"'\x00'"),
    "latin-1": (400, "POST", GENERATE, JSON, '{"prompt": "é"}'.encode("latin-1"), "UTF-8"),
    "UTF-16": (400, "POST", GENERATE, JSON, '{"prompt": "a"}'.encode("utf-16"), "UTF-8"),
    "a byte order mark": (400, "POST", GENERATE, JSON, b"\xef\xbb\xbf" + of(), "must be JSON"),
    "a form": (415, "POST", GENERATE, {"content-type": "application/x-www-form-urlencoded"}, of(), "application/json"),
    "a text": (415, "POST", GENERATE, {"content-type": "text/plain"}, of(), "application/json"),
    "no type": (415, "POST", GENERATE, {}, of(), "application/json"),
    "gzip": (415, "POST", GENERATE, JSON | {"content-encoding": "gzip"}, gzip.compress(of()), "Content-Encoding"),
    "a large body": (413, "POST", GENERATE, JSON, b" " * (BIG + 1), "1,048,576 bytes"),
    "a large body in chunks": (413, "POST", GENERATE, JSON, chunked, "1,048,576 bytes"),
    "an unknown option": (400, "POST", GENERATE, JSON, of(temprature=1), "did you mean temperature"),
    "a number as a text": (400, "POST", GENERATE, JSON, of(temperature="1"), "temperature must be a number"),
    "a truth value as a number": (400, "POST", GENERATE, JSON, of(max_new_tokens=True), "max_new_tokens must be"),
    "a list as a text": (400, "POST", GENERATE, JSON, of(prompt=["a"]), "prompt must be a text"),
    "null as a text": (400, "POST", GENERATE, JSON, of(prompt=None), "prompt must be a text"),
    "too many tokens": (400, "POST", GENERATE, JSON, of(max_new_tokens=10**9), "at most 5,000"),
    "no tokens": (400, "POST", GENERATE, JSON, of(max_new_tokens=0), "at least 1"),
    "a seed of 65 bits": (400, "POST", GENERATE, JSON, of(seed=1 << 64), "seed must be at most"),
    "a seed below 0": (400, "POST", GENERATE, JSON, of(seed=-1), "seed must be at least 0"),
    "too many texts": (
        400,
        "POST",
        GENERATE,
        JSON,
        of(num_return_sequences=10**6, stream=False),
        "num_return_sequences",
    ),
    "several texts in a stream": (400, "POST", GENERATE, JSON, of(num_return_sequences=2), "a stream has one text"),
    "too many beams": (400, "POST", GENERATE, JSON, of(num_beams=21, stream=False), "num_beams must be at most 20"),
    "long stop strings": (400, "POST", GENERATE, JSON, of(stop_strings=["z" * 501] * 2), "at most 1,000 characters"),
    "many words": (400, "POST", GENERATE, JSON, of(force_words=["a"] * 17, num_beams=2, stream=False), "at most 16"),
    "long words": (
        400,
        "POST",
        GENERATE,
        JSON,
        of(force_words=["a" * 501] * 2, num_beams=2, stream=False),
        "force_words must have at most 1,000 characters, not 1,002",
    ),
    "words without beams": (400, "POST", GENERATE, JSON, of(force_words=["a"]), "with several beams in one group"),
    "a processor": (400, "POST", GENERATE, JSON, of(logits_processor=[]), "there is no option 'logits_processor'"),
    "a huge penalty": (400, "POST", "/api/translate", JSON, HUGE, "coverage_penalty must be from 0 to 1000"),
    "long beams": (400, "POST", GENERATE, JSON, of(num_beams=20, max_new_tokens=5000), "at most 1,000 for 20"),
    "long attention": (400, "POST", "/api/translate", JSON, ATTENTION, "at most 200 for 10 texts with attention"),
    "too many candidates": (400, "POST", GENERATE, JSON, of(candidates=21), "candidates must be at most 20"),
    "candidates below 0": (400, "POST", GENERATE, JSON, of(candidates=-1), "candidates must be at least 0"),
    "many stop strings": (400, "POST", GENERATE, JSON, of(stop_strings=["a"] * 17), "at most 16"),
    "an empty stop string": (400, "POST", GENERATE, JSON, of(stop_strings=[""]), "not empty"),
    "a long prompt": (400, "POST", GENERATE, JSON, of(prompt="a" * 20_001), "at most 20,000 characters"),
    "a long prompt of many": (400, "POST", GENERATE, JSON, MANY_PROMPTS, "at most 5,000 characters for so many"),
    "long cells": (400, "POST", "/api/cells", JSON, of(text="a" * 20_001), "at most 20,000 characters"),
    "100,000 names": (400, "POST", GENERATE, JSON, NAMES, "'a0' must be given once"),
    "unseen characters": (400, "POST", GENERATE, JSON, of(prompt="Ω"), "Ω"),
    "an unknown way": (400, "POST", GENERATE, JSON, of(unseen="maybe"), "error or replace"),
    "an unknown model": (404, "POST", GENERATE, JSON, of(model="generater"), "did you mean generator"),
    "a path as a model": (404, "POST", GENERATE, JSON, of(model="../../etc/passwd"), "model must be one of"),
    "a number as a model": (400, "POST", GENERATE, JSON, of(model=1), "model must be a text"),
    "a model of another kind": (400, "POST", GENERATE, JSON, of(model="tagger"), "which is a tagger"),
    "no model of several": (400, "POST", GENERATE, JSON, b"{}", "model must be one of"),
    "options in the query": (400, "POST", f"{GENERATE}?seed=1", JSON, of(), "in the body"),
    "an option without effect": (400, "POST", GENERATE, JSON, of(do_sample=False, temperature=0.5), "sampled"),
    "no text": (400, "POST", "/api/score", JSON, of(), "text must be given"),
    "an empty text": (400, "POST", "/api/score", JSON, of(text=""), "empty"),
    "an unknown condition": (
        400,
        "POST",
        GENERATE,
        JSON,
        of(model=CONDITIONAL, condition="cow"),
        "cat, dog",
    ),
    "a condition of infinities": (
        400,
        "POST",
        GENERATE,
        JSON,
        of(model="conditional_generator", condition=[1]),
        "cat, dog",
    ),
    "no image": (400, "POST", CLASSIFY, PNG, b"GET / HTTP/1.1", "does not decode"),
    "an empty image": (400, "POST", CLASSIFY, PNG, b"", "empty"),
    "a path as an image": (400, "POST", CLASSIFY, PNG, b"/etc/passwd", "does not decode"),
    "half an image": (400, "POST", CLASSIFY, PNG, image("PNG", (300, 300))[:300], "does not decode"),
    "another image than it says": (400, "POST", CLASSIFY, PNG, image("JPEG"), "PNG"),
    "a GIF": (415, "POST", "/api/caption", {"content-type": "image/gif"}, image("GIF"), "image/webp"),
    "an SVG": (415, "POST", "/api/caption", {"content-type": "image/svg+xml"}, b"<svg/>", "image/webp"),
    "a bomb": (400, "POST", CLASSIFY, PNG, bomb(), "25,000,000 pixels"),
    "a large image": (413, "POST", CLASSIFY, PNG, b"\0" * (20 * BIG + 1), "20,971,520 bytes"),
    "a word as a number": (400, "POST", f"{CLASSIFY}?top_k=abc", PNG, image("PNG"), "top_k must be a whole number"),
    "an option twice": (400, "POST", f"{CLASSIFY}?top_k=1&top_k=2", PNG, image("PNG"), "once"),
    "an image to a text": (400, "POST", f"{CLASSIFY}?model=text_classifier", PNG, image("PNG"), "classifier of images"),
    "another host": (400, "GET", "/", {"host": "example.org"}, b"", "Host must be one of localhost"),
    "a host that begins likewise": (400, "GET", "/", {"host": "localhost.example.org"}, b"", "Host must be"),
    "a bracket as a host": (400, "GET", "/", {"host": "[::1"}, b"", "Host must be"),
    "a host with a path": (400, "GET", "/", {"host": "localhost/x"}, b"", "Host must be"),
    "a host with a user": (400, "GET", "/", {"host": "evil@localhost"}, b"", "Host must be"),
    "a host with more": (400, "GET", "/", {"host": "[::1]evil"}, b"", "Host must be"),
    "an empty host": (400, "GET", "/", {"host": ""}, b"", "Host must be"),
    "an unknown address": (404, "GET", "/api/nothing", {}, b"", "the addresses are"),
    "a file of the page": (404, "GET", "/page/index.html", {}, b"", "the addresses are"),
    "a path upwards": (404, "GET", "/%2e%2e/%2e%2e/etc/passwd", {}, b"", "the addresses are"),
    "NUL in an address": (404, "GET", "/%00", {}, b"", "the addresses are"),
    "a slash too many": (404, "GET", "/api/models/", {}, b"", "the addresses are"),
    "GET for POST": (405, "GET", GENERATE, {}, b"", "by POST"),
    "OPTIONS": (405, "OPTIONS", GENERATE, {"origin": "http://example.org"}, b"", "by POST"),
    "DELETE": (405, "DELETE", "/", {}, b"", "by"),
    "a method of one's own": (405, "BREW", "/", {}, b"", "by"),
    "token numbers": (400, "POST", COMPLETE, JSON, of(prompt=[1, 2]), "not of token numbers"),
    "no prompts": (400, "POST", COMPLETE, JSON, of(prompt=[]), "at least one"),
    "biases": (400, "POST", COMPLETE, JSON, of(logit_bias={"1": 5}), "logit_bias must be left out"),
    "a suffix": (400, "POST", COMPLETE, JSON, of(suffix="x"), "suffix must be left out"),
    "many choices": (400, "POST", COMPLETE, JSON, of(n=100), "n must be at most 20"),
    "many choices of prompts": (400, "POST", COMPLETE, JSON, of(n=5, prompt=["a"] * 5), "n must be at most"),
    "many log-probabilities": (400, "POST", COMPLETE, JSON, of(logprobs=6), "logprobs must be at most 5"),
    "many tokens": (400, "POST", COMPLETE, JSON, of(max_tokens=10**6), "max_tokens must be at most 5,000"),
    "an unknown generator": (404, "POST", COMPLETE, JSON, of(model="gpt-4"), "generator"),
    "chat": (404, "POST", "/v1/chat/completions", JSON, of(), "the addresses are"),
    "large headers": (431, "GET", "/", {"x-large": "a" * 40_000}, b"", "32,768 bytes"),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_hostile_request_is_refused_in_a_sentence(server, name):
    status, method, address, headers, body, words = TABLE[name]
    answer = server.client.request(method, address, headers=headers, content=body() if callable(body) else body)
    assert answer.status_code == status, answer.text
    sentence = answer.text
    if answer.headers["content-type"] == "application/json":
        sentence = answer.json()["error"]
        sentence = sentence["message"] if isinstance(sentence, dict) else sentence
    assert words in sentence
    assert 0 < len(sentence) < 2100
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    assert server.client.get("/api/models").status_code == 200


def test_the_table_has_40_requests():
    assert len(TABLE) >= 40


def test_what_is_no_http_and_who_says_nothing_block_nobody(server):
    host, port = server.address.removeprefix("http://").split(":")
    with ExitStack() as connections:
        for _ in range(150):
            silent = connections.enter_context(socket.create_connection((host, int(port))))
        silent.sendall(b"POST /api/generate HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\n{")
        assert server.client.get("/api/models").status_code == 200
    with socket.create_connection((host, int(port))) as garbage:
        garbage.sendall(b"\x16\x03\x01\r\n\r\n")
        assert garbage.recv(65536).startswith(b"HTTP/1.1 400")
    assert server.client.get("/api/models").status_code == 200


def test_a_body_that_does_not_come_is_not_waited_for(server, monkeypatch):
    monkeypatch.setattr("seqgen.serving.body.SECONDS", 0.05)
    host, port = server.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(b"POST /api/tag HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n")
        slow.sendall(b"content-length: 99\r\n\r\n{")
        assert slow.recv(65536).startswith(b"HTTP/1.1 408")


def test_bodies_together_do_not_fill_the_memory(server, monkeypatch):
    monkeypatch.setattr("seqgen.serving.body.TOGETHER", 1000)
    image = {"headers": {"content-type": "image/png"}, "params": {"model": "image_classifier"}}
    answer = server.client.post("/api/classify", content=b"a" * 2000, **image)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    for _ in range(3):  # what was refused is counted no more, and texts are never
        assert server.client.post("/api/classify", content=b"a" * 800, **image).status_code == 400
        assert server.client.post("/api/tag", json={"text": "a" * 2000}).status_code == 200


def test_a_connection_without_a_request_is_closed(server, monkeypatch):
    monkeypatch.setattr("seqgen.serving.connections.SILENT", 0.05)
    host, port = server.address.removeprefix("http://").split(":")
    for begun in (b"", b"POST /api/tag HTTP/1.1\r\nhost: loc", b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\nGET"):
        with socket.create_connection((host, int(port)), timeout=10) as silent:
            silent.sendall(begun)
            with suppress(ConnectionResetError):
                while silent.recv(1 << 20):
                    pass


def test_too_many_connections_are_closed_and_the_others_answered(server, monkeypatch):
    host, port = server.address.removeprefix("http://").split(":")
    assert server.client.get("/api/models").status_code == 200  # a connection that is kept
    monkeypatch.setattr("seqgen.serving.connections.MOST", 1)
    with socket.create_connection((host, int(port)), timeout=10) as further, suppress(ConnectionResetError):
        assert further.recv(1) == b""
    assert server.client.get("/api/models").status_code == 200


def test_every_answer_has_the_headers_that_keep_a_page_to_itself(server):
    for address in ("/", "/api/models", "/nothing"):
        headers = server.client.get(address).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert not [name for name in headers if name.startswith("access-control")]
    assert server.client.head("/").status_code == 200


def test_the_page_is_one_document_whose_style_and_script_its_policy_names(server):
    answer = server.client.get("/")
    policy = answer.headers["content-security-policy"]
    for tag in ("style", "script"):
        [text] = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", answer.text, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
