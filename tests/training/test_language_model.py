"""The language model loss beside that of the classes is what each generator itself would have."""

import pytest
import torch
from making import make_generator

from seqgen.batches.examples import Examples
from seqgen.batches.padded import padded
from seqgen.batches.windows import windows
from seqgen.inference.classifiers import TextClassifier
from seqgen.inference.generator import Generator
from seqgen.symbols import BOS
from seqgen.text.backward import BackwardTokenizer
from seqgen.training.adversarial import adversarial
from seqgen.training.language_model import OutputLayer, with_language_model
from seqgen.training.losses import next_token, right_answer

TEXTS = ("the cat sat.", "the dog", "a mat on the log")


@pytest.fixture(params=[False, True])
def generators(request):
    forward = make_generator(tie_embeddings=request.param)
    torch.manual_seed(2)
    tokenizer = BackwardTokenizer(forward.tokenizer)
    sizes = {"hidden_size": 16, "embedding_size": 10, "tie_embeddings": request.param}
    return [forward, Generator.untrained(tokenizer=tokenizer, **sizes)]


@pytest.fixture
def classifier(generators):
    found = TextClassifier.from_generator(generators[0], ["a", "b"], backward=generators[1])
    found.model.eval()
    return found


@pytest.fixture
def batch(classifier):
    rows = [classifier.encode(text) for text in TEXTS]
    return Examples(classifier.collate(rows), torch.tensor([0, 1, 1]))


def layers(generators):
    return [OutputLayer(one.model.projection, one.model.output) for one in generators]


def mean_loss(generator):
    rows = padded([generator.tokenizer.encode(text) for text in TEXTS])
    [window] = windows(rows, rows.shape[1])
    loss = next_token(generator.model.eval(), window)
    return loss.total / loss.count


@pytest.mark.parametrize("directions", [1, 2])
def test_it_is_that_of_the_generators_before_any_update(classifier, generators, batch, directions):
    chosen = generators[:directions]
    loss = with_language_model(right_answer, layers(chosen), 0.3)(classifier.model, batch, None)
    expected = sum(map(mean_loss, chosen)) / directions
    added = loss.total - right_answer(classifier.model, batch).total
    torch.testing.assert_close(added, 0.3 * len(TEXTS) * expected)


def test_beside_adversarial_changes_it_is_of_the_texts_as_they_are(classifier, generators, batch):
    hardened = adversarial(right_answer, 0.1)
    loss = with_language_model(hardened, layers(generators), 0.3)(classifier.model, batch, None)
    added = loss.total - hardened(classifier.model, batch, None).total
    torch.testing.assert_close(added, 0.3 * len(TEXTS) * sum(map(mean_loss, generators)) / 2)


def test_validation_is_without_it_and_nothing_is_left_on_the_model(classifier, generators, batch):
    loss_function = with_language_model(right_answer, layers(generators), 0.3)
    with torch.no_grad():
        assert loss_function(classifier.model, batch, None).total == right_answer(classifier.model, batch).total
    encoder = classifier.model.encoder
    assert not encoder.forwards._forward_hooks
    assert not encoder.backwards._forward_hooks


def test_sampled_tokens_estimate_it(classifier, generators, batch):
    counts = torch.ones(classifier.tokenizer.vocab_size)
    exact, estimated = (
        with_language_model(right_answer, layers(generators), 1.0, shares)(classifier.model, batch, None).total
        for shares in (None, counts)  # of which each token is sampled for certain
    )
    torch.testing.assert_close(estimated, exact)
    assert BOS in batch.inputs[0]
