"""Description of a model in a line, and the prompts that a page begins with."""

from typing import Any

from seqgen.errors import counted
from seqgen.inference.bundle import Bundle
from seqgen.ngram import NGram
from seqgen.symbols import SYMBOLS

PROMPTS = ("def ", "The ", "the ")  # of which the first is shown that the model can read
# The tokens of each kind of tokenizer; those of the others are subwords.
TOKENS = {"char": "characters", "byte": "bytes", "word": "words", "lowercase-word": "words", "whitespace": "words"}


def about(bundle: Bundle[Any]) -> str:
    """Return what a model is, in a line: its recurrent layers, or n-grams, its tokens and weights."""
    facts = list[str]()
    if isinstance(bundle.model, NGram):
        facts.append(f"Markov chain of {sum(bundle.model.ngrams):,} n-grams of at most {bundle.model.order} tokens")
    elif bundle.own_builder is None and "cell" in (sizes := bundle.all_arguments()):
        layers = counted(sizes["layers"], "layer")
        facts.append(f"{sizes['cell'].upper()}, {layers} of {sizes['hidden_size']:,}")
    tokenizer = getattr(bundle, "tokenizer", None) or getattr(bundle, "target", None)
    if tokenizer is not None:
        facts.append(f"{tokenizer.vocab_size - len(SYMBOLS):,} {TOKENS.get(tokenizer.kind, 'subwords')}")
    facts += [f"{len(getattr(bundle, name)):,} {name}" for name in ("classes", "tags") if hasattr(bundle, name)]
    return "; ".join([*facts, counted(sum(weight.numel() for weight in bundle.model.parameters()), "weight")])
