"""OpenAI's interface to generators: models, and completions as its clients ask for them and read them."""

import re
from collections.abc import Iterator
from secrets import token_hex
from time import time
from typing import Any

from seqgen.arguments import checked
from seqgen.errors import InputError, nearest
from seqgen.generation.config import Unseen
from seqgen.inference.generator import Generator
from seqgen.inference.piece import Piece
from seqgen.serving.answer import Stream, gathered, stoppable, to_json
from seqgen.serving.choice import Choice
from seqgen.serving.limits import require_affordable, require_within

UNUSED = {"presence_penalty": 0, "frequency_penalty": 0, "logit_bias": {}, "best_of": 1, "suffix": ""}
OWN = ("top_k", "min_p", "repetition_penalty", "no_repeat_ngram_size", "min_new_tokens", "precision")
OPENAI = {"max_new_tokens": "max_tokens", "num_return_sequences": "n", "stop_strings": "stop"}  # its names of options


def model_object(name: str, created: int) -> dict[str, Any]:
    """Return what OpenAI's clients read about a model."""
    return {"id": name, "object": "model", "created": created, "owned_by": "seqgen"}


def error_object(sentence: str, status: int = 400) -> dict[str, Any]:
    """Return an error as OpenAI's clients read it, with their names of the options."""
    message = re.sub(r"\b(" + "|".join(OPENAI) + r")\b", lambda found: OPENAI[found[0]], sentence)
    named = re.match(r"(\w+) must", message)
    kind = "invalid_request_error" if status < 500 else "server_error"
    param = named[1] if named else None
    code = "model_not_found" if status == 404 and param == "model" else None
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


@checked
def complete(
    generator: Generator,
    *,
    model: str,
    prompt: str | list[Any] = "",
    max_tokens: int | None = 16,
    temperature: float | None = None,
    top_p: float | None = None,
    n: int | None = 1,
    stream: bool | None = False,
    stream_options: dict[str, Any] | None = None,
    logprobs: int | None = None,
    echo: bool | None = False,
    stop: str | list[str] | None = None,
    seed: int | None = None,
    presence_penalty: float | None = 0,
    frequency_penalty: float | None = 0,
    logit_bias: dict[str, Any] | None = None,
    best_of: int | None = 1,
    suffix: str | None = None,
    user: str | None = None,
    unseen: Unseen = "error",
    **options: Any,
) -> dict[str, Any] | Stream:
    """Return the completions of one prompt or of several, whole or as server-sent events.

    What seqgen has not is refused in a sentence, never passed over.
    """
    unused = {"presence_penalty": presence_penalty, "frequency_penalty": frequency_penalty, "logit_bias": logit_bias}
    _require_unused(unused | {"best_of": best_of, "suffix": suffix}, options)
    prompts = _prompts(prompt)
    require_within(logprobs=logprobs)
    options |= {"max_new_tokens": 16 if max_tokens is None else max_tokens, "seed": seed}
    options |= {
        "num_return_sequences": 1 if n is None else n,
        "stop_strings": [stop] if isinstance(stop, str) else stop,
    }
    options |= _sampling(temperature, top_p)
    config = generator.options(**options)
    require_affordable(config, prompts)
    pieces = generator.batch_pieces(prompts, candidates=logprobs or 0, unseen=unseen, **options)
    echoed = [_echoed(generator, text, unseen, scored=logprobs is not None) if echo else [] for text in prompts]
    rows = [tokens for tokens in echoed for _ in range(config.num_return_sequences)]
    choices = [Choice(index, config.stop_strings, tokens, logprobs) for index, tokens in enumerate(rows)]
    head = {"id": f"cmpl-{token_hex(12)}", "object": "text_completion", "created": int(time()), "model": model}
    prompt_tokens = sum(len(generator.tokenizer.encode(text)) for text in prompts)
    if stream:
        usage = bool((stream_options or {}).get("include_usage"))
        events = _events(pieces, choices, head, prompt_tokens, usage=usage)
        return Stream("text/event-stream", events, lambda sentence: _event(error_object(sentence)))
    count = 0
    for row, piece in stoppable(pieces):
        choices[row].add(piece)
        count += 1
    return head | {"choices": [choice.new() for choice in choices], "usage": _usage(prompt_tokens, count)}


def _events(
    pieces: Iterator[tuple[int, Piece]], choices: list[Choice], head: dict[str, Any], prompt_tokens: int, *, usage: bool
) -> Iterator[str]:
    """Yield a server-sent event for the pieces that come together, and those of the end."""
    count, unknown = 0, {"usage": None} if usage else {}
    for together in gathered(pieces):
        for row, piece in together:
            choices[row].add(piece)
        count += len(together)
        new = [choices[row].new() for row in sorted({row for row, _ in together})]
        if any(new):
            yield _event(head | {"choices": [one for one in new if one]} | unknown)
    if usage:
        yield _event(head | {"choices": [], "usage": _usage(prompt_tokens, count)})
    yield "data: [DONE]\n\n"


def _event(data: dict[str, Any]) -> str:
    return f"data: {to_json(data)}\n\n"


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _echoed(generator: Generator, prompt: str, unseen: Unseen, *, scored: bool) -> list[tuple[str, float | None]]:
    """Return the tokens of a prompt with their log-probabilities, or the prompt as a whole where none are needed."""
    if not scored or not prompt:
        return [(prompt, None)] if prompt else []
    found = generator.score(prompt, unseen=unseen)
    return list(zip(found.tokens, found.log_probabilities, strict=True))


def _prompts(prompt: str | list[Any]) -> list[str]:
    prompts = [prompt] if isinstance(prompt, str) else prompt
    if not prompts or not all(isinstance(one, str) for one in prompts):
        raise InputError("prompt must be a text or a list of texts, at least one, not of token numbers")
    return prompts


def _sampling(temperature: float | None, top_p: float | None) -> dict[str, Any]:
    """Return the options of sampling, where a temperature of 0 means greedy search, and a `top_p` of 1 nothing."""
    if temperature == 0:
        return {"do_sample": False, "num_beams": 1}
    found = {"temperature": temperature, "top_p": None if top_p == 1 else top_p}
    return {"do_sample": True} | {name: value for name, value in found.items() if value is not None}


def _require_unused(given: dict[str, Any], options: dict[str, Any]) -> None:
    for name, value in given.items():
        if value is not None and value != UNUSED[name]:
            raise InputError(f"{name} must be left out, because seqgen has no such option, not {value!r}")
    for name in options:
        if name not in OWN:
            raise InputError(f"there is no option {name!r}{nearest(name, [*UNUSED, *OWN, *OPENAI.values()])}")
