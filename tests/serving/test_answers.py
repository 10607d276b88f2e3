"""What the server answers is what the library does."""

import base64
import io
import json
import threading

import numpy as np
import PIL.Image
import pytest
from making import TEXT

WRITING = {"model": "generator", "prompt": "the c", "max_new_tokens": 60, "seed": 3, "temperature": 0.8}
LIBRARY = {name: WRITING[name] for name in ("max_new_tokens", "seed", "temperature")}


def post(server, address, **asked):
    answer = server.client.post(address, json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def picture(kind="PNG"):
    noise = np.random.default_rng(1).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(noise).save(file, kind)
    return file.getvalue()


def bundle(server, name):
    return server.models[name].bundle


def lines_of(server, **asked):
    with server.client.stream("POST", "/api/generate", json=asked) as answer:
        assert answer.headers["content-type"] == "application/x-ndjson"
        return [json.loads(line) for line in answer.iter_lines()]


def test_a_stream_has_the_pieces_of_the_library(server):
    *lines, last = lines_of(server, **WRITING, candidates=3)
    pieces = list(bundle(server, "generator").pieces("the c", candidates=3, **LIBRARY))
    shown = [piece for line in lines for piece in line["pieces"]]
    assert [piece["text"] for piece in shown] == [piece.text for piece in pieces]
    assert [piece["log_probability"] for piece in shown] == [piece.log_probability for piece in pieces]
    for one, piece in zip(shown, pieces, strict=True):
        assert one["candidates"] == [[None if c.ends else c.text, c.log_probability] for c in piece.candidates]
    assert last["tokens"] == len(pieces)
    assert last["ending"] == pieces[-1].ending


SEARCHED = {"do_sample": False, "num_beams": 3}


@pytest.mark.parametrize("options", [{}, {"num_return_sequences": 3}, SEARCHED, SEARCHED | {"force_words": ["dog"]}])
def test_whole_texts_are_those_of_the_library(server, options):
    asked = {name: value for name, value in WRITING.items() if "num_beams" not in options or name != "temperature"}
    expected = {name: asked[name] for name in LIBRARY if name in asked} | options
    found = post(server, "/api/generate", **asked, stream=False, **options)
    assert found == {"texts": bundle(server, "generator").generate("the c", **expected)}


def test_texts_for_a_condition_are_those_of_the_library(server):
    asked = {"condition": "cat", "num_return_sequences": 3, "seed": 4}
    found = post(server, "/api/generate", model="conditional_generator", **asked)["texts"]
    library = bundle(server, "conditional_generator")
    assert [one["text"] for one in found] == library.generate("cat", num_return_sequences=3, seed=4)


def test_a_score_is_that_of_the_library(server):
    found, score = post(server, "/api/score", text="the cat"), bundle(server, "generator").score("the cat")
    assert [(one["text"], one["log_probability"]) for one in found["pieces"]] == list(zip(*score[:2], strict=True))
    assert found["perplexity"] == score.perplexity


def test_cells_are_those_of_the_library(server):
    found, text = post(server, "/api/cells", text=TEXT[:600]), TEXT[:600]
    read = bundle(server, "generator").activations(text)
    values = np.frombuffer(base64.b64decode(found["values"]), np.int8).reshape(len(found["cells"]), len(text))
    assert "".join(found["tokens"]) == text
    assert found["properties"]
    for cell, row in zip(found["cells"], values, strict=True):
        own = read.cells[cell["layer"], :, cell["cell"]] / found["scale"]
        assert np.abs(row / 127 - own).max() <= 0.5 / 127 + 1e-6
    assert post(server, "/api/cells", text="the")["properties"] == []


def test_classes_and_influences_are_those_of_the_library(server):
    found = post(server, "/api/classify", text="fine film", top_k=2, influences=True)
    classifier = bundle(server, "text_classifier")
    assert [tuple(one.values()) for one in found["labels"]] == classifier.classify("fine film", top_k=2)[0]
    assert [tuple(one.values()) for one in found["influences"]] == classifier.influences("fine film")
    assert set(post(server, "/api/classify", text="fine film")) == {"labels"}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_classes_and_captions_of_images_are_those_of_the_library(server, kind):
    file, headers = picture(kind), {"content-type": f"image/{kind.lower()}"}
    found = server.client.post("/api/classify?top_k=2", content=file, headers=headers).json()
    expected = bundle(server, "image_classifier").classify(file, top_k=2)[0]
    assert [tuple(one.values()) for one in found["labels"]] == expected
    query = {"model": "captioner", "num_return_sequences": 2, "attention": "true"}
    found = server.client.post("/api/caption", params=query, content=file, headers=headers).json()
    expected = bundle(server, "captioner").caption(file, num_return_sequences=2, return_attention=True)
    assert [(one["text"], one["score"]) for one in found["captions"]] == [one[:2] for one in expected]
    assert np.allclose(found["captions"][0]["attention"]["weights"], expected[0].attention.weights, atol=1e-4)
    assert found["size"] == 32


@pytest.mark.parametrize("text", ['the  "cat" sat\n', "it's (the) log.", "", " "])
def test_tags_are_those_of_the_library_and_their_texts_are_the_text(server, text):
    found = post(server, "/api/tag", text=text)
    [expected] = bundle(server, "tagger").tag([text])
    assert [(one["tag"], one["probability"]) for one in found["tokens"]] == [one[1:] for one in expected]
    assert "".join(one.get("before", "") + one["text"] for one in found["tokens"]) + found["after"] == text


def test_translations_are_those_of_the_library(server):
    asked = {"num_beams": 3, "num_return_sequences": 2, "length_penalty": 0.6}
    found = post(server, "/api/translate", text="the cat", attention=True, **asked)["translations"]
    expected = bundle(server, "translator").translate("the cat", return_attention=True, **asked)
    assert [(one["text"], one["score"]) for one in found] == [one[:2] for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert (one["attention"]["source"], one["attention"]["target"]) == other.attention[:2]
        assert np.allclose(one["attention"]["weights"], other.attention.weights, atol=1e-4)


def test_models_are_described(server):
    found = server.client.get("/api/models").json()
    assert all(model["examples"] == [] for model in found["models"])  # none of them is a run's
    described = {one["name"]: one for one in found["models"]}
    assert set(described) == set(server.models)
    assert all(one["kind"] == name and one["about"] for name, one in described.items())
    assert described["generator"]["cells"] == [{"size": 16}]
    assert described["text_classifier"]["classes"] == ["bad", "fine", "odd"]
    assert described["conditional_generator"]["conditions"] == ["cat", "dog"]
    assert described["translator"]["attends"] is True
    assert found["limits"]["max_new_tokens"] > 0


def test_no_answer_is_mixed_up_with_another(server):
    def ask(number):
        if number % 2:
            text = "the cat sat on"[: 3 + number]
            found[number] = post(server, "/api/translate", text=text)["translations"][0]["text"]
        else:
            [found[number]] = post(server, "/api/generate", **WRITING | {"seed": number}, stream=False)["texts"]

    found = {}
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(10):
        if number % 2:
            expected = bundle(server, "translator").translate("the cat sat on"[: 3 + number])[0].text
        else:
            [expected] = bundle(server, "generator").generate("the c", **LIBRARY | {"seed": number})
        assert found[number] == expected
