"""Train a recurrent network to generate characters, bytes or words, for 100 seconds unless a limit is given.

With no argument it learns to generate Python from the source of the standard library, and then shows samples. Give it
text of your own with --data.
"""

from seqgen.exits import run_main

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch

from seqgen import patterns
from seqgen.batches.text import TextBatches, text_batches
from seqgen.data.encoded import DocumentKind, token_counts
from seqgen.data.sets.benchmark_texts import BENCHMARK_TEXTS
from seqgen.data.text_splits import TextSplitOptions, TextSplits
from seqgen.errors import InputError
from seqgen.figures.followed import followed_section
from seqgen.figures.section import Section
from seqgen.inference.continuation import continued
from seqgen.inference.generator import Generator
from seqgen.inference.known_tokens import first_words
from seqgen.metrics.text_loss import TextLoss
from seqgen.runs.config import RunConfig, parse_options
from seqgen.runs.evaluation import best_model, mean_loss
from seqgen.runs.initial_model import initial_model
from seqgen.runs.markov_chain import MarkovChain, markov_chain
from seqgen.runs.run import Run
from seqgen.runs.sizes import GENERATOR, WORD_GENERATOR
from seqgen.runs.suitable_size import EPOCHS, Trial
from seqgen.runs.text_options import of_vocabulary, regularize, suitable_sample
from seqgen.runs.token_options import TokenOptions
from seqgen.runs.training import Training
from seqgen.runs.vectors import VectorOptions, begin_with_vectors
from seqgen.training.cross_entropy import sampling_shares
from seqgen.training.losses import LossFunction, next_token

SAMPLE = 300  # tokens of a sample in the test


@dataclass(kw_only=True)
class Config(TokenOptions, VectorOptions, RunConfig, TextSplitOptions):
    """Options of the character and word generator."""

    recipe = "char_generator"
    builder = patterns.generator
    from_zero = RunConfig.from_zero | {"sampled_softmax"}
    presets: ClassVar = {name: {"tokenizer": "whitespace"} for name in BENCHMARK_TEXTS}
    sizes = GENERATOR

    data: str = "python-source"
    """a file, a folder, a glob, several with commas between, - for standard input, or a named set"""
    documents: DocumentKind = "none"
    """kind of separate documents, whose ends the model learns; with none the text is one stream"""
    dropout: float | None = None
    """dropout probability before the output layer and between layers; by default by the number of epochs"""
    weight_drop: float | None = None
    """dropout probability of the recurrent weights; by default 0 unless they outnumber the tokens of the text"""
    sampled_softmax: int | None = None
    """tokens sampled to estimate the loss of an update; by default some of a large vocabulary, 0 takes all"""
    batch_size: int = 64
    """lanes of the text that are read in parallel, or documents of a batch"""
    window: int = 64
    """tokens of an update in each row; the hidden state is carried from one to the next"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_fraction("dropout", "weight_drop")
        if self.sampled_softmax and self.label_smoothing:
            raise InputError("--sampled_softmax must be without --label_smoothing, which needs the whole vocabulary")


@dataclass(kw_only=True)
class WordConfig(Config):
    """The same options with the defaults for large vocabularies, such as words."""

    sizes = WORD_GENERATOR
    learning_rates: ClassVar = {"muon": 0.01, "adamw": 0.004}

    adamw_learning_rate: float | None = 0.005
    batch_size: int = 32
    window: int = 35


def main() -> None:
    """Train a generator, keep the one with the lowest validation loss, and show samples."""
    config = parse_options(Config)
    run = Run(config, default_seconds=100)
    splits = TextSplits.find(config.data, config.valid, config.test, config.encoding)
    config.data, config.valid, config.test = splits.names  # a resumed run reads a copy of standard input
    blocks = splits.train.blocks
    initial: Generator | None = initial_model(run, blocks())
    tokenizer = initial.tokenizer if initial else config.fitted(blocks())
    config = of_vocabulary(config, WordConfig, tokenizer.vocab_size)
    if config.sampled_softmax is None and not config.label_smoothing:
        config.sampled_softmax = suitable_sample(tokenizer.vocab_size)
    texts, ends = splits.encoded(tokenizer, config.documents), config.documents != "none"
    loss: LossFunction = partial(next_token, label_smoothing=config.label_smoothing)
    if config.sampled_softmax:
        counts = torch.from_numpy(token_counts(texts.tokens, tokenizer.vocab_size))
        loss = partial(next_token, shares=sampling_shares(counts, config.sampled_softmax).to(run.device))

    def batches(config: Config) -> TextBatches:
        """Return the batches of the texts."""
        return text_batches(texts, config.batch_size, config.window, split_seed=run.split_seed, **run.shared)

    def untrained(config: Config) -> Generator:
        """Return an untrained generator, or the one to go on with."""
        dropout = {"dropout": config.dropout or 0.0, "weight_drop": config.weight_drop or 0.0}
        if initial is not None:
            return continued(initial, dropout)
        return Generator.untrained(tokenizer=tokenizer, ends=ends, **(config.model | dropout))

    def trial(config: Config) -> Trial:
        """Return a model, and the first batch."""
        data = batches(config)
        return Trial(untrained(config).model, next(data.train.starting_at(0)), data.batches_per_epoch)

    config = run.sized(config, trial, loss)
    data = batches(config)
    prompt = "" if ends else first_words(tokenizer, data.held_back)
    epochs = regularize(config, data, tokenizer.vocab_size)
    generator = untrained(config)
    for sentence in (*texts.unknown, data.shrunk):
        if sentence:
            run.say(sentence)
    run.describe(f"{config.data}: {len(texts.tokens):,} tokens, a vocabulary of {tokenizer.vocab_size:,}", generator)
    if not config.resume:
        run.say(f"{epochs:.3g} epochs, so --dropout {config.dropout} --weight_drop {config.weight_drop}")
        if epochs > EPOCHS:
            run.say("so small a text is learned by heart in this time: expect little of new text")
    with Training(run, generator, splits.fingerprint, groups=begin_with_vectors(run, generator)) as training:
        for step in training.steps(data.train, loss):
            if training.due(step):
                if not step.last:  # the test shows more
                    sample = partial(training.averaged.generate, max_new_tokens=SAMPLE // 2, temperature=0.8)
                    run.say(f"{sample(prompt, seed=config.seed)[0]}\n")
                val_loss = mean_loss(run, training.averaged.model, data.validation(), run.in_precision(next_token))
                training.evaluated(step, val_loss)
    best = best_model(training)
    chain = markov_chain(run, best.model, data, tokenizer.vocab_size)
    if run.main:
        test(training, best, data, prompt, chain)


def test(
    training: Training[Generator], generator: Generator, data: TextBatches, prompt: str, chain: MarkovChain
) -> None:
    """Test the best generator, show samples, and print the command for more."""
    seed, tokenizer = training.run.config.seed, generator.tokenizer
    temperatures, sample = (0.5, 0.8, 1.0), partial(generator.generate, prompt, max_new_tokens=SAMPLE, seed=seed)
    texts = [sample(temperature=temperature)[0] for temperature in temperatures]
    samples = "\n".join(f"--- temperature {pair[0]}\n{pair[1]}\n" for pair in zip(temperatures, texts, strict=True))
    text = tokenizer.decode(data.held_back)
    valid = TextLoss.of(chain.network_losses["val"], data.held_back, text, data.valid.characters)
    bits = valid._replace(loss=chain.val_loss).bits_per_character
    figures = {"val_loss": valid.loss, **valid.figures, **chain.figures, "ngram_bits_per_character": bits}
    said = f"--- validation loss {valid}\n--- {chain}, {bits:.4f} bits a character"
    if data.test is not None:
        tested = TextLoss.of(chain.network_losses["test"], data.test.tokens, characters=data.test.characters)
        figures |= {"test_loss": tested.loss} | {f"test_{name}": figure for name, figure in tested.figures.items()}
        counted = tested._replace(loss=chain.losses["test"]).bits_per_character
        figures["ngram_test_bits_per_character"] = counted
        said += f"\n--- test loss {tested}\n--- Markov chain: test loss {chain.losses['test']:.4f} nats a token"
    said += f"\n--- {chain.mixture}"
    training.results(Section("Samples", samples), followed_section(generator, text), **figures)
    print(f"{samples}\n{said}")
    training.run.show_use("to generate more", "generate", prompt, "--temperature", "0.8")


if __name__ == "__main__":
    run_main(main)
