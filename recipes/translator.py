"""Train a recurrent network with attention to translate, for 150 seconds (texts of your own for 600) unless limited.

With no argument it learns to translate dates as people write them to ISO 8601. Give it sentences and their translations
with --data, or with --source and --target.
"""

from seqgen.exits import run_main

import math
import time
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, ClassVar, Literal

import torch

from seqgen import patterns
from seqgen.batches.pairs import Pairs
from seqgen.data.catalog import parallel_texts
from seqgen.data.examples import write_texts
from seqgen.data.parallel import PairOptions, Parallel
from seqgen.data.paths import kept
from seqgen.data.splits import Splits
from seqgen.figures.attention import aligned, draw_attention
from seqgen.figures.mistakes import write_worst_translations
from seqgen.figures.section import Section
from seqgen.inference.translator import Translator
from seqgen.metrics.translation import bleu, chrf
from seqgen.runs.config import SearchConfig, parse_options
from seqgen.runs.evaluation import best_model, mean_loss, shared_out
from seqgen.runs.initial_model import initial_model
from seqgen.runs.run import Run
from seqgen.runs.sizes import TRANSLATOR
from seqgen.runs.suitable_size import Trial
from seqgen.runs.training import Training
from seqgen.runs.vectors import VectorOptions, begin_with_vectors
from seqgen.symbols import SYMBOLS
from seqgen.text.tokenizer import fit_tokenizer
from seqgen.training.losses import target_tokens

LENGTH = 16  # tokens of a sentence of the trial
SHOWN = 5  # test sentences that are shown, with pictures of their attention


@dataclass(kw_only=True)
class Config(VectorOptions, SearchConfig, PairOptions):
    """Options of the translator."""

    recipe = "translator"
    builder = patterns.translator
    presets: ClassVar = {"dates": {"dropout": 0.1, "tokenizer": "char"}}
    sizes = TRANSLATOR

    tokenizer: Literal["subword", "bpe", "char", "byte", "word", "lowercase-word"] = "subword"
    """kind of tokens; for dates char"""
    vocab_size: int = 6000
    """maximum size of the vocabulary; small texts have fewer tokens"""
    shared_vocabulary: bool = True
    """whether source and target share vocabulary and embedding"""
    max_length: int = 200
    """maximum number of tokens of a sentence; longer ones are cut"""
    batch_tokens: int = 2000
    """source and target tokens of a batch, padding included"""


def untrained(config: Config, data: Splits[Parallel]) -> Translator:
    """Return an untrained translator with tokenizers fitted to the training sentences."""
    sides = data.train.sources, data.train.targets
    texts = [chain(*sides)] if config.shared_vocabulary else sides
    found = [fit_tokenizer(config.tokenizer, (line + "\n" for line in side), config.vocab_size) for side in texts]
    parts: dict[str, Any] = {"source": found[0], "target": found[-1], "max_length": config.max_length}
    return Translator.untrained(generation=config.search(found[-1], config.max_length), **parts, **config.model)


def trial(count: int, config: Config) -> Trial:
    """Return a model and a batch of random tokens, for so many pairs, before there is a vocabulary."""
    vocab_size = 256 if config.tokenizer in ("char", "byte") else config.vocab_size
    tokens = torch.randint(len(SYMBOLS), vocab_size, (max(config.batch_tokens // (2 * LENGTH), 1), LENGTH))
    return Trial(patterns.translator(vocab_size, **config.model), Pairs((tokens,), tokens, tokens), count / len(tokens))


def main() -> None:
    """Train a translator, keep the one with the best BLEU, and test it."""
    config = parse_options(Config)
    run = Run(config, default_seconds=150 if config.data == "dates" and not config.source else 600)
    config.data = kept(config.data)
    splits = parallel_texts(config, seed=run.split_seed)
    loss = partial(target_tokens, **config.teaching)
    config = run.sized(config, partial(trial, len(splits.train)), loss)
    translator = initial_model(run, splits) or untrained(config, splits)
    train = run.batches(translator.examples(splits.train), config.batch_tokens)
    valid = run.batches(translator.examples(splits.valid), config.batch_tokens)
    tokens = f"{train.mean_length:.0f} tokens a pair of {translator.target.vocab_size:,} different"
    run.describe(f"pairs: {splits.sizes}; {tokens}", translator)
    greedy = {"num_beams": 1, "max_new_tokens": int(valid.buckets.lengths.max())}  # at first a model never ends
    with Training(run, translator, splits.fingerprint, groups=begin_with_vectors(run, translator)) as training:
        for step in training.steps(train, loss):
            if training.due(step):
                val_loss = mean_loss(run, training.averaged.model, valid.once(), run.in_precision(target_tokens))
                found = shared_out(run, training.averaged.translate, splits.valid.sources, **greedy)
                written = [one.text for one in found]
                score = bleu(written, splits.valid.targets).score
                training.evaluated(step, val_loss, error=-score, val_perplexity=math.exp(val_loss), val_bleu=score)
                for source, text in list(zip(splits.valid.sources, written, strict=True))[:2]:
                    run.say(f"  {source}\n  -> {text}")
    best = best_model(training)
    test(training, best, splits, mean_loss(run, best.model, valid.once(), target_tokens))


def test(training: Training[Translator], translator: Translator, splits: Splits[Parallel], val_loss: float) -> None:
    """Test the best translator, show translations and attention, and print the command to use it."""
    run = training.run
    validated = [one.text for one in shared_out(run, translator.translate, splits.valid.sources)]
    sources, references = list(splits.test.sources), list(splits.test.targets)
    began = time.perf_counter()
    written = [one.text for one in shared_out(run, translator.translate, sources)]
    speed = len(sources) / (time.perf_counter() - began)
    if not run.main:
        return
    scores = bleu(written, references), chrf(written, references)
    exact = sum(one == other for one, other in zip(written, references, strict=True)) / len(references)
    first = translator.translate(sources[:SHOWN], return_attention=True)
    for number, one in enumerate(first, start=1):
        if one.attention is not None:
            draw_attention(run.directory / "attention" / f"{number}.png", one.attention)
    shown = "\n".join(f"  {source}\n  -> {one.text}" for source, one in zip(sources, first, strict=False))
    translations = Section("Translations", shown, aligned(sources[:SHOWN], first))
    worst = write_worst_translations(run.directory / "worst.jsonl", sources, references, written)
    training.results(
        translations,
        worst,
        val_bleu=bleu(validated, splits.valid.targets).score,
        test_bleu=scores[0].score,
        test_chrf=scores[1].score,
        test_bleu_lowercase=bleu(written, references, lowercase=True).score,
        test_exact_match=exact,
        test_length_ratio=sum(map(len, written)) / max(sum(map(len, references)), 1),
        test_sentences_per_second=speed,
        signatures=" ".join(score.signature for score in scores),
        val_loss=val_loss,
    )
    print(f"{translations.text}\n{worst.text}\n\n--- test BLEU {scores[0].score:.2f}", end="")
    print(f", chrF {scores[1].score:.2f}, exact {exact:.2%}, {speed:.0f} sentences/s")
    write_texts(run.directory, sources)
    run.show_use("to translate sentences of your own", "translate", sources[0])


if __name__ == "__main__":
    run_main(main)
