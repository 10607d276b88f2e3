"""Padding, neighbours and their order never change what an encoder finds."""

import pytest
import torch
from torch import nn

from seqgen import patterns
from seqgen.errors import InputError
from seqgen.models import EncoderClassifier, EncoderTagger
from seqgen.nn.dropout import WordDropout
from seqgen.nn.encoders import VectorEncoder, reorder, reversing
from seqgen.nn.image_encoder import ImageEncoder
from seqgen.nn.pooling import POOLINGS, Mean
from seqgen.symbols import PAD, UNK

SIZE = 50


def rows(*lengths):
    return [torch.randint(UNK + 1, SIZE, (length,)) for length in lengths]


def padded(rows, steps=None):
    steps = steps or max(map(len, rows))
    return torch.stack([nn.functional.pad(row, (0, steps - len(row)), value=PAD) for row in rows])


@pytest.fixture(params=POOLINGS)
def pooling(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["forward", "both directions"])
def bidirectional(request):
    return request.param


def classifier(cell, pooling, bidirectional, layers=2):
    options = {"hidden_size": 12, "embedding_size": 8, "layers": layers}
    return patterns.text_classifier(SIZE, 3, cell=cell, pooling=pooling, bidirectional=bidirectional, **options).eval()


@torch.no_grad()
def test_neither_padding_nor_neighbours_nor_order_change_an_answer(cell, pooling, bidirectional):
    model = classifier(cell, pooling, bidirectional)
    texts = rows(7, 1, 4, 7, 2)
    alone = torch.cat([model(text[None]) for text in texts])
    torch.testing.assert_close(model(padded(texts)), alone)
    torch.testing.assert_close(model(padded(texts, steps=11)), alone)
    order = torch.tensor([3, 1, 4, 0, 2])
    torch.testing.assert_close(model(padded(texts)[order]), alone[order])


@torch.no_grad()
def test_neither_padding_nor_neighbours_change_a_tag(cell):
    model = patterns.tagger(SIZE, 4, cell=cell, hidden_size=12, embedding_size=8, layers=2).eval()
    texts = rows(6, 1, 3)
    together = model(padded(texts, steps=9))
    for row, text in enumerate(texts):
        torch.testing.assert_close(together[row, : len(text)], model(text[None])[0])


@torch.no_grad()
def test_a_word_is_spelled_the_same_wherever_its_spelling_stands():
    model = patterns.tagger(SIZE, 4, alphabet_size=30, hidden_size=12, embedding_size=8, spelling_size=6).eval()
    tokens = padded(rows(5, 3))
    spellings = padded([torch.randint(4, 30, (length,)) for length in (2, 7, 1, 4)])
    places = torch.randint(4, tokens.shape)
    order = torch.tensor([2, 0, 3, 1])
    wider = nn.functional.pad(spellings[order], (0, 3), value=PAD)
    torch.testing.assert_close(model(tokens, order.argsort()[places], wider), model(tokens, places, spellings))


@torch.no_grad()
def test_unknown_words_are_told_apart_by_their_spelling():
    model = patterns.tagger(SIZE, 4, alphabet_size=30, hidden_size=12, embedding_size=8, spelling_size=6).eval()
    tokens, spellings = torch.full((1, 1), UNK), torch.randint(4, 30, (2, 5))
    one, other = (model(tokens, torch.full((1, 1), place), spellings) for place in (0, 1))
    assert not torch.allclose(one, other)


@torch.no_grad()
def test_what_is_summed_up_is_what_the_poolings_say():
    model = classifier("lstm", "concat", True, layers=1)
    texts = rows(5, 3)
    memory = model.encoder(padded(texts))
    for row, text in enumerate(texts):
        states = memory.states[row, : len(text)]
        forward_size = 12 + 8  # the states and, beside them, the embeddings
        last = torch.cat([states[-1, :forward_size], states[0, forward_size:]])
        expected = torch.cat([last, states.mean(dim=0), states.amax(dim=0)])
        torch.testing.assert_close(memory.summary[row], expected)
        assert not memory.states[row, len(text) :].any()
    assert torch.equal(memory.mask, padded(texts) != PAD)


@torch.no_grad()
def test_the_backward_direction_is_the_forward_one_of_the_reversed_text(cell):
    model = classifier(cell, "last", True, layers=1).encoder
    model.backwards.load_state_dict(model.forwards.state_dict())
    [text] = rows(6)
    states, mirrored = model(text[None]).states[0], model(text.flip(0)[None]).states[0]
    torch.testing.assert_close(states[:, -12:].flip(0), mirrored[:, :12])


@torch.no_grad()
def test_embeddings_stand_beside_the_states_where_they_are_asked_for():
    [text] = rows(6)
    for skip in (True, False):
        encoder = patterns.text_classifier(SIZE, 3, hidden_size=12, embedding_size=8, skip=skip).eval().encoder
        states = encoder(text[None]).states[0]
        assert states.shape == (6, 12 + 8 * skip + 12)
        if skip:
            torch.testing.assert_close(states[:, 12:20], encoder.embedding(text))


def test_reversing_twice_changes_nothing():
    mask = torch.tensor([[True] * 4, [True, True, False, False], [True, False, False, False]])
    x = torch.randn(3, 4, 2)
    order = reversing(mask)
    torch.testing.assert_close(reorder(reorder(x, order), order), x)
    assert order[1].tolist() == [1, 0, 2, 3]


def test_word_dropout_spares_special_tokens_and_evaluation():
    dropout = WordDropout(0.5)
    tokens = torch.tensor([[PAD, 1, 2, UNK, *range(4, 1000)]])
    dropped = dropout(tokens)
    assert torch.equal(dropped[:, :4], tokens[:, :4])
    assert 300 < int((dropped[:, 4:] == UNK).sum()) < 700
    assert torch.equal(dropout.eval()(tokens), tokens)
    with pytest.raises(InputError, match="word_dropout must be at least 0 and below 1, not 1"):
        WordDropout(1)


def test_each_pattern_overfits_a_batch():
    texts, answers = padded(rows(7, 5, 6, 3)), torch.tensor([0, 1, 2, 1])
    images = torch.randn(4, 3, 16, 16)
    spellings = torch.randint(4, 30, (4, 5))
    cases = [
        (patterns.text_classifier(SIZE, 3, hidden_size=16), (texts,), answers),
        (patterns.image_classifier(3), (images,), answers),
        (patterns.tagger(SIZE, 4, hidden_size=16), (texts,), texts % 4),
        (patterns.tagger(SIZE, 4, alphabet_size=30, hidden_size=16), (texts, texts % 4, spellings), texts % 4),
    ]
    for model, inputs, targets in cases:
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        for _ in range(60):
            loss = nn.functional.cross_entropy(model(*inputs).flatten(0, -2), targets.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert loss < 0.2


@torch.no_grad()
def test_an_image_is_a_memory_of_its_places():
    encoder = patterns.image_classifier(3).eval().encoder
    images = torch.randn(2, 3, 64, 48)
    memory = encoder(images)
    assert memory.states.shape == (2, 4 * 3, encoder.output_size)
    torch.testing.assert_close(memory.summary, memory.states.mean(dim=1))
    torch.testing.assert_close(memory.states[:, 5], encoder.backbone(images)[:, :, 1, 2])


def test_a_frozen_backbone_stays_as_it_is():
    encoder = patterns.image_classifier(3, frozen=True).train().encoder
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    encoder(torch.randn(4, 3, 16, 16))
    assert all(torch.equal(tensor, before[name]) for name, tensor in encoder.state_dict().items())
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_a_vector_or_a_category_is_a_memory_of_one_position():
    for network, inputs in ((nn.Linear(5, 8), torch.randn(3, 5)), (nn.Embedding(4, 8), torch.tensor([0, 3, 3]))):
        memory = VectorEncoder(network, 8)(inputs)
        assert memory.states.shape == (3, 1, 8)
        torch.testing.assert_close(memory.summary, network(inputs))
        assert memory.mask.all()


def test_the_heads_take_any_encoder():
    encoder = ImageEncoder(nn.Conv2d(3, 6, 3), 6, Mean())
    assert EncoderClassifier(encoder, nn.Linear(6, 2))(torch.randn(2, 3, 5, 5)).shape == (2, 2)
    assert EncoderTagger(encoder, nn.Linear(6, 2))(torch.randn(2, 3, 5, 5)).shape == (2, 9, 2)


def test_an_unknown_pooling_names_the_nearest():
    with pytest.raises(InputError, match=r"not 'maxx' \(did you mean max\?\)"):
        classifier("lstm", "maxx", True)
