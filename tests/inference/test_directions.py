"""A classifier that begins with generators has their hidden states in both directions."""

import pytest
import torch
from making import CELLS, make_generator

import seqgen
from seqgen.errors import InputError
from seqgen.inference.classifiers import TextClassifier
from seqgen.inference.generator import Generator
from seqgen.ngram import NGram
from seqgen.symbols import BOS, PAD
from seqgen.text.backward import BackwardTokenizer

TEXTS = ["the cat sat on the mat.", "a dog", "t"]


def pair(cell="lstm", **options):
    forward = make_generator(cell=cell, **options)
    torch.manual_seed(2)
    sizes = {"hidden_size": 16, "embedding_size": 12} | options
    return forward, Generator.untrained(tokenizer=BackwardTokenizer(forward.tokenizer), cell=cell, **sizes)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("options", [{}, {"layers": 2, "tie_embeddings": True}])
@pytest.mark.parametrize("skip", [True, False])
def test_the_states_of_each_direction_are_those_of_its_generator(cell, options, skip):
    generators = pair(cell, **options)
    classifier = TextClassifier.from_generator(generators[0], ["a", "b"], backward=generators[1], skip=skip)
    [tokens] = classifier.collate([classifier.encode(text) for text in TEXTS])
    with torch.no_grad():
        found = classifier.model.eval().encoder(tokens)
        for row, text in enumerate(TEXTS):
            states = found.states[row][tokens[row] != PAD]
            for generator, own in zip(generators, (states[:, :16], states[:, -16:].flip(0)), strict=True):
                read = torch.tensor([[BOS, *generator.tokenizer.encode(text)]])
                expected, _ = generator.model.eval().recurrent(generator.model.embedding(read))
                torch.testing.assert_close(own, expected[0], rtol=1e-4, atol=1e-5)


def test_activations_are_at_the_position_of_each_token():
    generators = pair()
    classifier = TextClassifier.from_generator(generators[0], ["a", "b"], backward=generators[1])
    with torch.no_grad():
        [tokens] = classifier.collate([classifier.encode(TEXTS[0])])
        _, found = classifier.model.eval().encoder.activations(tokens)
    expected = generators[1].activations(TEXTS[0])
    torch.testing.assert_close(found.h[:, 0, 1:], torch.from_numpy(expected.h), rtol=1e-4, atol=1e-5)


def test_such_a_classifier_is_saved_and_ensembled_like_others(tmp_path):
    generators = pair()
    classifier = TextClassifier.from_generator(generators[0], ["a", "b"], backward=generators[1])
    expected = classifier.probabilities(TEXTS)
    classifier.save_pretrained(tmp_path / "model")
    again = seqgen.load(tmp_path / "model")
    assert (again.probabilities(TEXTS) == expected).all()
    assert (seqgen.ensemble([again, again]).probabilities(TEXTS) == expected).all()


def test_generators_that_do_not_fit_are_refused():
    forward, backward = pair()
    tokenizer = BackwardTokenizer(seqgen.CharacterTokenizer.fit("other characters"))
    chain = NGram.fit(forward.tokenizer.encode("the cat sat"), vocab_size=forward.tokenizer.vocab_size, order=2)
    counted = Generator.of(chain, tokenizer=forward.tokenizer)
    strange = Generator.untrained(tokenizer=tokenizer, hidden_size=16)
    for first, second, rule in (
        (backward, None, "generator must read forward"),
        (forward, forward, "but it reads forward"),
        (forward, strange, "must have the vocabulary"),
        (forward, pair("gru")[1], "lstm, hidden_size 16, layers 1, but it has gru, hidden_size 16, layers 1"),
        (forward, pair(hidden_size=8)[1], "but it has lstm, hidden_size 8"),
        (counted, None, "must have a RecurrentDecoder as its model, not a NGram"),
    ):
        with pytest.raises(InputError, match=rule):
            TextClassifier.from_generator(first, ["a", "b"], backward=second)
    with pytest.raises(InputError, match="bidirectional must be true"):
        TextClassifier.from_generator(forward, ["a", "b"], backward=backward, bidirectional=False)
