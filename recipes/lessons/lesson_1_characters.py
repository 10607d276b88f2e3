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
# Networks that write, 1: characters

A network that writes answers one question again and again: *what comes next?* Here you train one to write Python, for
less than a minute, take it apart while it chooses its characters, and see why the most probable character is rarely
the one to take. [Lesson 2](lesson_2_words_and_cells.ipynb) has words, a Markov chain, and what single cells do;
[lesson 3](lesson_3_translator_and_captioner.ipynb) a translator and a captioner.

Nothing is downloaded. Training ends by the clock: figures and texts differ from machine to machine.
"""

# %%
import math
from collections.abc import Callable
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.nn import functional

import seqgen
from seqgen.batches.text import stream_batches
from seqgen.data.sets.python_library import python_source
from seqgen.symbols import BOS

SECONDS = 40  # of training: with more of them the texts become better
torch.manual_seed(1)
plt.rcParams.update({"figure.dpi": 70, "figure.figsize": (9, 3), "figure.constrained_layout.use": True})

# %% [markdown]
"""
## The patterns

A recurrent network reads one thing after the other and keeps a *hidden state*, its memory of what it has read. What
goes in and what comes out may be one thing or many, which makes the patterns that everyone draws like this, with time
running to the right: inputs below, hidden states in the middle, outputs above.
"""

# %%
PATTERNS: dict[str, tuple[list[int], list[int]]] = {  # the steps with an input, and those with an output
    "one to one": ([0], [0]),
    "one to many": ([0], [0, 1, 2]),
    "many to one": ([0, 1, 2], [2]),
    "many to many,\nstep by step": ([0, 1, 2], [0, 1, 2]),
    "many to many": ([0, 1, 2], [2, 3, 4]),
}
figure, panels = plt.subplots(1, len(PATTERNS), figsize=(11, 2.4), width_ratios=[2, 4, 4, 4, 6])
for axes, (name, (inputs, outputs)) in zip(panels, PATTERNS.items(), strict=True):
    steps = range(max(outputs) + 1)
    for row, (places, color) in enumerate([(inputs, "tab:orange"), (steps, "tab:green"), (outputs, "tab:blue")]):
        axes.scatter(places, [row] * len(places), marker="s", s=250, color=color)
    arrows = [((step, 1), (step + 1, 1)) for step in steps[:-1]]
    arrows += [((step, 0), (step, 1)) for step in inputs] + [((step, 1), (step, 2)) for step in outputs]
    for begin, end in arrows:
        axes.annotate("", xy=end, xytext=begin, arrowprops={"arrowstyle": "->", "shrinkA": 10, "shrinkB": 10})
    axes.set(xlim=(-0.5, len(steps) - 0.5), ylim=(-0.5, 2.5), title=name)
    axes.axis("off")
plt.show()

# %% [markdown]
"""
In seqgen each pattern is made of the same few parts: an *encoder* turns an input into a memory, a *head* turns a
memory into an answer, and a *decoder* writes a sequence. A generator, which this lesson is about, is the decoder
alone. Look at the shapes of what comes out:
"""

# %%
image, sentence, first = torch.rand(1, 3, 64, 64), torch.randint(4, 100, (1, 7)), torch.tensor([[BOS]])
for pattern, use, answer in [
    ("one to one", "image classifier", seqgen.image_classifier(classes=10)(image)),
    ("many to one", "text classifier", seqgen.text_classifier(vocab_size=100, classes=10)(sentence)),
    ("many to many, step by step", "tagger", seqgen.tagger(vocab_size=100, tags=10)(sentence)),
    ("one to many", "image captioner", seqgen.captioner(vocab_size=100)((image,), first)),
    ("many to many", "translator", seqgen.translator(100)((sentence,), first)),
    ("nothing to many", "generator", seqgen.generator(vocab_size=100)(first)[0]),
]:
    print(f"{pattern:27} {use:16} answers of shape {tuple(answer.shape)}")

# %% [markdown]
"""
A classifier has one answer for the whole input, `(1, 10)`, a tagger one for each of seven tokens, `(1, 7, 10)`. The
last three answer for one step, which of 100 tokens is the next one, and are asked again for each.

## Characters as numbers

We need a text to learn from. Every Python comes with one: the source of its own library, of which a few packages are
enough here. A *tokenizer* gives each character a number.
"""

# %%
PACKAGES = {"asyncio", "email", "http", "json", "logging", "unittest", "urllib", "xml"}
text = "\n".join(path.read_text(encoding="utf-8") for package, path in python_source() if package in PACKAGES)
tokenizer = seqgen.CharacterTokenizer.fit(text)
tokens = tokenizer.encode(text)
print(f"{len(text):,} characters, {tokenizer.vocab_size} different tokens; def f(x): is", tokenizer.encode("def f(x):"))

# %% [markdown]
"""
The numbers 0 to 3 are those of padding, the beginning and the end of a text, and unknown characters.

## Windows of `nchars` characters

The text itself says what is right: after `def ` comes whatever comes there. So we cut a window of `nchars` characters,
and let the network predict the same window one character later. That is one question for each place of the window.
"""

# %%
nchars, first_place = 8, text.index("def ")
read, predict = text[first_place:][:nchars], text[first_place + 1 :][:nchars]
for place in range(nchars):
    print(f"{read[: place + 1]!r:>11} -> {predict[place]!r}")

# %% [markdown]
"""
In plain PyTorch this takes five lines: an embedding makes a vector of each number, an LSTM reads the vectors, a linear
layer turns each hidden state into a score for each character, its *logits*, and the cross-entropy is how surprised the
network is by what came next, in *nats*.
"""

# %%
window = torch.from_numpy(tokens[first_place:][: nchars + 1])
embedding, lstm = nn.Embedding(tokenizer.vocab_size, 64), nn.LSTM(64, 256)
output = nn.Linear(256, tokenizer.vocab_size)
hidden_states, state = lstm(embedding(window[:-1]))
loss = functional.cross_entropy(output(hidden_states), window[1:])
guessing = math.log(tokenizer.vocab_size)
print(f"{loss.item():.2f} nats a character; guessing has log({tokenizer.vocab_size}) = {guessing:.2f}")

# %% [markdown]
"""
An untrained network guesses. Two things make a real training of these lines. Many windows are read at once: the text
is cut into *lanes* that lie side by side, and a batch has a window of each. And the hidden state is carried from a
window to the next one of its lane, so that the network may remember what was read long before the window began.
"""

# %%
batches = stream_batches(tokens, lanes=32, window=64)  # the end of the text is held back, to validate on
several = batches.train.starting_at(0)
one, after = next(several), next(several)
print("a batch of", tuple(one.inputs.shape), "tokens; the fourth lane goes on from batch to batch:")
for batch in (one, after):
    print(repr(tokenizer.decode(batch.inputs[3].tolist())))

# %% [markdown]
"""
## Training

`train_steps` makes the updates; the loop around it is yours. Here it keeps the loss of each update, and now and then
lets the network write.
"""

# %%
model = seqgen.generator(tokenizer.vocab_size, hidden_size=256)
generator = seqgen.Generator.of(model, tokenizer=tokenizer, arguments={"hidden_size": 256})
learning = seqgen.optimizers(model, "muon"), seqgen.Schedule(max_seconds=SECONDS)
losses = []
for step in seqgen.train_steps(model, batches.train.starting_at(0), *learning):
    losses.append(step.loss)
    if step.number in (1, 20, 100) or step.last:
        print(f"--- after {step.number} updates: {step.loss:.2f} nats a character")
        print(generator.generate("def ", max_new_tokens=120, temperature=0.7, seed=1)[0])

# %%
held_back = seqgen.evaluate(model, batches.validation())
plt.plot(losses, linewidth=0.8, label="training")
plt.axhline(guessing, color="grey", linestyle=":", label="guessing")
plt.axhline(held_back, color="tab:orange", label=f"held back: {held_back:.2f} = log({math.exp(held_back):.1f})")
plt.gca().set(xlabel="updates", ylabel="nats a character", ylim=(0, 5))
plt.legend()
plt.show()

# %% [markdown]
"""
First it learns which characters are frequent, then words such as `self` and `return`, then brackets, indentation and
lines that look like Python. In the end it is as unsure as between a few characters of the same probability.

**Try:** a tenth of `SECONDS`, or thrice as many. A window of 8: does it still close its brackets? Your own text?

## One character at a time

How does it write? It reads the prompt, which leaves it with a hidden state and the logits of the next character. One
is chosen, and read in turn. Everything depends on `choose`.
"""


# %%
@torch.inference_mode()
def write(prompt: str, length: int, choose: Callable[[Tensor], Tensor]) -> str:
    """Return a prompt and the characters that are chosen, by their logits, to follow it."""
    written, state = [BOS, *tokenizer.encode(prompt).tolist()], model.start(batch_size=1)
    for token in written:
        logits, state = model.step(torch.tensor([token]), state)
    for _ in range(length):
        token = int(choose(logits[0]))
        written.append(token)
        logits, state = model.step(torch.tensor([token]), state)
    return str(tokenizer.decode(written))


model.eval()
for prompt in ("# The ", '    """Return '):
    print("the most probable:", write(prompt, 160, lambda logits: logits.argmax()), sep="\n")
    print("drawn at random:", write(prompt, 160, lambda logits: torch.multinomial(logits.softmax(0), 1)), sep="\n")

# %% [markdown]
"""
## Why argmax runs in circles

The most probable character each time sounds best, and yet such a text soon repeats itself: the same few characters
lead to nearly the same hidden state, this leads to the same choice, and nothing ever breaks the circle, be it of words
or of spaces. Let us ask the network how surprised it is by each character of such a text, of a text it draws at
random, and of a text that people wrote.
"""

# %%
real = tokenizer.decode(batches.held_back[1000:1400])
drawn = generator.generate(real[:20], max_new_tokens=380, seed=1)[0]
greedy = generator.generate(real[:20], max_new_tokens=380, do_sample=False)[0]
texts = {"written by people": real, "drawn at random": drawn, "most probable": greedy}
figure, panels = plt.subplots(1, 3, figsize=(11, 2.6), sharey=True)
for axes, (name, written) in zip(panels, texts.items(), strict=True):
    surprise = [-log for log in generator.score(written).log_probabilities]
    axes.plot(surprise, linewidth=0.8)
    axes.set(title=f"{name}: {sum(surprise) / len(surprise):.2f} nats", xlabel="character", ylim=(0, 8))
panels[0].set_ylabel("nats")
plt.show()

# %% [markdown]
"""
People surprise: mostly the next character is clear, but where a new word begins they choose freely. A drawn text has
the same peaks. The most probable text soon has low ones that come again and again, or none at all: the network expects
the circle to go on. *The most probable text is not a typical one*
([Holtzman et al. 2020](https://arxiv.org/abs/1904.09751)).

## Temperature

Between the two is a dial. Logits are divided by a *temperature* before the softmax makes probabilities of them. Below
1 the probable characters become more probable still (near 0 it is argmax), above 1 all become more alike.
"""

# %%
prompt = "import s"
with torch.inference_mode():
    every, _ = model(torch.tensor([[BOS, *tokenizer.encode(prompt).tolist()]]))
logits = every[0, -1]
best = logits.topk(12).indices
names = [repr(tokenizer.decode([token]))[1:-1] for token in best.tolist()]
figure, panels = plt.subplots(1, 4, figsize=(11, 2.4), sharey=True)
for axes, temperature in zip(panels, (0.3, 0.7, 1.0, 2.0), strict=True):
    axes.bar(names, (logits / temperature).softmax(0)[best])
    axes.set_title(f"temperature {temperature}")
panels[0].set_ylabel(f"after {prompt!r}")
plt.show()

# %%
for temperature, top_p in [(0.3, None), (0.7, None), (1.0, None), (2.0, None), (1.0, 0.8)]:
    print(f"--- temperature {temperature}, top_p {top_p}")
    print(generator.generate("class ", max_new_tokens=160, temperature=temperature, top_p=top_p, seed=2)[0])

# %% [markdown]
"""
After so short a training none of them makes sense. But a low temperature spells well and repeats its few favourite
words, a high one does not even spell; for text 0.5 to 1 is usual. Even at 1, now and then a character is drawn from
the long tail of improbable ones, and then the network is lost. `top_p` cuts this tail: it draws only from the most
probable characters that together have this probability.

## Keeping it

A saved model is a folder of plain data, with its tokenizer, and writes the same again.
"""

# %%
with TemporaryDirectory() as folder:
    generator.save_pretrained(folder)
    again = seqgen.load(folder)
print(again.generate("def ", seed=3, max_new_tokens=50) == generator.generate("def ", seed=3, max_new_tokens=50))

# %% [markdown]
"""
In the shell, `seqgen train char_generator --data input.txt --output_dir runs/mine` does all of this with the best
settings we know, and `seqgen generate runs/mine "def " --temperature 0.8` writes.

**Try:** which `choose` for `write` would be a temperature of 0.5? Which would be `top_p`? What follows a prompt that
no file has, such as `"def def "`? Give `seqgen.generator` the option `cell="gru"` or `cell="rnn"`: what is lost?
"""
