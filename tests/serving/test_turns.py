"""One request at a time for each model, four that wait, and none for a client that has gone."""

import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from making import MADE

from seqgen.errors import InputError
from seqgen.serving.limits import QUEUE
from seqgen.serving.served import named


class Slow:
    """A generator's `pieces` that wait for an event before each token but the first, and count the tokens."""

    def __init__(self, generator):
        self.own, self.go_on, self.begun, self.tokens = generator.pieces, threading.Event(), threading.Event(), 0

    def __call__(self, *arguments, **options):
        pieces = self.own(*arguments, **options)
        return self._counted(pieces)

    def _counted(self, pieces):
        try:
            for piece in pieces:
                self.tokens += 1
                yield piece
                self.begun.set()
                self.go_on.wait()
        finally:
            pieces.close()


@pytest.fixture
def slow(server, monkeypatch):
    generator = server.models["generator"].bundle
    slow = Slow(generator)
    monkeypatch.setattr(generator, "pieces", slow)
    yield slow
    slow.go_on.set()
    until(lambda: server.models["generator"].turns.waiting == 0)


def until(so):
    """Wait until something is so."""
    for _ in range(3000):
        if so():
            return
        time.sleep(0.01)
    raise AssertionError("it never was so")


def begun_to_ask(server, address, **asked):
    """A socket over which a request went, and that is to be closed before the answer comes."""
    host, port = server.address.removeprefix("http://").split(":")
    body = json.dumps({"model": "generator"} | asked).encode()
    head = f"POST {address} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    connection = socket.create_connection((host, int(port)))
    connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    return connection


@contextmanager
def asking(server, count):
    """So many requests at once in threads, whose answers are in a list once they are there."""
    answers = []

    def ask(number):
        asked = {"model": "generator", "prompt": "the ", "seed": number, "max_new_tokens": 5}
        answer = server.client.post("/api/generate", json=asked)
        answers.append((number, answer))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    yield answers
    for thread in threads:
        thread.join()


def text_of(answer):
    lines = [json.loads(line) for line in answer.text.splitlines()]
    return "".join(piece["text"] for line in lines for piece in line.get("pieces", []))


def test_four_wait_and_the_next_is_refused_with_the_time_to_come_back(server, slow):
    turns, library = server.models["generator"].turns, slow.own
    with asking(server, 1 + QUEUE) as answers:
        until(lambda: turns.waiting == QUEUE)
        for address, body in (("/api/generate", {}), ("/v1/completions", {}), ("/api/score", {"text": "the"})):
            answer = server.client.post(address, json={"model": "generator"} | body)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            assert "try again" in str(answer.json()["error"])
        other = server.client.post("/api/translate", json={"text": "the cat"})
        assert other.status_code == 200  # another model's turn
        assert not answers
        slow.go_on.set()
    assert len(answers) == 1 + QUEUE
    for number, answer in answers:
        assert text_of(answer) == "".join(piece.text for piece in library("the ", seed=number, max_new_tokens=5))


def test_who_leaves_the_queue_frees_the_place(server, slow):
    turns = server.models["generator"].turns
    with asking(server, 1):
        assert slow.begun.wait(30)
        with begun_to_ask(server, "/api/score", text="the"):
            until(lambda: turns.waiting == 1)
        until(lambda: turns.waiting == 0)
        slow.go_on.set()


@pytest.mark.parametrize("stream", [True, False])
def test_writing_stops_when_the_client_has_gone(server, monkeypatch, stream):
    generator = server.models["generator"].bundle
    name, written, begun, closed = "pieces" if stream else "batch_pieces", [], threading.Event(), threading.Event()
    own = getattr(generator, name)

    def counted(*arguments, **options):
        pieces = own(*arguments, **options)
        try:
            for piece in pieces:
                written.append(piece)
                yield piece
                begun.set()
                time.sleep(0.01)
        finally:
            pieces.close()
            closed.set()

    monkeypatch.setattr(generator, name, counted)
    asked = {"max_new_tokens": 5000, "min_new_tokens": 5000, "stream": stream, "seed": 1}
    with begun_to_ask(server, "/api/generate", **asked):
        assert begun.wait(30)
    before = len(written)
    assert closed.wait(30)
    assert len(written) - before <= 50
    assert server.client.post("/api/score", json={"model": "generator", "text": "the"}).status_code == 200


def test_an_error_after_the_beginning_is_the_last_line(server, monkeypatch):
    generator = server.models["generator"].bundle
    own = generator.pieces

    def breaking(*arguments, **options):
        yield next(own(*arguments, **options))
        raise InputError("the logits must be finite")

    monkeypatch.setattr(generator, "pieces", breaking)
    answer = server.client.post("/api/generate", json={"model": "generator"})
    assert json.loads(answer.text.splitlines()[-1]) == {"error": "the logits must be finite"}


def test_a_bug_is_a_sentence_and_frees_the_turn(server, monkeypatch):
    generator = server.models["generator"].bundle
    monkeypatch.setattr(generator, "score", lambda *_, **__: 1 / 0)
    answer = server.client.post("/api/score", json={"model": "generator", "text": "the"})
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert answer.headers["connection"] == "close"  # otherwise the next request may be sent while the server closes it
    monkeypatch.undo()
    assert server.client.post("/api/score", json={"model": "generator", "text": "the"}).status_code == 200


def test_names_are_the_last_parts_of_runs_and_all_different():
    bundle = MADE["generator"]()
    runs = ("runs/mine", "other/mine", "runs/mine/model", "mine-2")
    assert [one.name for one in named(runs, [bundle] * 4)] == ["mine", "mine-2", "mine-3", "mine-2-2"]
