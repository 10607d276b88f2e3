"""Train a recurrent network to generate characters, bytes or words, for 100 seconds unless a limit is given.

With no argument it learns to generate Python from the source of the standard library, and then shows samples. Give it
text of your own with --data.
"""

from seqgen.exits import run_main

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch

from seqgen import patterns
from seqgen.batches.text import TextBatches, document_batches, stream_batches
from seqgen.data.corpus import Corpus
from seqgen.data.encoded import DocumentKind, encode_documents, encode_stream, token_counts
from seqgen.data.text_file import TextOptions
from seqgen.errors import InputError
from seqgen.figures.followed import followed_section
from seqgen.figures.section import Section
from seqgen.inference.continuation import continued
from seqgen.inference.generator import Generator
from seqgen.inference.known_tokens import first_words
from seqgen.runs.config import RunConfig, parse_options
from seqgen.runs.evaluation import best_model, mean_loss
from seqgen.runs.initial_model import initial_model
from seqgen.runs.markov_chain import markov_chain
from seqgen.runs.run import Run
from seqgen.runs.sizes import GENERATOR
from seqgen.runs.suitable_size import EPOCHS, Trial
from seqgen.runs.training import Training
from seqgen.symbols import EOS, UNK
from seqgen.text.tokenizer import fit_tokenizer
from seqgen.training.cross_entropy import sampling_shares
from seqgen.training.losses import LossFunction, next_token
from seqgen.training.regularization import suitable_dropout, suitable_weight_drop

TOKENS_PER_SECOND = 40_000  # usual speed on two cores
SAMPLE = 300  # tokens of a sample in the test


@dataclass(kw_only=True)
class Config(RunConfig, TextOptions):
    """Options of the character and word generator."""

    recipe = "char_generator"
    builder = patterns.generator
    sizes = GENERATOR

    data: str = "python-source"
    """a file, a folder, a glob, several with commas between, - for standard input, python-source or python-docs"""
    tokenizer: Literal["char", "byte", "word", "lowercase-word", "subword", "bpe"] = "char"
    """kind of tokens"""
    vocab_size: int | None = None
    """maximum size of the vocabulary; other tokens are read as unknown, or in smaller pieces"""
    documents: DocumentKind = "none"
    """kind of separate documents, whose ends the model learns; with none the text is one stream"""
    dropout: float | None = None
    """dropout probability before the output layer and between layers; by default by the number of epochs"""
    weight_drop: float | None = None
    """dropout probability of the recurrent weights; by default 0 unless they outnumber the tokens of the text"""
    sampled_softmax: int | None = None
    """number of tokens sampled to estimate the loss of an update: faster for a large vocabulary"""
    batch_size: int = 64
    """lanes of the text that are read in parallel, or documents of a batch"""
    window: int = 64
    """tokens of an update in each row; the hidden state is carried from one to the next"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_fraction("dropout", "weight_drop")
        if self.sampled_softmax and self.label_smoothing:
            raise InputError("--sampled_softmax must be without --label_smoothing, which needs the whole vocabulary")


def regularize(config: Config, data: TextBatches) -> float:
    """Set the dropout probabilities that were not given, and return the number of epochs."""
    by_steps = (config.max_steps or math.inf) * config.accumulate / data.batches_per_epoch
    by_clock = (config.max_seconds or math.inf) * TOKENS_PER_SECOND / data.train_tokens
    epochs = min(by_steps, by_clock)
    if config.dropout is None:
        config.dropout = suitable_dropout(epochs)
    if config.weight_drop is None:
        sizes = {name: config.model[name] for name in ("cell", "hidden_size", "layers")}
        config.weight_drop = suitable_weight_drop(**sizes, tokens=data.train_tokens, epochs=epochs)
    return epochs


def main() -> None:
    """Train a generator, keep the one with the lowest validation loss, and show samples."""
    config = parse_options(Config)
    run = Run(config, default_seconds=100)
    run.alone("sampled_softmax")
    corpus = Corpus.find(config.data, config.encoding)
    config.data = corpus.name  # a resumed run reads a copy of standard input
    initial: Generator | None = initial_model(run, corpus.blocks())
    tokenizer = initial.tokenizer if initial else fit_tokenizer(config.tokenizer, corpus.blocks(), config.vocab_size)
    ends = config.documents != "none"
    documents = encode_documents(corpus, tokenizer, config.documents) if ends else None
    tokens = encode_stream(corpus, tokenizer) if documents is None else documents.values
    loss: LossFunction = partial(next_token, label_smoothing=config.label_smoothing)
    if config.sampled_softmax is not None:
        counts = torch.from_numpy(token_counts(tokens, tokenizer.vocab_size))
        loss = partial(next_token, shares=sampling_shares(counts, config.sampled_softmax).to(run.device))

    def batches(config: Config) -> TextBatches:
        """Return the batches of the documents, or of the stream."""
        size = config.batch_size, config.window
        if documents is None:
            return stream_batches(tokens, *size, **run.shared)
        return document_batches(documents, *size, **run.shared)

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
    epochs = regularize(config, data)
    generator = untrained(config)
    if data.shrunk:
        run.say(data.shrunk)
    run.describe(f"{config.data}: {len(tokens):,} tokens, {tokenizer.vocab_size:,} different", generator)
    if not config.resume:
        run.say(f"{epochs:.3g} epochs, so --dropout {config.dropout} --weight_drop {config.weight_drop}")
        if epochs > EPOCHS:
            run.say("so small a text is learned by heart in this time: expect little of new text")
    with Training(run, generator, corpus.fingerprint) as training:
        for step in training.steps(data.train, loss):
            if training.due(step):
                if not step.last:  # the test shows more
                    sample = partial(training.averaged.generate, max_new_tokens=SAMPLE // 2, temperature=0.8)
                    run.say(f"{sample(prompt, seed=config.seed)[0]}\n")
                val_loss = mean_loss(run, training.averaged.model, data.validation(), run.in_precision(next_token))
                training.evaluated(step, val_loss)
    best = best_model(training)
    val_loss = mean_loss(run, best.model, data.validation(), next_token)
    if run.main:
        test(training, best, data, prompt, val_loss)


def test(training: Training[Generator], generator: Generator, data: TextBatches, prompt: str, val_loss: float) -> None:
    """Test the best generator, show samples, and print the command for more."""
    seed = training.run.config.seed
    text = generator.tokenizer.decode(data.held_back)
    # EOS counts as a character: it is predicted in place of a line end.
    characters = len(text) + int((data.held_back == EOS).sum())
    of_characters = len(data.held_back) / characters / math.log(2)  # bits a character for each nat a token
    perplexity, bits, unknown = math.exp(val_loss), val_loss * of_characters, float((data.held_back == UNK).mean())
    temperatures, sample = (0.5, 0.8, 1.0), partial(generator.generate, prompt, max_new_tokens=SAMPLE, seed=seed)
    texts = [sample(temperature=temperature)[0] for temperature in temperatures]
    samples = "\n".join(f"--- temperature {pair[0]}\n{pair[1]}\n" for pair in zip(temperatures, texts, strict=True))
    figures = {"val_loss": val_loss, "bits_per_character": bits, "perplexity": perplexity, "unknown_tokens": unknown}
    chain = markov_chain(data, generator.tokenizer.vocab_size)
    figures |= {**chain.figures, "ngram_bits_per_character": chain.val_loss * of_characters}
    training.results(Section("Samples", samples), followed_section(generator, text), **figures)
    print(samples)
    rest = f", {unknown:.1%} of the tokens unknown" if unknown else ""
    print(f"--- validation loss {val_loss:.4f} nats a token, {bits:.4f} bits a character", end="")
    print(f", perplexity {perplexity:.2f}{rest}\n--- {chain}, {chain.val_loss * of_characters:.4f} bits a character")
    training.run.show_use("to generate more", "generate", prompt, "--temperature", "0.8")


if __name__ == "__main__":
    run_main(main)
