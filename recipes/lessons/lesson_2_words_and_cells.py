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
from collections import Counter, defaultdict
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch

import seqgen
from seqgen.batches.text import TextBatches, stream_batches
from seqgen.data.sets.python_library import python_docs, python_source

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

A Markov chain of order 4 looks at the last three characters alone, and asks: what came after these three so far? All
that it learns is a table of counts.
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
many years was the best there was. It is `seqgen.NGram`, and it is a decoder like the LSTM: it generates, and its texts
have a score.
"""

# %%
orders = (1, 2, 3, 4, 6, 8)
chains = [seqgen.NGram.fit(known, vocab_size=tokenizer.vocab_size, order=order) for order in orders]
seen, unseen = ([-chain.score(part).mean() for chain in chains] for part in (known[:100_000], batches.held_back))
plt.plot(orders, seen, "o:", label="text that was counted")
plt.plot(orders, unseen, "o-", label="text held back")
plt.gca().set(xlabel="order: characters of context, and one", ylabel="nats a character")
plt.legend()
plt.show()
best = chains[int(np.argmin(unseen))]
print(f"the best order is {best.order}, with {min(unseen):.3f} nats a character and {sum(best.ngrams):,} n-grams")
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
But the curve of the LSTM is still falling, while higher orders hardly help the chain any more. In 100 seconds of two
cores, `seqgen train char_generator` has 1.42 nats a character on Shakespeare's plays, where the best chain has 1.52.
The LSTM gets there with fewer numbers: it need not have seen a context to know what is like it, and it can remember
what lies further back than any table reaches, such as an open bracket.

**Try:** a tenth of the text (`text[:200_000]`): who is better now? `SECONDS = 200`? Where does the chain's text betray
that it has forgotten what stood ten characters ago?

## Words

Instead of characters the tokens may be words. Then a text has five times fewer of them and the network need not learn
to spell; but there are thousands of different ones, and some will always be unknown. English suits this better than
Python, so we take what `help` tells about the language.
"""

# %%
english = python_docs()
words = seqgen.WordTokenizer.fit(english)
word_tokens = words.encode(english)
word_batches = stream_batches(word_tokens, lanes=16, window=32)
print(f"{len(english):,} characters are {len(word_tokens):,} words and marks, {words.vocab_size:,} different ones")
print([words.decode([token]) for token in words.encode("An expression is evaluated, and zyzzyvas aren't.").tolist()])

# %%
options: dict[str, Any] = {"hidden_size": 256, "embedding_size": 128, "tie_embeddings": True}
writer = seqgen.Generator.untrained(tokenizer=words, dropout=0.4, **options)
train(writer, word_batches)
print(writer.generate("The ", max_new_tokens=90, temperature=0.7, seed=2)[0])

# %% [markdown]
"""
All words are spelled right, of course, and neighbours fit together; the sentence as a whole has no meaning. Is it
better than the chain? A loss a word cannot be compared with a loss a character: a word is a larger step. The
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

# %% [markdown]
"""
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
GB of text; yours has fewer than a million and read 2 MB. ([Lesson 3](lesson_3_translator_and_captioner.ipynb) has
attention.)

## What cells do

Back to characters. The hidden state of our LSTM is 256 numbers, its *cells*. Does one of them mean something? We let
the network read text that was held back, and keep what every cell holds after every character.
"""

# %%
read = lstm.activations(tokenizer.decode(batches.held_back[:12_000].tolist()))
print(f"{len(read.tokens):,} characters, read by (layers, characters, cells) {read.cells.shape}")
quotes = next(one for one in seqgen.text_properties(read.tokens) if one.name == "in quotes")
similarity = np.array([np.corrcoef(cell, quotes.values)[0, 1] for cell in read.cells[0].T])
chosen = int(np.abs(similarity).argmax())
print(f"cell {chosen} goes with being inside quotes: correlation {similarity[chosen]:.2f}")


# %%
def draw_cell(tokens: list[str], values: np.ndarray, columns: int = 90) -> None:
    """Draw a text, each character coloured by what a cell holds after it: blue below zero, red above."""
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
            axes.text(column, row, tokens[place].strip(), ha="center", va="center", fontsize=8, family="monospace")
    axes.imshow(grid, cmap="coolwarm", vmin=-1.5, vmax=1.5, aspect="auto")
    axes.axis("off")
    plt.show()


quoted = int(np.convolve(quotes.values, np.ones(900), "valid").argmax())  # where there are many quotes
shown = slice(read.tokens.index("\n", quoted) + 1, quoted + 900)
draw_cell(read.tokens[shown], read.cells[0, shown, chosen])

# %% [markdown]
"""
Nobody told the network about quotes. It found out that to predict what comes next it is worth a cell to remember that
one is open ([Karpathy, Johnson and Fei-Fei 2015](https://arxiv.org/abs/1506.02078)). With a negative correlation the
cell is blue inside of quotes, not red; and many a cell follows something wider, such as all that is not code, comments
too.

But beware: the best of 256 cells always looks meaningful, even where there is nothing. So `followed_properties`
chooses the cell of each property on one half of the text and scores it on the other, and does the same with the
property shifted along the text, where it means nothing. An AUC of 1 is a cell that tells the property without a
mistake, 0.5 is chance, and what counts is how far it is above *by chance*: where it is not, no cell follows the
property.
"""

# %%
print(f"{'property':<26}{'kind':<12}cell   AUC   by chance")
for row in seqgen.followed_properties(read.tokens, read.cells)[:14]:
    print(f"{row.property:<26}{row.kind:<12}{row.cell:>4}  {row.auc:.2f}  {row.null_high:.2f}")

# %% [markdown]
"""
Properties of the *current* character are no surprise, as it was just read. Those that are *remembered* have to be kept
in a cell. In the shell, `seqgen cells runs/mine` makes a page of all this for any generator, in which you can step
through its cells.

**Try:** draw the cell of another row of the table. Train for a tenth of the time: which properties are followed first?
What do the cells of `writer`, the word model, follow?
"""
