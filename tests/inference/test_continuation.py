"""A model goes on with other parts: what it knows keeps its weights, what is new begins as in an untrained model."""

import pytest
import torch
from making import MADE, make_conditional_generator, make_generator, make_tagger, make_translator

from seqgen.errors import InputError
from seqgen.inference.continuation import TABLES, continued
from seqgen.inference.generator import Generator
from seqgen.ngram import NGram
from seqgen.patterns import generator as build_generator

MADE = {**MADE, "characters": make_tagger, "numbers": lambda: make_conditional_generator((), [1.0], [2.0])}


@pytest.mark.parametrize("name", MADE)
def test_a_model_with_the_same_parts_has_the_same_weights(name):
    bundle = MADE[name]()
    again = continued(bundle)
    assert again.parts() == bundle.parts()
    for weight, other in zip(bundle.model.state_dict().values(), again.model.state_dict().values(), strict=True):
        assert torch.equal(weight, other)
        assert weight.data_ptr() != other.data_ptr()


@pytest.mark.parametrize("tie", [False, True])
def test_logits_of_old_tokens_are_the_same_bit_for_bit_after_old_prompts(tie):
    before = make_generator(tie_embeddings=tie)
    old = before.tokenizer.vocab_size
    after = continued(before, tokenizer=before.tokenizer.extended("äöü the cat"))
    after.model.eval()
    tokens = torch.from_numpy(before.tokenizer.encode("the cat sat on the mat."))[None]
    assert after.tokenizer.vocab_size == old + 3
    with torch.no_grad():
        logits, _ = before.model(tokens)
        extended, _ = after.model(tokens)
    assert torch.equal(logits, extended[:, :, :old])
    assert tie == (after.model.output.weight is after.model.embedding.weight)


def test_rows_of_new_tokens_are_those_of_an_untrained_model():
    before = make_generator()
    tokenizer = before.tokenizer.extended("äöü the cat")
    torch.manual_seed(7)
    after = continued(before, tokenizer=tokenizer)
    torch.manual_seed(7)
    untrained = build_generator(tokenizer.vocab_size, **before.arguments)
    assert torch.equal(after.model.output.weight[-3:], untrained.output.weight[-3:])
    assert torch.equal(after.model.embedding.weight[-3:], untrained.embedding.weight[-3:])


def test_both_sides_of_a_shared_vocabulary_are_extended_together():
    before = make_translator()
    tokenizer = before.source.extended("äöü the cat")
    after = continued(before, source=tokenizer, target=tokenizer)
    assert after.model.encoder.embedding.weight is after.model.decoder.output.weight
    assert torch.equal(after.model.decoder.output.bias[:-3], before.model.decoder.output.bias)


def test_labels_keep_their_rows_in_any_order():
    before = MADE["text_classifier"]()
    after = continued(before, classes=["odd", "new", "bad"])
    old, new = before.model.head[1], after.model.head[1]
    assert torch.equal(new.weight[[0, 2]], old.weight[[2, 0]])
    assert not torch.equal(new.weight[1], old.weight[1])


def test_a_model_of_an_own_builder_is_refused():
    tokenizer = make_generator().tokenizer
    chain = NGram.fit(tokenizer.encode("the cat sat"), vocab_size=tokenizer.vocab_size, order=2)
    with pytest.raises(InputError, match="must be made by seqgen"):
        continued(Generator.of(chain, tokenizer=tokenizer))


def test_dropout_may_change_and_sizes_may_not():
    before = make_generator()
    assert continued(before, {"dropout": 0.4}).model.dropout.p == 0.4
    with pytest.raises(InputError, match="must keep its sizes"):
        continued(before, {"hidden_size": 24})


@pytest.mark.parametrize("name", MADE)
def test_no_table_is_forgotten(name):
    """Every weight that has another shape with another token or label is among the tables of its part."""
    bundle = MADE[name]()
    tables = TABLES[bundle.builder]
    for field in tables:
        part = getattr(bundle, field)
        if not part:
            continue
        found = [*part, "another"] if isinstance(part, list) else part.extended(extra(part))
        shared = field == "source" and bundle.source is bundle.target
        more = {field: found, **({"target": found} if shared else {})}
        if field == "target" and getattr(bundle, "source", None) is bundle.target:
            continue
        model = continued(bundle, **more).model.state_dict()
        grown = {key for key, weight in bundle.model.state_dict().items() if weight.shape != model[key].shape}
        assert grown
        assert grown <= {*tables[field], *(tables["target"] if shared else ())}


def extra(part):
    """Text, or symbols, with something new to a tokenizer or vocabulary."""
    return ["ä"] if not hasattr(part, "encode") else "ä newest newest ä"
