"""The tokens that a tokenizer knows: a check of the texts to train on, and a text to show a model with."""

from collections.abc import Iterable

import numpy as np

from seqgen.data.store import Ragged
from seqgen.errors import InputError
from seqgen.symbols import UNK
from seqgen.text.tokenizer import Tokenizer

HALF = 0.5  # fraction of unknown tokens from which on it is a mistake
SHOWN, LONGEST = 5, 60  # unknown tokens that are shown, and characters of a text that has them


def require_known(argument: str, rows: Ragged, texts: Iterable[str], tokenizer: Tokenizer) -> None:
    """Raise an InputError where most tokens of texts are unknown, so that a model would learn nothing else.

    Args:
        argument: of the bundle that is their tokenizer.
        rows: token numbers of the texts.
        texts: the texts themselves.
        tokenizer: of the texts.
    """
    share = float(np.mean(np.asarray(rows.values) == UNK)) if len(rows.values) else 0.0
    if share > HALF:
        text = next(text for text in texts if tokenizer.unseen(text))
        unknown = ", ".join(map(repr, tokenizer.unseen(text)[:SHOWN]))
        raise InputError(
            f"{argument} must be a tokenizer fitted to such texts, but it does not know {share:.0%} of their tokens, "
            f"such as {unknown} of {text[:LONGEST]!r}"
        )


def first_known(texts: Iterable[str], tokenizer: Tokenizer) -> str:
    """Return the first of some texts without unknown tokens, or an empty one."""
    return next((text for text in texts if not tokenizer.unseen(text)), "")


def first_words(tokenizer: Tokenizer, held_back: np.ndarray) -> str:
    """Return a prompt: the first words of a whole line, as a stream may be cut within a line, best one of letters."""
    lines = tokenizer.decode(held_back[:5000]).splitlines()[1:]
    prompts = [" ".join(line.split()[:3]) for line in lines if line.strip()]
    known = [words for words in prompts if not tokenizer.unseen(words)]
    return next((words for words in known if words[0].isalpha()), (*known, "")[0])
