"""The limits of a request, so that none takes the machine from the others."""

from collections.abc import Sequence
from typing import Any

from seqgen.errors import InputError
from seqgen.generation.config import GenerationConfig

HEADERS, BODY, IMAGE = 1 << 15, 1 << 20, 20 << 20  # bytes of headers, of a body, and of one that is an image
TOGETHER = 20 * IMAGE  # bytes of all images that are being read
SECONDS = 30  # until a body must be there
QUEUE = 4  # requests that wait for a model, beside the one that it answers
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}

LIMITS = {
    "characters": 20_000,  # of a text
    "prompt_characters": 100_000,  # of the prompts of all texts together
    "max_new_tokens": 5_000,
    "total_tokens": 20_000,  # max_new_tokens of all texts or beams together
    "attended_tokens": 2_000,  # max_new_tokens of all texts whose attention is asked for
    "num_beams": 20,
    "num_return_sequences": 20,
    "minimum_bayes_risk": 20,
    "cell_values": 1 << 24,  # tokens times cells of a network
    "candidates": 20,
    "logprobs": 5,
    "stop_strings": 16,
    "stop_characters": 1_000,  # of all stop strings together
    "force_words": 16,
    "force_characters": 1_000,  # of all words that every text must have
    "suppress_tokens": 1_000,
    "seed": (1 << 64) - 1,
}


def require_within(**values: Any) -> None:
    """Raise an InputError where a number, or the number of values in a list, is above its limit."""
    for name, value in values.items():
        number = len(value) if isinstance(value, list | tuple) else value
        if isinstance(number, int | float) and number > LIMITS[name]:
            what = "at most" if number is value else "a list of at most"
            raise InputError(f"{name} must be {what} {LIMITS[name]:,}, not {number:,}")


def require_short(**texts: str) -> None:
    """Raise an InputError where a text is longer than one request may bring."""
    for name, text in texts.items():
        if len(text) > LIMITS["characters"]:
            raise InputError(f"{name} must have at most {LIMITS['characters']:,} characters, not {len(text):,}")


def require_affordable(
    config: GenerationConfig, prompts: Sequence[str] = ("",), *, minimum_bayes_risk: int = 0, attention: bool = False
) -> None:
    """Raise an InputError where options of generation ask for more tokens, texts or beams than one request may."""
    names = ["max_new_tokens", "num_beams", "num_return_sequences", "seed"]
    names += ["stop_strings", "force_words", "suppress_tokens"]
    require_within(minimum_bayes_risk=minimum_bayes_risk, **{name: getattr(config, name) for name in names})
    require_within(num_return_sequences=config.num_return_sequences * len(prompts))
    for name, limit in (("stop_strings", "stop_characters"), ("force_words", "force_characters")):
        if (count := sum(map(len, getattr(config, name)))) > LIMITS[limit]:
            raise InputError(f"{name} must have at most {LIMITS[limit]:,} characters, not {count:,}")
    for prompt in prompts:
        require_short(prompt=prompt)
    most, read = LIMITS["prompt_characters"] // config.num_return_sequences, sum(map(len, prompts))
    if read > most:
        raise InputError(f"prompt must have at most {most:,} characters for so many texts, not {read:,}")
    rows = max(config.num_beams, config.num_return_sequences * len(prompts), minimum_bayes_risk)
    _require_few(config.max_new_tokens, rows, "texts or beams", "total_tokens")
    if attention:  # which is found again for each text, one token at a time
        _require_few(config.max_new_tokens, config.num_return_sequences, "texts with attention", "attended_tokens")


def _require_few(tokens: int, rows: int, what: str, limit: str) -> None:
    if rows * tokens > LIMITS[limit]:
        raise InputError(f"max_new_tokens must be at most {LIMITS[limit] // rows:,} for {rows} {what}, not {tokens:,}")
