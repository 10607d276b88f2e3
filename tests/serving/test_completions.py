"""OpenAI's own client and the server understand each other."""

import threading

import pytest

from seqgen.serving.limits import QUEUE

openai = pytest.importorskip("openai")

OPTIONS = {"max_new_tokens": 40, "temperature": 0.8, "seed": 3}


@pytest.fixture(scope="module")
def client(server):
    with openai.OpenAI(base_url=f"{server.address}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def generator(server):
    return server.models["generator"].bundle


def complete(client, **asked):
    defaults = {"model": "generator", "prompt": "the c", "max_tokens": 40, "temperature": 0.8, "seed": 3}
    return client.completions.create(**defaults | asked)


def test_models_are_the_generators(client):
    assert [one.id for one in client.models.list()] == ["generator"]
    assert client.models.retrieve("generator").owned_by == "seqgen"
    with pytest.raises(openai.NotFoundError, match="generator"):
        client.models.retrieve("gpt-4")


def test_a_completion_is_the_library_s(client, generator):
    found = complete(client)
    assert "the c" + found.choices[0].text == generator.generate("the c", **OPTIONS)[0]
    pieces = list(generator.pieces("the c", **OPTIONS))
    assert found.choices[0].finish_reason == pieces[-1].ending
    assert (found.usage.prompt_tokens, found.usage.completion_tokens) == (5, len(pieces))
    assert found.usage.total_tokens == 5 + len(pieces)


def test_several_prompts_and_choices_are_in_their_order(client, generator):
    found = complete(client, prompt=["the c", "a "], n=2, echo=True)
    assert [one.index for one in found.choices] == [0, 1, 2, 3]
    expected = generator.generate(["the c", "a "], **OPTIONS, num_return_sequences=2)
    assert [one.text for one in found.choices] == expected


def test_temperature_0_is_greedy_search(client, generator):
    found = complete(client, temperature=0, top_p=1, seed=None).choices[0].text
    assert "the c" + found == generator.generate("the c", do_sample=False, max_new_tokens=40)[0]


@pytest.mark.parametrize(
    "options", [{}, {"n": 3}, {"stop": ["e", "at "]}, {"logprobs": 2}, {"logprobs": 2, "stop": "t"}]
)
def test_a_stream_is_what_comes_at_once(client, options):
    whole = complete(client, **options)
    texts, logs, ends, usage = {}, {}, {}, None
    for chunk in complete(client, stream=True, stream_options={"include_usage": True}, **options):
        usage = chunk.usage or usage
        for one in chunk.choices:
            texts[one.index] = texts.get(one.index, "") + one.text
            logs.setdefault(one.index, []).extend(one.logprobs.tokens if one.logprobs else [])
            assert one.index not in ends
            if one.finish_reason:
                ends[one.index] = one.finish_reason
    for one in whole.choices:
        assert texts[one.index] == one.text
        assert ends[one.index] == one.finish_reason
        assert logs[one.index] == (one.logprobs.tokens if one.logprobs else [])
    assert usage == whole.usage


def test_log_probabilities_are_the_library_s(client, generator):
    found = complete(client, logprobs=3).choices[0]
    pieces = [piece for piece in generator.pieces("the c", candidates=3, **OPTIONS) if piece.text]
    assert found.logprobs.tokens == [piece.text for piece in pieces]
    assert found.logprobs.token_logprobs == [piece.log_probability for piece in pieces]
    for best, piece in zip(found.logprobs.top_logprobs, pieces, strict=True):
        assert best == {one.text: one.log_probability for one in piece.candidates}
    for begin, token in zip(found.logprobs.text_offset, found.logprobs.tokens, strict=True):
        assert found.text[begin:].startswith(token)


def test_an_echo_has_the_log_probabilities_of_the_prompt(client, generator):
    found = complete(client, logprobs=1, echo=True).choices[0]
    score = generator.score("the c")
    assert found.text.startswith("the c")
    assert found.logprobs.tokens[:5] == score.tokens
    assert found.logprobs.token_logprobs[:5] == score.log_probabilities
    assert "".join(found.logprobs.tokens) == found.text


def test_a_stop_string_ends_the_text_and_is_left_out(client, generator):
    whole = complete(client).choices[0].text
    stop = whole[10:13]
    found = complete(client, stop=stop).choices[0]
    assert found.text == whole[: whole.index(stop)]
    assert found.finish_reason == "stop"
    [with_stop] = generator.generate("the c", **OPTIONS, stop_strings=[stop])
    assert with_stop == "the c" + found.text + stop


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"prompt": "Ω"}, "Ω"),
        ({"max_tokens": 10**6}, "max_tokens must be at most"),
        ({"presence_penalty": 1.0}, "presence_penalty must be left out"),
        ({"best_of": 3}, "best_of must be left out"),
        ({"logprobs": 9}, "logprobs must be"),
        ({"temperature": -1}, "temperature must be"),
        ({"extra_body": {"topk": 3}}, "did you mean top_k"),
    ],
)
def test_what_cannot_be_is_a_bad_request(client, asked, words):
    with pytest.raises(openai.BadRequestError, match=words) as caught:
        complete(client, **asked)
    assert caught.value.body["type"] == "invalid_request_error"


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError, match="generator") as caught:
        complete(client, model="gpt-4")
    assert caught.value.body["code"] == "model_not_found"


def test_extra_options_of_the_library_have_their_effect(client, generator):
    found = complete(client, extra_body={"top_k": 2}).choices[0].text
    assert "the c" + found == generator.generate("the c", **OPTIONS, top_k=2)[0]


def test_a_busy_model_is_an_error_that_the_client_tries_again(server, client, generator, monkeypatch):
    begun, go_on, own = threading.Event(), threading.Event(), generator.batch_pieces

    def waiting(*arguments, **options):
        begun.set()
        go_on.wait()
        return own(*arguments, **options)

    monkeypatch.setattr(generator, "batch_pieces", waiting)
    threads = [threading.Thread(target=complete, args=(client,)) for _ in range(1 + QUEUE)]
    for thread in threads:
        thread.start()
    try:
        assert begun.wait(30)
        while server.models["generator"].turns.waiting < QUEUE:
            begun.wait(0.01)
        with pytest.raises(openai.InternalServerError, match="try again"):
            complete(client)
    finally:
        go_on.set()
        for thread in threads:
            thread.join()
