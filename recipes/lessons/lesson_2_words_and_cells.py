# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     formats: ipynb,py:percent
#     notebook_metadata_filter: -jupytext.text_representation
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
"""
# Networks that write, 2: a Markov chain, words, and what cells do

[Lesson 1](lesson_1_characters.ipynb) trained an LSTM on characters. Here it meets the oldest model that writes, which
only counts; then both read words; and at last we look inside: what does a single cell of the network remember?

As before, training ends by the clock, so your figures and texts will differ.
"""

# %%
import math
import random
import re
from collections import Counter, defaultdict
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch

import seqgen
from seqgen.batches.text import TextBatches, stream_batches
from seqgen.data.sets.python_library import python_docs, python_source
from seqgen.symbols import UNK

SECONDS = 40  # of training, for characters and for words
torch.manual_seed(1)
plt.rcParams.update({"figure.dpi": 70, "figure.figsize": (9, 3), "figure.constrained_layout.use": True})

# %%
PACKAGES = {"asyncio", "email", "http", "json", "logging", "unittest", "urllib", "xml"}
text = "\n".join(path.read_text(encoding="utf-8") for package, path in python_source() if package in PACKAGES)
tokenizer = seqgen.CharacterTokenizer.fit(text)
tokens = tokenizer.encode(text)
batches = stream_batches(tokens, lanes=32, window=64)
known = tokens[: batches.train_tokens]  # the rest is held back: neither model may learn from it
print(f"{len(known):,} characters to learn from, {len(batches.held_back):,} held back")

# %% [markdown]
"""
## A Markov chain

An n-gram model with n = 4 looks at the last three characters alone, and asks: what came after these three so far? All
that it learns is a table of counts of four characters. (It is a Markov chain, of order 3, as many books say.)
"""


# %%
def count(text: str, context: int) -> dict[str, Counter[str]]:
    """Return how often each character follows each text of `context` characters."""
    following: dict[str, Counter[str]] = defaultdict(Counter)
    for place in range(len(text) - context):
        following[text[place : place + context]][text[place + context]] += 1
    return following


random.seed(1)
for context in (1, 3, 8):
    following, written = count(text, context), "def main"[:context]
    for _ in range(150):
        [character] = random.choices(*zip(*following[written[-context:]].items(), strict=True))
        written += character
    print(f"--- {context} characters of context, {len(following):,} different ones\n{written}")

# %% [markdown]
"""
The longer the context the better it reads; with eight characters it mostly recites what it has seen. There is the
weakness: most long contexts of a *new* text were never seen, and a table has no answer for them. The remedy is to ask
the shorter contexts, too, and to keep a little probability for what was never seen: *Kneser-Ney smoothing*, which for
many years was the best there was. It is `seqgen.NGram`, whose `order` is the n of its longest n-grams, and it is a
decoder like the LSTM: it generates, and its texts have a score.
"""

# %%
lengths = (1, 2, 3, 4, 6, 8)  # of the longest n-grams: n
chains = [seqgen.NGram.fit(known, vocab_size=tokenizer.vocab_size, order=n) for n in lengths]
seen, unseen = ([-chain.score(part).mean() for chain in chains] for part in (known[:100_000], batches.held_back))
plt.plot(lengths, seen, "o:", label="text that was counted")
plt.plot(lengths, unseen, "o-", label="text held back")
plt.gca().set(xlabel="n: characters of context, and one", ylabel="nats a character")
plt.legend()
plt.show()
best = chains[int(np.argmin(unseen))]
print(f"the best n is {best.order}, with {min(unseen):.3f} nats a character and {sum(best.ngrams):,} n-grams")
chain = seqgen.Generator.of(best, tokenizer=tokenizer)
print(chain.generate("# The ", max_new_tokens=200, temperature=0.7, seed=1)[0])

# %% [markdown]
"""
Longer contexts go on helping with text that was counted, and hardly any more with text that is new: the chain learns
by heart.

## The LSTM beside it

Counting took seconds. How long must a network train until it is better?
"""


# %%
def train(generator: seqgen.Generator, batches: TextBatches) -> list[tuple[float, float]]:
    """Train a generator, and return the seconds after each update and its loss."""
    learning = seqgen.optimizers(generator.model, "muon"), seqgen.Schedule(max_seconds=SECONDS)
    steps = seqgen.train_steps(generator.model, batches.train.starting_at(0), *learning)
    return [(step.progress.seconds, step.loss) for step in steps]


lstm = seqgen.Generator.untrained(tokenizer=tokenizer, hidden_size=256)
curve = np.array(train(lstm, batches))
loss = seqgen.evaluate(lstm.model, batches.validation())

# %%
plt.plot(*curve.T, linewidth=0.8, label="LSTM in training")
plt.plot(curve[-1, 0], loss, "o", color="tab:blue", label=f"LSTM, text held back: {loss:.3f}")
plt.axhline(min(unseen), color="tab:orange", label=f"Markov chain, text held back: {min(unseen):.3f}")
plt.gca().set(xlabel="seconds", ylabel="nats a character", ylim=(1, 3))
plt.legend()
plt.show()
weights = sum(parameter.numel() for parameter in lstm.model.parameters())
print(f"the LSTM has {weights:,} weights, the chain {sum(best.ngrams):,} n-grams")
print(lstm.generate("# The ", max_new_tokens=200, temperature=0.7, seed=1)[0])

# %% [markdown]
"""
After so short a training the chain is ahead: source code repeats itself, and nothing is as quick at that as counting.
The curve of this LSTM is nearly flat at its end, and a larger n hardly helps the chain any more. But a larger network
goes on learning: in 100 seconds of two cores, `seqgen train char_generator` has 1.42 nats a character on Shakespeare's
plays, where the best chain has 1.52. And an LSTM needs fewer numbers: it need not have seen a context to know what is
like it, and it can remember what lies further back than any table reaches, such as an open bracket.

**Try:** a tenth of the text (`text[:200_000]`): who is better now? `SECONDS = 200`? Where does the chain's text betray
that it has forgotten what stood ten characters ago?

## Words

Instead of characters the tokens may be words. Then a text has far fewer of them, and the network need not learn to
spell; but there are thousands of different ones, and some will always be unknown. English suits this better than
Python, so we take the prose in Python's library: of its docstrings, and of what `help` tells about the language, the
paragraphs that are made of words and the usual marks, each once.
"""

# %%
sources = [path.read_text(encoding="utf-8") for _, path in python_source()]
documents = [one for source in sources for one in re.findall(r'"""(.+?)"""', source, re.DOTALL)] + [python_docs()]
plain = "\n\n".join(documents).replace("\u2019", "'")
plain = re.sub(r"\B['\"*`]+|['\"*`]+\B", "", plain)  # without quotes, but with the apostrophes inside of words
paragraphs = [" ".join(one.split()) for one in plain.split("\n\n")]
english = "\n".join(dict.fromkeys(one for one in paragraphs if re.fullmatch(r"[A-Z][\w ,;:.'-]{60,}\.", one)))
words = seqgen.WordTokenizer.fit(english)
word_tokens = words.encode(english)
word_batches = stream_batches(word_tokens, lanes=16, window=32)
print(f"{len(english):,} characters are {len(word_tokens):,} words and marks, {words.vocab_size:,} different ones,")
print(f"which is one for {len(english) / len(word_tokens):.1f} characters")
print([words.decode([token]) for token in words.encode("An expression is evaluated, and zyzzyvas aren't.").tolist()])

# %%
options: dict[str, Any] = {"hidden_size": 256, "embedding_size": 128, "tie_embeddings": True}
writer = seqgen.Generator.untrained(tokenizer=words, dropout=0.4, **options)
train(writer, word_batches)
print(writer.generate("If the ", max_new_tokens=90, temperature=0.5, seed=2)[0])

# %% [markdown]
"""
All words are spelled right, of course, and neighbours mostly fit together; the whole text means nothing. Is the LSTM
better than a chain of words? A loss a word cannot be compared with a loss a character: a word is a larger step. The
comparison that is fair is between models of the same tokens, and between kinds of tokens by *bits a character*: all
the surprise of the text, divided by its characters.
"""

# %%
held_back = word_batches.held_back
word_chain = seqgen.NGram.fit(word_tokens[: word_batches.train_tokens], vocab_size=words.vocab_size, order=3)
characters = len(words.decode(held_back.tolist()))
for name, nats in [
    ("Markov chain of words", -word_chain.score(held_back).mean()),
    ("LSTM of words", seqgen.evaluate(writer.model, word_batches.validation())),
]:
    bits = nats * len(held_back) / characters / math.log(2)
    print(f"{name}: {nats:.2f} nats a word, perplexity {math.exp(nats):.0f}, {bits:.2f} bits a character")
print(f"{np.mean(held_back == UNK):.1%} of the words held back are unknown")

# %% [markdown]
"""
Not here: the chain of words is a little ahead, as that of characters was, since the training is short and the text
small. By how much, and even who is ahead, varies from run to run. And mind that an unknown word costs nothing to
spell, so that bits a character flatter a model of words.

## Between the two, and GPT-2

Today's models read *subwords*: frequent words whole, rare ones in pieces, so that nothing is unknown. Which pieces, is
learned from the text.
"""

# %%
subwords = seqgen.SubwordTokenizer.fit(english, largest=1500)
for sample in ("An expression is evaluated.", "zyzzyvas aren't deserialized"):
    print([subwords.decode([token]) for token in subwords.encode(sample).tolist()])

# %% [markdown]
"""
GPT-2 does what you have done so far: 50,257 subwords, the next one predicted, one drawn with a temperature and
`top_k`, and read in turn. It differs in what reads: an LSTM squeezes all that was written into one hidden state, while
GPT-2 *attends*, at each step, to every token that it has read. And in size: it has 1,500 million weights and read 40
GB of text; your LSTM of characters has fewer than half a million and read 2 MB.
([Lesson 3](lesson_3_translator_and_captioner.ipynb) has attention.)

## What cells do

Back to characters. The hidden state of our LSTM is 256 numbers, its *cells*. Does one of them mean something? We let
the network read text that was held back, and keep what every cell holds after every character.

But beware: the best of 256 cells always looks meaningful, even where there is nothing. So `followed_properties`
chooses the cell of each property on one half of the text and scores it on the other, and does the same with the
property shifted along the text, where it means nothing. An AUC of 1 is a cell that tells the property without a
mistake, 0.5 is chance, and what counts is how far it is above *by chance*: where it is not, no cell follows the
property.
"""

# %%
read = lstm.activations(tokenizer.decode(batches.held_back[:12_000].tolist()))
print(f"{len(read.tokens):,} characters, read by (layers, characters, cells) {read.cells.shape}\n")
followed = seqgen.followed_properties(read.tokens, read.cells)
print(f"{'property':<26}{'kind':<12}cell   AUC   by chance")
for row in followed[:14]:
    print(f"{row.property:<26}{row.kind:<12}{row.cell:>4}  {row.auc:.2f}  {row.null_high:.2f}")

# %% [markdown]
"""
Properties of the *current* character are no surprise, as it was just read. Those that are *remembered* have to be kept
in a cell. We draw the cell of one of them, of being inside of something, and take the one that is furthest above
chance.
"""


# %%
def draw_cell(tokens: list[str], values: np.ndarray, inside: np.ndarray, columns: int = 90) -> None:
    """Draw a text, bold inside, on what a cell holds after each character: blue below zero, red above."""
    lines: list[list[int]] = [[]]
    for place, token in enumerate(tokens):
        lines[-1].append(place)
        if token == "\n" or len(lines[-1]) == columns:
            lines.append([])
    grid = np.full((len(lines), columns), np.nan)
    _, axes = plt.subplots(figsize=(11, 0.24 * len(lines)))
    for row, places in enumerate(lines):
        grid[row, : len(places)] = values[places]
        for column, place in enumerate(places):
            style = {"fontsize": 8, "family": "monospace", "weight": "bold" if inside[place] else "normal"}
            axes.text(column, row, tokens[place].strip(), ha="center", va="center", **style)
    axes.imshow(grid, cmap="coolwarm", vmin=-1.5, vmax=1.5, aspect="auto")
    axes.axis("off")
    plt.show()


best_row = max((row for row in followed if row.property.startswith("in ")), key=lambda row: row.auc - row.null_high)
inside = next(one.values for one in seqgen.text_properties(read.tokens) if one.name == best_row.property)
changes = np.abs(np.diff(inside))
busiest = int(np.convolve(changes, np.ones(900), "valid").argmax())
shown = slice(read.tokens.index("\n", busiest) + 1, busiest + 900)
print(f"bold: {best_row.property}; colours: cell {best_row.cell}{' times -1' * (best_row.sign < 0)}")
draw_cell(read.tokens[shown], best_row.sign * read.cells[0, shown, best_row.cell], inside[shown])

# %% [markdown]
"""
Nobody told the network about brackets, quotes or comments. It found out that to predict what comes next it is worth a
cell to remember that one is open ([Karpathy, Johnson and Fei-Fei 2015](https://arxiv.org/abs/1506.02078)). Where two
rows of the table have the same cell, it follows something wider, such as all that is not code. In the shell, `seqgen
cells runs/mine` makes a page of all this for any generator, in which you can step through its cells.

**Try:** draw the cell of another row of the table. Train for a tenth of the time: which properties are followed first?
What do the cells of `writer`, the word model, follow?
"""
