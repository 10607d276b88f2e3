"""The page in which a generator writes, in a real browser: what it writes is what onnxruntime writes from its graph."""

import functools
import re
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from making import TEXT, make_generator, make_text_classifier, sharpened
from panels import text_of, values_of, write

from seqgen.cli.main import run_command
from seqgen.errors import InputError
from seqgen.export.onnxruntime_web import FILES, runtime_files
from seqgen.export.web import export_web
from seqgen.inference.generator import Generator
from seqgen.symbols import BOS
from seqgen.text.subwords import BytePairTokenizer

onnxruntime = pytest.importorskip("onnxruntime")
LENGTH = 200


@pytest.fixture(scope="module")
def runtime():
    """The files of onnxruntime-web, looked for as Node.js looks; without them, tests are left out."""
    try:
        return runtime_files()
    except InputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def made(runtime, tmp_path_factory):
    """A generator, and the folder of its page, which the command writes."""
    generator, folder = make_generator(), tmp_path_factory.mktemp("web")
    generator.save_pretrained(folder / "cats" / "model")
    (folder / "cats" / "resolved.yaml").write_text("data: somewhere/cats.txt\n")
    options = ["--web", "--onnxruntime_web", str(runtime[0].parents[1])]
    run_command(["export", str(folder / "cats"), str(folder / "page"), *options])
    return generator, folder / "page"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *message):
        pass


@contextmanager
def served(folder):
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def window(browser, made):
    """The page as wide as a telephone, and the problems it has."""
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.problems, page.addresses = [], []
    page.on("console", lambda message: page.problems.append(message.text))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda request: page.addresses.append(request.url))
    with served(made[1]) as address:
        page.goto(address)
        page.get_by_text("perplexity").wait_for()
        page.locator(".fold").evaluate("fold => (fold.open = true)")
        yield page
        assert page.problems == []  # no warning either
        assert all(url.removeprefix("blob:").startswith(address) for url in page.addresses)
        page.close()


def most_probable(generator, folder, prompt):
    """The text of the most probable tokens, as onnxruntime finds it with the graph of the page."""
    session = onnxruntime.InferenceSession(folder / "step.onnx")
    recurrent = generator.model.recurrent
    zeros = np.zeros((len(recurrent.stack), 1, recurrent.hidden_size), np.float32)
    state = {one.name: zeros for one in session.get_inputs() if one.name != "tokens"}
    tokens = [BOS, *generator.tokenizer.encode(prompt).tolist()]
    known = len(tokens)
    for place in range(known + LENGTH - 1):
        logits, *after = session.run(
            ["logits", *(f"next_{name}" for name in state)], {"tokens": np.array([tokens[place]]), **state}
        )
        state = dict(zip(state, after, strict=True))
        if place + 1 == len(tokens):
            logits[0, list(generator.generation.suppress_tokens)] = -np.inf
            tokens.append(int(logits[0].argmax()))
    detokenizer = generator.tokenizer.detokenizer()
    return "".join(map(detokenizer.push, tokens)) + detokenizer.flush()


GREEDY = {"top_k": 1, "temperature": 1, "seed": 1, "max_new_tokens": LENGTH}


@pytest.mark.parametrize("prompt", ["", "the cat sat on "])
def test_greedy_text_is_that_of_onnxruntime(window, made, prompt):
    write(window, prompt, **GREEDY)
    assert text_of(window, "Text").text_content() == most_probable(*made, prompt)


def test_greedy_text_of_subwords_and_gru_layers_is_that_of_onnxruntime(browser_page, runtime, tmp_path):
    torch.manual_seed(1)
    tokenizer = BytePairTokenizer.fit(TEXT, largest=300)
    arguments = {"cell": "gru", "layers": 2, "hidden_size": 16, "embedding_size": 8}
    generator = sharpened(Generator.untrained(tokenizer=tokenizer, **arguments))
    export_web(generator, tmp_path, onnxruntime_web=runtime[0].parents[1])
    with served(tmp_path) as address:
        browser_page.goto(address)
        browser_page.get_by_text("perplexity").wait_for()
        browser_page.locator(".fold").evaluate("fold => (fold.open = true)")
        write(browser_page, "the cat ☃ sat", **GREEDY)
        assert text_of(browser_page, "Text").text_content() == most_probable(generator, tmp_path, "the cat ☃ sat")


def test_a_seed_writes_the_same_text_again_and_another_seed_another(window, made):
    texts = []
    for seed in (3, 4, 3):
        window.locator("[name=seed]").fill("")
        write(window, "the c", top_k="", temperature=1, seed=seed, max_new_tokens=60)
        window.get_by_text(f"random seed {seed}").wait_for()
        texts.append(text_of(window, "Text").text_content())
    assert texts[0] == texts[2] != texts[1]
    assert len(made[0].tokenizer.encode(texts[0].removeprefix("the c"))) > 20


def test_two_texts_that_are_written_at_once_are_those_that_are_written_alone(window):
    options = {"top_k": "", "seed": 5, "max_new_tokens": 1000}
    alone = []
    for temperature in (1.2, 0.7):
        write(window, "the c", temperature=temperature, **options)
        alone.append(text_of(window, "Text").text_content())
    window.get_by_label("Two temperatures").check()
    window.get_by_role("spinbutton", name="Second temperature").fill("0.7")
    write(window, "the c", temperature=1.2, **options)
    for temperature in (1.2, 0.7):
        window.get_by_text(f"temperature {temperature}, random seed 5").wait_for()
    labels = ("Text", "Text of the second temperature")
    assert [text_of(window, label).text_content() for label in labels] == alone
    window.get_by_label("Two temperatures").uncheck()


def test_tokens_have_the_probabilities_of_the_model(window, made):
    write(window, "the c", top_k=1, temperature=1, seed=1, max_new_tokens=40)
    pieces = list(made[0].pieces("the c", max_new_tokens=40, top_k=1))
    shown = values_of(text_of(window, "Text").locator(".token"), "--strength")[:10]
    logs = np.array([piece.log_probability for piece in pieces[:10]])
    assert np.allclose(shown, np.minimum(1, logs / np.log(0.01)), atol=0.1)  # with weights as integers


def test_a_candidate_is_taken_and_gone_on_from(window, made):
    write(window, "the c", **GREEDY)
    token = text_of(window, "Text").locator(".token").nth(5)
    token.click()
    token.press("Enter")
    other = window.locator(".candidates button").nth(1)
    shown = other.locator(".name").text_content().replace("␣", " ").replace("↵", "\n")
    before = "the c" + "".join(text_of(window, "Text").locator(".token").all_text_contents()[:5])
    other.press("Enter")
    window.get_by_text(f"{LENGTH} ").first.wait_for()
    window.get_by_role("button", name="Stop").and_(window.locator(":disabled")).wait_for()
    assert text_of(window, "Text").text_content().startswith(before + shown)


def test_it_stays_responsive_and_stops(window):
    window.locator("[name=max_new_tokens]").fill("5000")
    window.get_by_role("button", name="Write").click()
    text_of(window, "Text").locator(".token").nth(100).wait_for()
    window.locator("[name=prompt]").press("Escape")
    window.get_by_text(re.compile("Stopped after \\d+")).wait_for()
    count = text_of(window, "Text").locator(".token").count()
    assert 100 < count < 5000
    write(window, "the c", max_new_tokens=5)
    assert text_of(window, "Text").locator(".token").count() == 5


@pytest.mark.parametrize("name", ["temperature", "top_p", "max_new_tokens"])
def test_an_option_out_of_range_is_one_sentence(window, name):
    field = window.locator(f"[name={name}]").first
    before = field.input_value()
    field.fill("-1")
    window.get_by_role("button", name="Write").click()
    window.get_by_role("alert").filter(has_text=re.compile(f"^{name} must be .*, not -1$")).wait_for()
    field.fill(before)


def test_it_says_what_the_model_is_and_scrolls_no_way_but_down(window):
    assert window.title() == "cats · seqgen"
    window.get_by_text("trained on cats.txt").wait_for()
    assert window.evaluate("document.documentElement.scrollWidth") <= 390


def test_unseen_characters_of_a_prompt_are_one_sentence(window):
    window.locator("[name=prompt]").fill("the ☃")
    window.get_by_role("button", name="Write").click()
    window.get_by_role("alert").filter(has_text='only tokens seen in training, not "☃".').wait_for()


def test_a_page_that_is_opened_as_a_file_says_how_to_serve_it(browser_page, made):
    browser_page.goto((made[1] / "index.html").as_uri())
    assert "python -m http.server" in browser_page.get_by_role("alert").text_content()
    assert browser_page.problems == []


ELSEWHERE = """async (address) => {
  const ask = `fetch("${address}").then(() => "answered", () => "refused")`;
  const worker = new Worker(URL.createObjectURL(new Blob([`${ask}.then(postMessage)`])));
  const asked = new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data)));
  return [await fetch(address).then(() => "answered", () => "refused"), await asked];
}"""


def test_neither_page_nor_worker_can_ask_elsewhere(browser_page, made, tmp_path):
    with served(made[1]) as address, served(tmp_path) as elsewhere:
        browser_page.goto(address)
        assert browser_page.evaluate(ELSEWHERE, f"{address}model.json") == ["answered", "answered"]
        assert browser_page.evaluate(ELSEWHERE, elsewhere) == ["refused", "refused"]
        assert sum("Content Security Policy" in problem for problem in browser_page.problems) >= 2


def test_what_is_missing_is_one_sentence_in_the_page(browser_page, made, tmp_path):
    (tmp_path / "index.html").write_bytes((made[1] / "index.html").read_bytes())
    with served(tmp_path) as address:
        browser_page.goto(address)
        browser_page.get_by_role("alert").filter(has_text="model.json cannot be loaded").wait_for()
        (tmp_path / "model.json").write_bytes((made[1] / "model.json").read_bytes())
        browser_page.goto(address)
        browser_page.get_by_role("alert").filter(has_text="The network cannot be loaded").wait_for()


def test_without_the_runtime_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NODE_PATH", raising=False)
    if not any((folder / "node_modules").exists() for folder in tmp_path.parents):
        with pytest.raises(InputError, match="npm install onnxruntime-web"):
            export_web(make_generator(), tmp_path / "page")
    for name in FILES[:2]:
        (tmp_path / "dist").mkdir(exist_ok=True)
        (tmp_path / "dist" / name).touch()
    with pytest.raises(InputError, match=f"{FILES[2]} is not there"):
        export_web(make_generator(), tmp_path / "page", onnxruntime_web=tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["dist"]


def test_other_kinds_of_models_are_refused(tmp_path):
    with pytest.raises(InputError, match="must have a generator, not one of kind text_classifier"):
        export_web(make_text_classifier(), tmp_path / "page")


def test_the_command_refuses_options_that_have_no_effect(tmp_path):
    for options, message in (
        (["--web", "--int8"], "int8 must be left out with web"),
        (["--onnxruntime_web", "here"], "onnxruntime_web must be given with web"),
    ):
        with pytest.raises(InputError, match=message):
            run_command(["export", str(tmp_path / "run"), str(tmp_path / "page"), *options])
