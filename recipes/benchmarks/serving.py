"""The server under load, and beside the library: are all answers right, how soon do they come, and how fast.

A real server process has an untrained generator of the default size and a translator. Many clients at once ask for a
while, each for the next answer as soon as it has one, and come back as they are told where the queue is full. Every
answer is compared with what the library gives for the same request.
"""

from seqgen.exits import run_main

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil
import torch
from measuring import in_turns, parse_options, save, show

import seqgen

CHARACTERS = "".join(map(chr, range(32, 127))) + "\n\té"  # 98, as many as Python's library has in the default recipe
SENTENCES = ["the cat sat on the mat", "a dog", "where is it?", "nine lives have cats, it is said", "42"]
WRITING: dict[str, Any] = {"prompt": "def ", "max_new_tokens": 100, "temperature": 0.8}
SEEDS = 40  # different texts that are asked for, so that the library can write them all, too


@dataclass(kw_only=True)
class Config:
    """Options of the benchmark of the server."""

    clients: int = 50
    """number of clients at once"""
    seconds: float = 60.0
    """time for which they ask"""
    tokens: int = 1000
    """tokens of the text whose speed is measured"""
    rounds: int = 5
    """measurements of each speed, of which the median is taken"""
    json: str | None = None
    """a file for the results as JSON"""


@dataclass
class Log:
    """The experience of the clients: each request with its answer, seconds to the first piece, and refusals."""

    answers: list[tuple[str, Any]] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    refused: int = 0
    failed: int = 0


def make_models(folder: Path) -> tuple[seqgen.Generator, seqgen.Translator]:
    """Save an untrained generator and translator, and return them."""
    torch.manual_seed(1)
    tokenizer = seqgen.CharacterTokenizer.fit([CHARACTERS])
    generator = seqgen.Generator.untrained(tokenizer=tokenizer, hidden_size=384)
    translator = seqgen.Translator.untrained(source=tokenizer, hidden_size=256, max_length=40)
    for name, bundle in (("generator", generator), ("translator", translator)):
        bundle.model.eval()
        bundle.generation = bundle.generation.with_options(precision="fp32")
        bundle.save_pretrained(folder / name)
    translator.precision = "fp32"
    return generator, translator


@contextmanager
def serving(folder: Path) -> Iterator[tuple[psutil.Process, str]]:
    """Start a server process of the saved models; yield it and the part of its address after http://."""
    runs = [str(folder / name) for name in ("generator", "translator")]
    command = [sys.executable, "-m", "seqgen", "serve", *runs, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield psutil.Process(process.pid), urlsplit(process.stdout.readline().strip()).netloc
        finally:
            process.terminate()


def start_up(folder: Path, rounds: int) -> dict[str, Any]:
    """Return the seconds until a server can be asked, and those of a process that only loads the models."""
    loading = f"import seqgen; [seqgen.load({str(folder)!r} + '/' + name) for name in ('generator', 'translator')]"

    def start() -> None:
        with serving(folder):
            pass

    def only_load() -> None:
        subprocess.run([sys.executable, "-c", loading], check=True)

    seconds = in_turns({"until it can be asked, s": start, "models alone, s": only_load}, rounds)
    return seconds | {"above the models, s": seconds["until it can be asked, s"] - seconds["models alone, s"]}


def ask(server: str, address: str, asked: dict[str, Any]) -> tuple[HTTPConnection, HTTPResponse]:
    """Send a request, and return its connection and its answer, of which nothing is read yet."""
    connection = HTTPConnection(server, timeout=300)
    connection.request("POST", address, json.dumps(asked), {"Content-Type": "application/json"})
    return connection, connection.getresponse()


def written(server: str, seed: int, log: Log) -> str | None:
    """Return a streamed text; None where the queue was full."""
    began = time.perf_counter()
    connection, answer = ask(server, "/api/generate", WRITING | {"seed": seed})
    text = ""
    try:
        if answer.status == 503:
            wait(answer, log)
            return None
        for line in answer:
            if not text:
                log.first.append(time.perf_counter() - began)
            text += "".join(piece["text"] for piece in json.loads(line).get("pieces", []))
        return text
    finally:
        connection.close()


def translated(server: str, sentence: str, log: Log) -> str | None:
    """Return a translation; None where the queue was full."""
    connection, answer = ask(server, "/api/translate", {"text": sentence})
    try:
        if answer.status == 503:
            wait(answer, log)
            return None
        return str(json.load(answer)["translations"][0]["text"])
    finally:
        connection.close()


def wait(answer: HTTPResponse, log: Log) -> None:
    """Wait as long as a refusal says."""
    log.refused += 1
    time.sleep(float(answer.headers["Retry-After"]))


def client(server: str, number: int, end: float, log: Log) -> None:
    """Ask until the end, the even numbers for texts and the odd ones for translations."""
    choices = random.Random(number)
    while time.perf_counter() < end:
        try:
            if number % 2:
                asked: Any = choices.choice(SENTENCES)
                answer = translated(server, asked, log)
            else:
                asked = choices.randrange(SEEDS)
                answer = written(server, asked, log)
            if answer is not None:
                log.answers.append((asked, answer))
        except (OSError, ValueError, KeyError):
            log.failed += 1


def load(server: str, process: psutil.Process, config: Config, models: Any) -> dict[str, Any]:
    """Return what many clients saw who asked at once."""
    generator, translator = models
    warm = Log()
    written(server, 0, warm)
    translated(server, SENTENCES[0], warm)
    before, log, end = process.memory_info().rss, Log(), time.perf_counter() + config.seconds
    threads = [threading.Thread(target=client, args=(server, number, end, log)) for number in range(config.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = process.memory_info().rss
    right: dict[Any, str] = {
        seed: "".join(generator.stream(**WRITING, seed=seed))[len(WRITING["prompt"]) :] for seed in range(SEEDS)
    }
    right |= {text: translator.translate(text)[0].text for text in SENTENCES}
    return {
        "clients": config.clients,
        "seconds": config.seconds,
        "answers": len(log.answers),
        "texts": len(log.first),
        "wrong": sum(answer != right[asked] for asked, answer in log.answers),
        "failed": log.failed,
        "refused (503)": log.refused,
        "first piece p50, s": float(np.quantile(log.first, 0.5)),
        "p99, s": float(np.quantile(log.first, 0.99)),
        "MiB before": before / 2**20,
        "after": after / 2**20,
    }


def streamed(server: str, address: str, asked: dict[str, Any]) -> None:
    """Read a stream to its end."""
    connection, answer = ask(server, address, asked)
    for _ in answer:
        pass
    connection.close()


def speed(server: str, generator: seqgen.Generator, config: Config) -> dict[str, Any]:
    """Return tokens a second over HTTP and in the library."""
    asked: dict[str, Any] = {"prompt": "def ", "seed": 1}
    options = asked | {"max_new_tokens": config.tokens}
    seconds = in_turns(
        {
            "Generator.stream": lambda: list(generator.stream(**options)),
            "Generator.pieces": lambda: list(generator.pieces(**options)),
            "/api/generate": lambda: streamed(server, "/api/generate", options),
            "/v1/completions": lambda: streamed(
                server, "/v1/completions", asked | {"max_tokens": config.tokens, "stream": True}
            ),
        },
        config.rounds,
    )
    rates: dict[str, Any] = {f"{name}, tokens/s": config.tokens / taken for name, taken in seconds.items()}
    return rates | {"HTTP of pieces": seconds["Generator.pieces"] / seconds["/api/generate"]}


def gone(server: str, rate: float) -> dict[str, Any]:
    """Return how long the next request waits for a text whose reader has gone, and the tokens of that time."""
    waited = []
    for _ in range(5):
        connection, answer = ask(server, "/api/generate", WRITING | {"max_new_tokens": 5000})
        answer.readline()
        connection.close()
        began = time.perf_counter()
        connection, answer = ask(server, "/api/generate", WRITING | {"max_new_tokens": 1})
        answer.readline()
        waited.append(time.perf_counter() - began)
        connection.close()
    worst = max(waited)
    return {"ms until the next text began, at most": 1000 * worst, "tokens of that time": worst * rate}


def main() -> None:
    """Measure, print the tables, and write the file."""
    config = parse_options(Config, __doc__ or "")
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        models = make_models(Path(folder))
        started = start_up(Path(folder), config.rounds)
        with serving(Path(folder)) as (process, server):
            speeds = speed(server, models[0], config)
            left = gone(server, speeds["/api/generate, tokens/s"])
            under_load = load(server, process, config, models)
    show("Start-up", [started])
    show("A text streamed, beside the library", [speeds])
    show("A reader who has gone", [left])
    show("Many clients", [under_load])
    results = {"start_up": started, "speed": speeds, "gone": left, "load": under_load}
    save(config.json, results)


if __name__ == "__main__":
    run_main(main)
