"""Train a recurrent network with attention to translate, for 150 seconds (on texts of your own 600) unless told.

With no argument it learns to read dates as people write them, and to write them as ISO 8601 does. Give it sentences and
their translations with --data, or with --source and --target.
"""

import hashlib
import json
import shlex
import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from seqgen import patterns
from seqgen.batches.buckets import Buckets
from seqgen.batches.examples import ExampleBatches
from seqgen.batches.pairs import Pairs, pairs
from seqgen.batches.windows import padded
from seqgen.data.parallel import Parallel, read_pairs, read_parallel, sound, split_parallel
from seqgen.data.sets.dates import DATES, date_pairs
from seqgen.data.sets.multi30k import PAIRS, find_multi30k
from seqgen.errors import InputError, run_main
from seqgen.figures.attention import draw_attention
from seqgen.files import write_text
from seqgen.inference.encoder_decoder import searching
from seqgen.inference.translator import Translator
from seqgen.metrics.translation import bleu, chrf, least_alike
from seqgen.runs.config import parse_options
from seqgen.runs.run import Run
from seqgen.runs.sequences import SequenceConfig, Written, train_sequences
from seqgen.text.tokenizer import Tokenizer, fit_tokenizer
from seqgen.training.losses import evaluate, target_tokens
from seqgen.training.optimizers import optimizers

MODEL_OPTIONS = (
    "cell",
    "hidden_size",
    "layers",
    "encoder_layers",
    "embedding_size",
    "attention",
    "heads",
    "input_feeding",
    "dropout",
    "word_dropout",
)
PICTURES = 5


@dataclass(kw_only=True)
class Config(SequenceConfig):
    """Options of the translator."""

    data: str = DATES
    """a .tsv, .csv or .jsonl with columns source and target, multi30k-de-en, multi30k-en-de, or dates"""
    source: str | None = None
    """instead of --data, a file of sentences"""
    target: str | None = None
    """with --source, the file of their translations"""
    valid: str | None = None
    """pairs to validate on, as --data; by default held back"""
    valid_source: str | None = None
    """with --source, sentences to validate on; by default held back"""
    valid_target: str | None = None
    """their translations"""
    test: str | None = None
    """pairs to test on, as --data; by default held back"""
    test_source: str | None = None
    """with --source, sentences to test on; by default held back"""
    test_target: str | None = None
    """their translations"""
    drop_strange: bool = False
    """leave pairs out that have an empty side, or one nine times as long as the other"""
    tokenizer: Literal["subword", "bpe", "char", "byte", "word", "lowercase-word"] | None = None
    """what a token is; by default subword (of a unigram model), for dates char"""
    vocab_size: int = 6000
    """the most tokens; small texts have fewer"""
    shared_vocabulary: bool = True
    """whether both languages have the same tokens and embeddings"""
    max_length: int = 200
    """the most tokens of a sentence; longer ones are cut"""
    hidden_size: int | None = None
    """features of the decoder's hidden state, and of the encoder's two directions; by default 384, for dates 128"""
    encoder_layers: int = 1
    """recurrent layers of the encoder, in each direction"""
    embedding_size: int | None = None
    """features of a token's embedding; by default 256, for dates 64"""
    dropout: float | None = None
    """share of features dropped; by default 0.2, for dates 0.1"""
    word_dropout: float = 0.0
    """share of the source's tokens read as unknown while training"""
    batch_tokens: int = 2000
    """source and target tokens of a batch, with padding about so many"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_zero("vocab_size", "max_length", "hidden_size", "embedding_size", "batch_tokens")
        self.require_share("dropout", "word_dropout")
        small = self.data == DATES and self.source is None
        usual = {"hidden_size": (384, 128), "embedding_size": (256, 64), "dropout": (0.2, 0.1)}
        for name, values in usual.items():
            if getattr(self, name) is None:
                setattr(self, name, values[small])
        self.tokenizer = self.tokenizer or ("char" if small else "subword")
        for part in ("", "valid_", "test_"):
            given = [name for name in (f"{part}source", f"{part}target") if getattr(self, name) is not None]
            if len(given) == 1:
                other = {"source": "target", "target": "source"}[given[0].removeprefix(part)]
                raise InputError(f"--{given[0]} must come with --{part}{other}, which is missing")
        if self.source is not None and self.data != DATES:
            raise InputError(f"--source must be without --data, which is {self.data!r}")
        for name in ("valid", "test", "valid_source", "test_source"):
            if small and getattr(self, name) is not None:
                raise InputError(f"--{name} must come with --data or --source, as dates have their own parts")


def read(config: Config) -> tuple[Parallel, Parallel, Parallel]:
    """Return what is trained, validated and tested on."""
    if config.source is None and config.data == DATES:
        return date_pairs(config.seed)
    parts: list[Parallel | None] = []
    for part in ("train", "valid", "test"):
        prefix = "" if part == "train" else f"{part}_"
        path = config.data if part == "train" else getattr(config, part)
        source, target = getattr(config, f"{prefix}source"), getattr(config, f"{prefix}target")
        if source is not None:
            parts.append(read_parallel(source, target))
        elif config.source is None and config.data in PAIRS and path in (None, config.data):
            parts.append(find_multi30k(config.data, part))
        else:
            parts.append(read_pairs(path) if path is not None else None)
    train, *held_back = parts
    assert train is not None
    train, wild = sound(train, drop=config.drop_strange)
    if wild:
        done = "left out" if config.drop_strange else "kept (--drop_strange true leaves them out)"
        print(f"{wild:,} pairs have one side more than nine times as long as the other: {done}")
    missing = held_back.count(None)
    rest, *drawn = split_parallel(train, config.seed, parts=missing) if missing else (train,)
    valid, test = (drawn.pop(0) if part is None else part for part in held_back)
    for name, held_out in (("valid", valid), ("test", test)):
        if not len(held_out):
            raise InputError(f"the part to {name} on must have at least one pair, but its file is empty")
    return rest, valid, test


def tokenizers(config: Config, train: Parallel) -> tuple[Tokenizer, Tokenizer]:
    """Return the tokenizers of source and target, which are the same one where they share their tokens."""
    assert config.tokenizer is not None
    sides: tuple[list[str], ...] = (train.sources, train.targets)
    sides = ([*train.sources, *train.targets],) if config.shared_vocabulary else sides
    found = [fit_tokenizer(config.tokenizer, (line + "\n" for line in side), config.vocab_size) for side in sides]
    return found[0], found[-1]


def untrained(config: Config, train: Parallel) -> Translator:
    """Return an untrained translator."""
    source, target = tokenizers(config, train)
    arguments: dict[str, Any] = {name: getattr(config, name) for name in MODEL_OPTIONS}
    target_size = None if target is source else target.vocab_size
    model = patterns.translator(source.vocab_size, target_size, **arguments)
    generation = searching(target, config.num_beams, config.length_penalty, config.max_length)
    return Translator(model, arguments, target, generation, source, config.max_length)


def encoded(translator: Translator, data: Parallel) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the tokens of each source, up to the most that are read, and all of each target."""
    sources, targets = map(translator.encode, data.sources), map(translator.target.encode, data.targets)
    return list(zip(sources, targets, strict=True))


def batches(
    rows: list[tuple[np.ndarray, np.ndarray]], config: Config, *, rank: int = 0, world_size: int = 1
) -> ExampleBatches[Pairs]:
    """Return batches of encoded pairs of like length."""

    def collate(numbers: np.ndarray) -> Pairs:
        tokens = torch.from_numpy(padded([rows[number][0] for number in numbers]))
        return pairs((tokens,), [rows[number][1] for number in numbers], config.max_length)

    lengths = np.array([len(source) + min(len(target) + 1, config.max_length) for source, target in rows])
    return ExampleBatches(
        Buckets(lengths, config.batch_tokens, seed=config.seed, rank=rank, world_size=world_size), collate
    )


def main() -> None:
    """Train, and show how good it is."""
    config = parse_options(Config, __doc__ or "")
    own = config.source is not None or config.data != DATES
    run = Run(config, "translator", default_seconds=600 if own else 150)

    data = read(config)
    translator = untrained(config, data[0])
    translator.model.to(run.device)
    rows = encoded(translator, data[0])
    train_batches = batches(rows, config, rank=run.rank, world_size=run.world_size)
    parameters = sum(parameter.numel() for parameter in translator.model.parameters())
    cut = sum(max(map(len, row)) > config.max_length for row in rows)
    if cut:
        run.say(f"{cut:,} pairs have {config.max_length} tokens or more on a side, which is cut there (--max_length)")
    run.say(
        f"{len(data[0]):,} pairs to train on, {len(data[1]):,} to validate on, {len(data[2]):,} to test on; "
        f"{train_batches.buckets.lengths.mean():.0f} tokens a pair of {translator.target.vocab_size:,} different; "
        f"a model of {parameters:,} parameters on {run.device} in {run.precision}; the run is in {run.directory}"
    )
    train(config, run, translator, train_batches, data)
    if run.main:
        test(config, run, data, parameters)


def train(
    config: Config,
    run: Run,
    translator: Translator,
    train_batches: ExampleBatches[Pairs],
    data: tuple[Parallel, Parallel, Parallel],
) -> None:
    """Train until the schedule or patience ends; the model with the best BLEU is saved on the way."""
    trainers = optimizers(
        translator.model, config.optimizer, config.learning_rate, adamw_learning_rate=config.adamw_learning_rate
    )
    identity = hashlib.sha256(repr(data[:2]).encode()).hexdigest()

    def write() -> Written:
        """Translate what is validated on, never with teacher forcing."""
        texts = [one.text for one in translator.translate(data[1].sources, num_beams=1)]
        score = bleu(texts, data[1].targets).score
        examples = [f"{source}\n  -> {text}" for source, text in zip(data[1].sources[:2], texts[:2], strict=True)]
        return Written(score, {"val_bleu": score}, examples)

    valid = batches(encoded(translator, data[1]), config)
    train_sequences(config, run, translator, trainers, train_batches, valid, identity, write)


def test(config: Config, run: Run, data: tuple[Parallel, Parallel, Parallel], parameters: int) -> None:
    """Measure the best model as it was saved, show what it writes and where it looks, and say how to use it."""
    translator = Translator.from_pretrained(run.model_directory).to(run.device)
    _, valid, held_out = data
    written = [one.text for one in translator.translate(valid.sources)]
    val_bleu = bleu(written, valid.targets).score
    began = time.perf_counter()
    written = [one.text for one in translator.translate(held_out.sources)]
    seconds = time.perf_counter() - began
    scores = {"test_bleu": bleu(written, held_out.targets), "test_chrf": chrf(written, held_out.targets)}
    results = {
        "val_bleu": val_bleu,
        **{name: score.score for name, score in scores.items()},
        "test_bleu_lowercase": bleu(written, held_out.targets, lowercase=True).score,
        "test_exact_match": float(
            np.mean([one == other for one, other in zip(written, held_out.targets, strict=True)])
        ),
        "test_length_ratio": sum(map(len, written)) / max(sum(map(len, held_out.targets)), 1),
        "test_sentences_per_second": len(held_out) / seconds,
        "signatures": " ".join(score.signature for score in scores.values()),
        "val_loss": evaluate(translator.model, batches(encoded(translator, valid), config).once(), target_tokens),
        "steps": run.progress.steps,
        "seconds": run.progress.seconds,
        "tokens_per_second": run.progress.tokens / max(run.progress.training_seconds, 1e-9),
        "parameters": parameters,
        "precision": run.precision,
        "seed": config.seed,
    }
    write_text(run.directory / "results.json", json.dumps(results, indent=2) + "\n")
    looked = translator.translate(held_out.sources[:PICTURES], return_attention=True)
    for number, one in enumerate(looked, start=1):
        if one.attention is not None:
            draw_attention(run.directory / "attention" / f"{number}.png", one.attention)
    worst(run, held_out, written)
    for source, text in list(zip(held_out.sources, written, strict=True))[:PICTURES]:
        print(f"  {source}\n  -> {text}")
    print(f"\n--- test BLEU {scores['test_bleu'].score:.2f}, chrF {scores['test_chrf'].score:.2f}", end="")
    print(f", exact {results['test_exact_match']:.2%}, {results['test_sentences_per_second']:.0f} sentences/s")
    print(f"--- everything is in {run.directory}; to translate sentences of your own:\n")
    print(f"echo {shlex.quote(held_out.sources[0])} | seqgen translate {shlex.quote(str(run.directory))}")


def worst(run: Run, held_out: Parallel, written: list[str]) -> None:
    """Write down the translations that are least like the right ones, and show some."""
    judged = [
        {"chrf": round(score, 2), "source": held_out.sources[place], "right": held_out.targets[place], "written": text}
        for place, text, score in least_alike(written, held_out.targets)
    ]
    write_text(run.directory / "worst.jsonl", "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in judged))
    print("the worst of its translations:" if judged else "it made no mistake")
    for one in judged[:3]:
        print(f"  {one['source']}\n  -> {one['written']}\n  but {one['right']} (chrF {one['chrf']})")


if __name__ == "__main__":
    run_main(main)
