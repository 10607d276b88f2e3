"""The contract checks pass for all of ours, and name the promise that a broken part does not keep."""

from dataclasses import fields

import pytest
import torch
from making import (
    make_captioner,
    make_conditional_generator,
    make_generator,
    make_image_classifier,
    make_tagger,
    make_text_classifier,
    make_translator,
)
from torch import nn

from seqgen import patterns
from seqgen.inference.classifiers import TextClassifier
from seqgen.nn.encoders import VectorEncoder
from seqgen.state import Memory
from seqgen.symbols import PAD
from seqgen.testing import check_bundle, check_encoder

TOKENS = torch.tensor([[5, 6, 7, 8], [9, 4, PAD, PAD], [5, PAD, PAD, PAD]])
IMAGES = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
TEXTS = ["the cat sat", "the dog", "a"]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_encoders_of_ours_keep_their_promises(cell, bidirectional):
    options = {"cell": cell, "hidden_size": 12, "embedding_size": 8, "bidirectional": bidirectional}
    check_encoder(patterns.text_classifier(20, 3, **options).encoder, TOKENS, padding=PAD)
    check_encoder(VectorEncoder(nn.Linear(4, 6), 6), torch.rand(3, 4))
    check_encoder(make_captioner().model.encoder, IMAGES)
    check_encoder(make_image_classifier().model.encoder, IMAGES[:, :, :16, :16])


BUNDLES = {
    "generator": (make_generator, ()),
    "text_classifier": (make_text_classifier, TEXTS),
    "image_classifier": (make_image_classifier, list((IMAGES * 255).byte().permute(0, 2, 3, 1).numpy())),
    "tagger": (make_tagger, TEXTS),
    "translator": (make_translator, TEXTS),
    "captioner": (make_captioner, list((IMAGES * 255).byte().permute(0, 2, 3, 1).numpy())),
    "conditional_generator": (make_conditional_generator, ["cat", "dog"]),
}


@pytest.mark.parametrize("name", BUNDLES)
def test_bundles_of_ours_keep_their_promises(name):
    make, inputs = BUNDLES[name]
    check_bundle(make(), inputs)


class Broken(nn.Module):
    """An encoder that keeps all promises but one."""

    output_size = 4

    def __init__(self, fault):
        super().__init__()
        self.fault = fault
        self.embedding = nn.Embedding(20, 4)

    def forward(self, tokens):
        mask = tokens != PAD
        states = self.embedding(tokens)
        summary = (states * mask[..., None]).sum(1)
        if self.fault == "neighbours":
            summary = summary - summary.mean(0)
        if self.fault == "padding":
            summary = states.mean(1)
        if self.fault == "same inputs":
            summary = summary + torch.rand(())
        if self.fault == "output_size":
            states = states[:, :, :3]
        if self.fault == "booleans":
            mask = mask.float()
        if self.fault == "real position":
            mask = torch.zeros_like(mask)
        return states if self.fault == "must return a Memory" else Memory(states, mask, summary)


FAULTS = ["neighbours", "padding", "same inputs", "output_size", "booleans", "real position", "must return a Memory"]


def test_an_encoder_without_a_fault_passes():
    check_encoder(Broken(""), TOKENS, padding=PAD)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_encoder_is_told_what_it_breaks(fault):
    with pytest.raises(AssertionError, match=fault):
        check_encoder(Broken(fault), TOKENS, padding=PAD)


def test_a_broken_bundle_is_told_what_it_breaks():
    classifier = make_text_classifier()
    classifier.classes = ("bad", "fine", "odd")  # a list once it was read
    with pytest.raises(AssertionError, match="parts must come back"):
        check_bundle(classifier, TEXTS)


def test_a_bundle_whose_batches_mix_inputs_is_told_so():
    class Mixing(TextClassifier):
        def collate(self, rows):
            [tokens] = super().collate(rows)
            return (tokens.flip(0),)

    made = make_text_classifier()
    mixing = Mixing(**{field.name: getattr(made, field.name) for field in fields(made)})
    with pytest.raises(AssertionError, match="must not depend on those"):
        check_bundle(mixing, TEXTS)
