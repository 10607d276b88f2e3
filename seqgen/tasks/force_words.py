"""The words that every text must have, as a tokenizer spells them."""

from seqgen.errors import InputError
from seqgen.generation.constraints import Word
from seqgen.symbols import BOS, UNK
from seqgen.text.backward import BackwardTokenizer
from seqgen.text.tokenizer import Tokenizer


def spelled(words: tuple[str, ...], tokenizer: Tokenizer) -> list[Word]:
    """Return the words, or phrases, as the tokens that they consist of in a text.

    With characters and bytes a word is found in longer ones, too, unless it has spaces around it; with words the white
    space around it is left out, and with subwords there is a space before it, unless it begins the text.

    Raises:
        InputError: a word that the vocabulary cannot spell.
    """
    return [_spellings(word, tokenizer) for word in words]


def _spellings(word: str, tokenizer: Tokenizer) -> Word:
    bare = word.strip() or word
    if tokenizer.kind in ("word", "lowercase-word", "whitespace"):
        word = bare
    elif tokenizer.kind in ("subword", "bpe"):
        word = word if word[0].isspace() else f" {word}"
    spelling = tokenizer.encode(word).tolist()
    if UNK in spelling or not spelling:
        strange = ", ".join(map(repr, tokenizer.unseen(word) or [word]))
        raise InputError(f"force_words must have only tokens seen in training, not {strange} in {bare!r}")
    if isinstance(tokenizer, BackwardTokenizer):
        return [spelling]
    begins = [BOS, *tokenizer.encode(word.removeprefix(" ")).tolist()]
    return [spelling, begins] if tokenizer.kind in ("subword", "bpe") and len(begins) > 1 else [spelling]
