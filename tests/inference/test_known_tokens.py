"""A tokenizer that does not know the texts is a sentence, before a model learns nothing from them."""

import pytest
from making import TEXT, make_captioner, make_conditional_generator, make_translator

from seqgen.data.labelled import Labelled
from seqgen.data.parallel import Parallel
from seqgen.errors import InputError

KNOWN, STRANGE = ["the cat sat"], ["THE CAT SAT"]


def test_a_translator_names_the_side_and_the_characters():
    translator = make_translator()
    translator.examples(Parallel(KNOWN, KNOWN))
    with pytest.raises(InputError, match=r"target must be a tokenizer fitted to such texts.* such as 'T', 'H', 'E'"):
        translator.examples(Parallel(KNOWN, STRANGE))
    with pytest.raises(InputError, match="source must be a tokenizer fitted to such texts"):
        translator.examples(Parallel(STRANGE, KNOWN))


def test_so_do_captioner_and_conditional_generator():
    with pytest.raises(InputError, match="target must be a tokenizer fitted"):
        make_captioner().examples([["ÄÖÜ ÄÖÜ ÄÖÜ"]])
    generator = make_conditional_generator()
    with pytest.raises(InputError, match="target must be a tokenizer fitted"):
        generator.examples(Labelled(["ÄÖÜ ÄÖÜ"], [generator.categories[0]]))


def test_a_few_unknown_tokens_are_usual():
    text = next(line for line in TEXT.splitlines() if line)
    make_translator().examples(Parallel([text + "Q"], [text + "Q"]))
