"""Train a recurrent network to write characters, bytes or words, for 100 seconds unless a limit is given.

With no argument it learns for 100 seconds to write Python from the source of the standard library, which every Python
has, and then writes some. Give it text of your own with --data.
"""

import json
import math
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import torch

from seqgen import patterns
from seqgen.batches.documents import Documents
from seqgen.batches.stream import Stream, held_back_windows, shrink_to_text
from seqgen.batches.windows import Batch, Batches
from seqgen.data.corpus import Corpus
from seqgen.data.encoded import DocumentKind, encode_corpus
from seqgen.data.splits import split_documents, split_stream
from seqgen.errors import InputError, run_main
from seqgen.files import write_text
from seqgen.inference.generator import Generator
from seqgen.runs.config import RunConfig, parse_options
from seqgen.runs.run import Run
from seqgen.symbols import EOS, UNK
from seqgen.text.tokenizer import Tokenizer, fit_tokenizer
from seqgen.training.cross_entropy import sampling_shares
from seqgen.training.losses import LossFunction, evaluate, next_token
from seqgen.training.optimizers import optimizers

MODEL_OPTIONS = (
    "cell",
    "hidden_size",
    "layers",
    "embedding_size",
    "dropout",
    "embedding_dropout",
    "weight_drop",
    "tie_embeddings",
)
EVALUATION_WINDOW = 256  # tokens; nothing is kept for a backward pass, so it may be longer than in training

USUAL_TOKENS_PER_SECOND = 40_000  # on two cores
GATES = {"lstm": 4, "gru": 3, "rnn": 1}


@dataclass(kw_only=True)
class Config(RunConfig):
    """Options of the character and word generator."""

    data: str = "python-source"
    """a file, a folder, a glob, - for standard input, python-source or python-docs"""
    tokenizer: Literal["char", "byte", "word", "lowercase-word", "subword", "bpe"] = "char"
    """what a token is"""
    vocab_size: int | None = None
    """the most words, subwords or characters; the rest is read as unknown, or in smaller pieces"""
    documents: DocumentKind = "none"
    """what a document is, which then learns where to end; with none the text is one stream"""
    cell: Literal["lstm", "gru", "rnn"] = "lstm"
    """the recurrent cell"""
    hidden_size: int = 384
    """features of the hidden state"""
    layers: int = 1
    """recurrent layers"""
    embedding_size: int = 64
    """features of a token's embedding"""
    dropout: float | None = None
    """share of features dropped before the output and between layers; by default by how often the text is read"""
    embedding_dropout: float = 0.0
    """share of features dropped of the embeddings"""
    weight_drop: float | None = None
    """share of recurrent weights dropped; by default for texts with fewer tokens than there are such weights"""
    tie_embeddings: bool = False
    """whether the output layer has the embeddings as its weights: for large vocabularies"""
    sampled_softmax: int | None = None
    """estimate the loss of an update from about so many tokens of the vocabulary: faster for large ones"""
    batch_size: int = 64
    """lanes of the text that are read side by side, or documents of a batch"""
    window: int = 64
    """tokens of a training step; the state is carried from one to the next"""
    eval_every: int | None = None
    """updates between validations; by default two epochs, but at least 10 and at most 250 updates"""
    sample_every: int = 250
    """updates between samples of what it writes by then"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_zero(
            "vocab_size", "batch_size", "window", "embedding_size", "eval_every", "sample_every", "sampled_softmax"
        )
        self.require_share("embedding_dropout")
        if self.sampled_softmax and self.label_smoothing:
            raise InputError("--sampled_softmax must be without --label_smoothing, which needs the whole vocabulary")


def regularise(config: Config, data: "Data") -> float:
    """Fill in how much to drop where nothing was asked for, and return how often the text will be read.

    What is read a few times needs no dropout, which would only slow the learning; what is read thirty times would be
    learned by heart. Dropping weights helps where the recurrent layers have more of them than the text has tokens.
    The README has the figures.
    """
    by_steps = (config.max_steps or math.inf) * config.accumulate / data.batches_per_epoch
    by_clock = (config.max_seconds or math.inf) * USUAL_TOKENS_PER_SECOND / data.train_tokens
    epochs = min(by_steps, by_clock)
    weights_a_token = GATES[config.cell] * config.layers * config.hidden_size**2 / data.train_tokens
    if config.dropout is None:
        config.dropout = _rising(0.14, epochs / 5)
    if config.weight_drop is None:
        config.weight_drop = _rising(0.14, weights_a_token) if epochs > 5 else 0.0
    return epochs


def _rising(share: float, ratio: float) -> float:
    """Return so much for each doubling of a ratio above 1, at most a half."""
    return round(min(share * math.log2(max(ratio, 1.0)), 0.5), 2)


class Data(NamedTuple):
    """What is trained on and what is validated on."""

    train: Batches
    validation: Callable[[], Iterator[Batch]]  # once through the text that is held back
    held_back: np.ndarray  # its tokens
    prompt: str  # for samples
    train_tokens: int
    batches_per_epoch: int


def stream_data(config: Config, tokens: np.ndarray, tokenizer: Tokenizer, run: Run) -> Data:
    """Read the text as one stream, in parallel lanes."""
    train, held_back = split_stream(tokens)
    lanes, window = shrink_to_text(len(train), config.batch_size, config.window)
    if (lanes, window) != (config.batch_size, config.window):
        run.say(
            f"a batch of {config.batch_size} lanes of {config.window} tokens needs "
            f"{config.batch_size * config.window:,} to train on, but the text has {len(train):,}: training with "
            f"{lanes} lanes of {window}"
        )
    batches = Stream(train, lanes, window, seed=config.seed, rank=run.rank, world_size=run.world_size)
    validation = partial(held_back_windows, held_back, window=EVALUATION_WINDOW)
    # A stream is cut anywhere, so a sample had better go on from the beginning of a line than begin by itself.
    lines = tokenizer.decode(held_back[:5000]).splitlines()[1:]
    prompts = (" ".join(line.split()[:3]) for line in lines)
    prompt = next((words for words in prompts if words and not tokenizer.unseen(words)), "")
    return Data(batches, validation, held_back, prompt, len(train), batches.windows_per_epoch)


def document_data(config: Config, tokens: np.ndarray, tokenizer: Tokenizer, run: Run) -> Data:
    """Read the text as separate documents, batched by length."""
    train, held_back = split_documents(tokens, config.seed)
    size = min(config.batch_size, len(train))
    if size < config.batch_size:
        run.say(
            f"a batch of {config.batch_size} documents needs as many to train on, but there are {len(train)}: "
            f"training with {size}"
        )
    batches = Documents(
        tokens, size, config.window, chosen=train, seed=config.seed, rank=run.rank, world_size=run.world_size
    )
    validation = Documents(tokens, min(64, len(held_back)), EVALUATION_WINDOW, chosen=held_back)
    held_back_tokens = validation.chosen_tokens()
    train_tokens = len(tokens) - len(held_back_tokens)
    batches_per_epoch = max(len(train) // size, train_tokens // (size * config.window))
    return Data(batches, validation.once, held_back_tokens, "", train_tokens, batches_per_epoch)


def main() -> None:
    """Train, and show what was learned."""
    config = parse_options(Config, __doc__ or "")
    run = Run(config, "char_generator", default_seconds=100)

    corpus = Corpus.find(config.data)
    config.data = corpus.name  # standard input cannot be read again by a resumed run, but the copy of it can
    tokenizer = fit_tokenizer(config.tokenizer, corpus.blocks(), config.vocab_size)
    tokens = encode_corpus(corpus, tokenizer, config.documents)
    data = (stream_data if config.documents == "none" else document_data)(config, tokens, tokenizer, run)

    epochs = regularise(config, data)
    arguments = {name: getattr(config, name) for name in MODEL_OPTIONS}
    model = patterns.generator(tokenizer.vocab_size, **arguments).to(run.device)
    generator = Generator.of(model, tokenizer, arguments, ends=config.documents != "none")
    parameters = sum(parameter.numel() for parameter in model.parameters())
    run.say(
        f"{config.data}: {len(tokens):,} tokens, {tokenizer.vocab_size:,} different; a model of {parameters:,} "
        f"parameters on {run.device} in {run.precision}; the run is in {run.directory}"
    )
    if not config.resume:
        run.say(f"--dropout {config.dropout} --weight_drop {config.weight_drop} for about {epochs:.3g} epochs")

    loss_function = training_loss(config, tokens, tokenizer.vocab_size, run)
    train(config, run, generator, data, loss_function, corpus.fingerprint)
    if run.main:
        test(config, run, data, parameters)


def training_loss(config: Config, tokens: np.ndarray, vocab_size: int, run: Run) -> LossFunction:
    """Return the loss of all tokens of the vocabulary, or its estimate from some of them."""
    if config.sampled_softmax is not None and run.world_size > 1:
        raise InputError(f"--sampled_softmax must be with one process, but there are {run.world_size}")
    if config.sampled_softmax is None:
        return partial(next_token, label_smoothing=config.label_smoothing)
    counts = torch.from_numpy(np.bincount(tokens, minlength=vocab_size))
    return partial(next_token, shares=sampling_shares(counts, config.sampled_softmax).to(run.device))


def train(
    config: Config, run: Run, generator: Generator, data: Data, loss_function: LossFunction, identity: str
) -> None:
    """Train until the schedule or patience ends; the best model is saved on the way."""
    validation_loss = run.in_precision(next_token)
    trainers = optimizers(
        generator.model, config.optimizer, config.learning_rate, adamw_learning_rate=config.adamw_learning_rate
    )
    # A small text is soon learned by heart: only frequent validations find the best model on the way there.
    eval_every = config.eval_every or min(max(2 * data.batches_per_epoch // config.accumulate, 10), 250)
    run.begin(generator, trainers, identity)
    with run:
        for step in run.steps(data.train, loss_function):
            if step.number % eval_every == 0 or step.last:
                run.evaluated(step, evaluate(generator.model, data.validation(), validation_loss))
            if step.number % config.sample_every == 0 and not step.last:
                run.say(
                    generator.generate(data.prompt, max_new_tokens=200, temperature=0.8, seed=config.seed)[0] + "\n"
                )


def test(config: Config, run: Run, data: Data, parameters: int) -> None:
    """Measure the best model as it was saved, show what it writes, and say how to have more."""
    generator = Generator.from_pretrained(run.model_directory).to(run.device)
    val_loss = evaluate(generator.model, data.validation())
    text = generator.tokenizer.decode(data.held_back)
    # A document's end counts as a character: it has to be predicted like the line end that it stands for.
    characters = len(text) + int((data.held_back == EOS).sum())
    results = {
        "val_loss": val_loss,
        "bits_per_character": val_loss * len(data.held_back) / characters / math.log(2),
        "perplexity": math.exp(val_loss),
        "unknown_tokens": float((data.held_back == UNK).mean()),
        "steps": run.progress.steps,
        "seconds": run.progress.seconds,
        "tokens_per_second": run.progress.tokens / run.progress.training_seconds,
        "parameters": parameters,
        "precision": run.precision,
        "seed": config.seed,
    }
    write_text(run.directory / "results.json", json.dumps(results, indent=2) + "\n")
    for temperature in (0.5, 0.8, 1.0):
        [sample] = generator.generate(data.prompt, temperature=temperature, seed=config.seed)
        print(f"--- temperature {temperature}\n{sample}\n")
    figures = f"validation loss {val_loss:.4f} nats a token, {results['bits_per_character']:.4f} bits a character"
    unknown = f", {results['unknown_tokens']:.1%} of the tokens unknown" if results["unknown_tokens"] else ""
    print(f"--- {figures}, perplexity {results['perplexity']:.2f}{unknown}")
    print(f"--- everything is in {run.directory}; to have it write more:\n")
    print(shlex.join(["seqgen", "generate", str(run.directory), "--prompt", data.prompt, "--temperature", "0.8"]))


if __name__ == "__main__":
    run_main(main)
