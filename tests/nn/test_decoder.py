import pytest
import torch
from torch import nn

from seqgen import patterns
from seqgen.batches.stream import Stream
from seqgen.inference.generator import Generator
from seqgen.state import Memory, State
from seqgen.testing import check_decoder
from seqgen.text.characters import CharacterTokenizer
from seqgen.training.loop import train_steps
from seqgen.training.optimizers import optimizers
from seqgen.training.schedules import Schedule


@pytest.mark.parametrize("layers", [1, 2])
def test_the_generator_keeps_the_contract(cell, layers):
    check_decoder(patterns.generator(11, cell=cell, hidden_size=8, layers=layers, embedding_size=4, dropout=0.5), 11)


def test_reading_prompts_in_one_pass_equals_stepping_through_each(cell):
    decoder = patterns.generator(11, cell=cell, hidden_size=8, layers=2, embedding_size=4).eval()
    tokens, lengths = torch.randint(11, (3, 6)), torch.tensor([2, 6, 1])
    logits, state = decoder.read(tokens, lengths, decoder.start(batch_size=3))
    for row, length in enumerate(lengths.tolist()):
        alone = decoder.start(batch_size=1)
        for token in tokens[row, :length]:
            expected, alone = decoder.step(token[None], alone)
        torch.testing.assert_close(logits[row], expected[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(state.h[:, row], alone.h[:, 0], atol=1e-5, rtol=1e-4)


def test_a_memory_is_refused_by_a_decoder_that_cannot_read_it():
    decoder = patterns.generator(11, hidden_size=8)
    memory = Memory(torch.zeros(1, 1, 1), torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, 1))
    with pytest.raises(ValueError, match="no memory"):
        decoder.start(memory)


class Broken(nn.Module):
    """A decoder that breaks one promise."""

    def __init__(self, promise):
        super().__init__()
        self.promise, self.calls = promise, 0
        self.table = nn.Parameter(torch.randn(11, 11))

    def start(self, memory=None, *, batch_size=None):
        shape = (batch_size, 1, 11) if self.promise == "axis" else (1, batch_size, 11)
        return torch.zeros(shape) if self.promise == "state" else State(torch.zeros(shape))

    def step(self, tokens, state, memory=None):
        h = state.h + self.table[tokens]
        if self.promise == "neighbours":
            h = h + h.mean(dim=1, keepdim=True)
        if self.promise == "changes":
            state.h.add_(1)
        self.calls += 1
        logits = h[0] + (self.calls if self.promise == "remembers" else 0)
        if self.promise == "pair":
            return logits
        if self.promise == "finite":
            logits = logits * float("nan")
        return (logits[:, :5] if self.promise == "shape" else logits), State(h)


class WithForward(Broken):
    """A decoder whose `forward` breaks one promise."""

    def forward(self, tokens, state=None, memory=None):
        if state is None and self.promise == "no state":
            raise TypeError("a state is needed")
        start = self.start(batch_size=len(tokens))
        h = (start if state is None or self.promise == "not carried" else state).h
        sums = h[0, :, None] + self.table[tokens].cumsum(dim=1)
        if self.promise == "only logits":
            return sums
        return (sums * 2 if self.promise == "other logits" else sums), (
            start if self.promise == "other state" else State(sums[None, :, -1])
        )


def test_what_was_checked_is_said():
    without, checked = check_decoder(Broken("none"), 11), check_decoder(WithForward("none"), 11)
    assert [line for line in without if not line.startswith("ok: ")] == [without[-1]]
    assert without[-1].startswith("not checked: forward")
    assert set(without[:-1]) < set(checked)
    assert all(line.startswith("ok: ") for line in checked)
    assert str(checked).splitlines() == checked
    assert "ok: forward(tokens, None) must equal step after step" in checked


def test_a_decoder_that_passes_can_be_scored_and_trained():
    tokenizer = CharacterTokenizer.fit(["abcdefg"])
    decoder = WithForward("none")
    generator = Generator.of(decoder, tokenizer=tokenizer)
    assert generator.score("abc").perplexity > 1
    batches = Stream(tokenizer.encode("abcdefg" * 100), 4, 8).starting_at(0)
    losses = [step.loss for step in train_steps(decoder, batches, optimizers(decoder, "adamw"), Schedule(max_steps=3))]
    assert len(losses) == 3


@pytest.mark.parametrize(
    ("promise", "sentence"),
    [
        ("axis", "axis 1"),
        ("neighbours", "neighbours"),
        ("changes", "not change the state"),
        ("remembers", "the same tokens and state"),
        ("shape", "logits"),
        ("finite", "finite"),
        ("state", "must return a State"),
        ("pair", "logits and a State"),
    ],
)
def test_each_broken_promise_is_named(promise, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_decoder(Broken(promise), 11)


@pytest.mark.parametrize(
    ("promise", "sentence"),
    [
        (
            "no state",
            r"forward\(tokens, None\) must read all steps at once, but it raises TypeError: a state is needed",
        ),
        ("only logits", r"forward\(tokens, state\) must return logits and a State, but it returns a Tensor"),
        (
            "other logits",
            r"forward\(tokens, state\) must equal step after step, but the largest difference of logits is",
        ),
        (
            "other state",
            r"forward\(tokens, state\) must equal step after step, but the largest difference of state.h is",
        ),
        ("not carried", r"forward\(tokens, state\) must equal step after step"),
    ],
)
def test_each_promise_that_forward_breaks_is_named(promise, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_decoder(WithForward(promise), 11)
