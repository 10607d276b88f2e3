"""What a type checker knows of the public names: mypy checks this file, and nothing runs it."""

from collections.abc import Callable
from typing import Any, assert_type

from torch import nn

import seqgen
from seqgen.inference.embeddings import Embeddings
from seqgen.tasks.score import Score
from seqgen.tasks.translator import Translation


def saved_models_are_of_their_kind(path: str, builder: Callable[..., seqgen.EncoderDecoder]) -> None:
    """A class knows what it loads; `seqgen.load` is for where only the file does."""
    assert_type(seqgen.Translator.from_pretrained(path), seqgen.Translator)
    assert_type(seqgen.Translator.from_pretrained(path, builder=builder).translate("x"), list[Translation])
    assert_type(seqgen.Generator.from_pretrained(path).generate("x"), list[str])
    assert_type(seqgen.ImageClassifier.from_pretrained(path).classes, list[str])
    assert_type(seqgen.Tagger.from_pretrained(path).embeddings(), Embeddings)
    assert_type(seqgen.load(path), Any)


def models_of_ones_own_are_typed(decoder: nn.Module, tokenizer: seqgen.Tokenizer) -> None:
    """The same holds for what `of` and `untrained` return, and for what is trained."""
    generator = seqgen.Generator.of(decoder, tokenizer=tokenizer)
    assert_type(generator, seqgen.Generator)
    assert_type(generator.score("x"), Score)
    translator = seqgen.Translator.untrained(source=tokenizer, hidden_size=64)
    assert_type(translator.model, seqgen.EncoderDecoder)
    batches = translator.examples(seqgen.Parallel(["x"], ["y"])).batches(100)
    assert_type(next(batches.starting_at(0)), seqgen.Pairs)
    other = seqgen.Translator.of(translator.model, source=tokenizer)
    assert_type(other.translate("x")[0].text, str)
