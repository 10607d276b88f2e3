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
# Networks that write, 3: a translator and a captioner

The generators of [lesson 1](lesson_1_characters.ipynb) and [lesson 2](lesson_2_words_and_cells.ipynb) write whatever
comes to mind. A translator and a captioner write *about* something. Both are the same decoder with an *encoder* in
front of it, which reads a sentence or looks at a picture, and *attention* between the two.

As before, training ends by the clock, so your figures will differ.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import torch
from torch import nn

import seqgen
from seqgen.data.sets.dates import date_pairs
from seqgen.data.sets.shapes import COLOURS, Shape, draw_picture
from seqgen.figures.attention import heated
from seqgen.nn.decoder import attentive_decoder

SECONDS = 40  # of training, for the translator and for the captioner
PAIRS = 20_000  # to learn from
SCENES = 2_500
torch.manual_seed(1)
plt.rcParams.update({"figure.dpi": 70, "figure.constrained_layout.use": True})

# %% [markdown]
"""
## Many to many: a translator

People write dates in hundreds of ways, computers in one. This is a translation, too, and one that a minute is enough
to learn. No date that we test on is among those to learn from, and a tenth of the ways to write them is not, either.
"""

# %%
pairs, _, test = date_pairs(seed=0)
pairs = pairs.chosen(range(PAIRS))
for source, target in zip(pairs.sources[:5], pairs.targets, strict=False):
    print(f"{source:>35} -> {target}")

# %% [markdown]
"""
Source and target have different lengths, and their order differs, so one answer for each step that is read will not
do. The encoder reads all of the source first, forward and backward, and keeps its hidden states: its *memory*. Then
the decoder writes, as a generator does, one character after the other. In training it reads the right character each
time, whatever it would have written itself (*teacher forcing*), so that all steps are trained at once.
"""

# %%
tokenizer = seqgen.CharacterTokenizer.fit([*pairs.sources, *pairs.targets])
translator = seqgen.Translator.untrained(source=tokenizer, hidden_size=128, embedding_size=64, dropout=0.1)
batches = translator.examples(pairs).batches(2000)  # tokens, source and target together
learning = seqgen.optimizers(translator.model, "muon"), seqgen.Schedule(max_seconds=SECONDS)
shown = 1
for step in seqgen.train_steps(translator.model, batches.starting_at(0), *learning, loss_function=seqgen.target_tokens):
    if step.number == shown or step.last:
        [found] = translator.translate("the 3rd of May, 1998", num_beams=1, max_new_tokens=12)
        print(f"after {step.number:>3} updates, {step.loss:.3f} nats a character: {found.text}")
        shown *= 3

# %%
sources, targets = list(test.sources[:200]), list(test.targets[:200])
written = [one.text for one in translator.translate(sources, num_beams=1)]
right = sum(one == other for one, other in zip(written, targets, strict=True))
print(f"{right} of {len(targets)} unseen dates are right")
for source in ("christmas eve is 24 dec '21", "July fourth, 1976", "31.01.84"):
    for one in translator.translate(source, num_beams=4, num_return_sequences=2):
        print(f"{source:>30} -> {one.text}   log-probability {one.score:.2f}")

# %% [markdown]
"""
`num_beams=4` is *beam search*: the four most probable beginnings are kept at each step instead of one. Here it asks
for the two best translations. Unlike a story, a translation should be the most probable text, so nothing is drawn at
random. (The first of them has words that it never saw.)

## Attention

How does the decoder find the month, when it writes the month? Squeezing a long sentence into one hidden state loses
much. So at each step it compares its own hidden state, the *query*, with every place of the memory, and reads a mean
of them, weighted by how well they fit. That is all of attention, in three lines of plain PyTorch:
"""

# %%
memory, query = torch.randn(20, 128), torch.randn(128)  # 20 source characters, one step of the decoder
weights = (memory @ query / 128**0.5).softmax(dim=0)  # how well each place fits: 20 numbers that sum to one
context = weights @ memory  # what is read: one vector
print(tuple(weights.shape), f"sum {weights.sum().item():.2f}", tuple(context.shape))

# %%
[found] = translator.translate("Thursday, the 4th of July, 1996", return_attention=True)
assert found.attention is not None
figure, axes = plt.subplots(figsize=(9, 4))
axes.imshow(found.attention.weights, cmap="Blues", aspect="auto")
axes.set_xticks(range(len(found.attention.source)), found.attention.source)
axes.set_yticks(range(len(found.attention.target)), found.attention.target)
axes.set(xlabel="read", ylabel="written")
plt.show()

# %% [markdown]
"""
Each row is a character that was written, and its colours where it looked: for the year at the year, for the month at
the name of the month, for the day at the day. Nobody told it what a month is. GPT-2 and its like are made of attention
alone: there, the text attends to itself.

**Try:** a date in your own language. Two dates in one sentence: which one is translated? What becomes of the picture
where the translation is wrong?

## One to many: a captioner

Now replace the encoder that reads by one that looks: a small convolutional network turns a picture into a grid of
vectors, and this grid is the memory. The decoder stays the same. The pictures are drawn here, with what is to be said
about them.
"""


# %%
def draw_scene(generator: np.random.Generator) -> tuple[PIL.Image.Image, str]:
    """Return a picture of two shapes, and its caption."""
    names, shapes = [], []
    for middle in (0.27, 0.73):
        colour, kind = generator.choice([*COLOURS]), generator.choice(["circle", "square", "triangle"])
        x, y = middle + generator.uniform(-0.04, 0.04), generator.uniform(0.25, 0.75)
        shapes.append(Shape(str(colour), str(kind), x, y, radius=generator.uniform(0.19, 0.23)))
        names.append(f"a {colour} {kind}")
    return draw_picture(shapes, generator), " left of ".join(names)


generator = np.random.default_rng(1)
pictures, captions = zip(*(draw_scene(generator) for _ in range(SCENES + 100)), strict=True)
figure, panels = plt.subplots(1, 4, figsize=(11, 2.2))
for axes, picture, said in zip(panels, pictures, captions, strict=False):
    axes.imshow(picture)
    axes.set_title(said.replace(" left", "\nleft"), fontsize=10)
    axes.axis("off")
plt.show()

# %% [markdown]
"""
This time we put the network together ourselves. Four convolutions make a grid of 6 x 6 vectors of a picture of 48 x 48
pixels, and each of them sees a square of 31 pixels: enough for a shape, but not for both. `Places` tells where in the
grid each is.
"""


# %%
def convolution(inputs: int, outputs: int, stride: int = 2) -> nn.Module:
    """Return a convolution with batch normalization, which halves rows and columns unless its stride is 1."""
    layer = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU())


words = seqgen.WordTokenizer.fit("\n".join(captions))
network = nn.Sequential(convolution(3, 32), convolution(32, 64), convolution(64, 128), convolution(128, 128, stride=1))
encoder = seqgen.ImageEncoder(network, 128, seqgen.Mean(), places=seqgen.Places(128, 128, 6 * 6))
embedding, attention = seqgen.ScaledEmbedding(words.vocab_size, 64), seqgen.Attention(128, 128)
decoder = attentive_decoder(embedding, encoder, attention, "lstm", hidden_size=128, layers=2, dropout=0.0)
preprocessing = seqgen.Preprocessing(size=48)
captioner = seqgen.Captioner.of(seqgen.EncoderDecoder(encoder, decoder), target=words, preprocessing=preprocessing)

# %%
names = [f"scene {number}" for number in range(SCENES)]
known = seqgen.Captioned(list(pictures[:SCENES]), [[one] for one in captions[:SCENES]], names)
views = seqgen.Views(known, preprocessing)
several = captioner.examples(known.captions, views=views).batches(160)  # words of captions
learning = seqgen.optimizers(captioner.model, "muon"), seqgen.Schedule(max_seconds=SECONDS)
shown = 1
for step in seqgen.train_steps(captioner.model, several.starting_at(0), *learning, loss_function=seqgen.target_tokens):
    if step.number == shown or step.last:
        print(f"after {step.number:>3} updates, {step.loss:.3f} nats: {captioner.caption(pictures[SCENES])[0].text}")
        shown *= 4

# %%
unseen, true = list(pictures[SCENES:]), captions[SCENES:]
written = [one.text for one in captioner.caption(unseen)]
right = sum(one == other for one, other in zip(written, true, strict=True))
half = sum(one.split()[:3] == other.split()[:3] for one, other in zip(written, true, strict=True))
print(f"{right} of {len(true)} captions of unseen scenes are right, {half} as far as the left shape; by chance", end="")
print(f" one of {15 * 15} and one of 15")

# %% [markdown]
"""
Where does it look while it writes? We measure how much of the attention is on the left shape and on the right one,
and show the unseen scene with most of it there, once for each word, brighter where the attention is.
"""


# %%
def on_shapes(picture: PIL.Image.Image, weights: np.ndarray) -> np.ndarray:
    """Return how much of the attention of each word is on the left and on the right shape: (words, 2)."""
    colourful = np.ptp(np.asarray(picture, dtype=np.float32), axis=2) > 80  # the background is pale
    covered = PIL.Image.fromarray(colourful.astype(np.float32)).resize((6, 6), PIL.Image.Resampling.BOX)
    return np.asarray((weights * np.asarray(covered)).reshape(-1, 6, 2, 3).sum(axis=(1, 3)))


heats = [one.attention for one in captioner.caption(unseen, return_attention=True) if one.attention is not None]
shares = [on_shapes(picture, heat.weights) for picture, heat in zip(unseen, heats, strict=True)]
for name, part in (("first", slice(3)), ("last", slice(-3, None))):
    left, right = np.concatenate([share[part] for share in shares]).mean(axis=0)
    print(f"attention of the {name:>5} three words: {left:4.0%} on the left shape, {right:4.0%} on the right one")
best = max(range(len(unseen)), key=lambda scene: shares[scene][:3, 0].sum() + shares[scene][-3:, 1].sum())
pieces, weights = heats[best]
figure, panels = plt.subplots(1, len(pieces) + 1, figsize=(1.4 * len(pieces) + 1.4, 1.8), squeeze=False)
for axes, piece, heat in zip(panels[0], ["", *pieces], [None, *weights], strict=True):
    axes.imshow(unseen[best] if heat is None else heated(unseen[best], heat))
    axes.set_title(piece)
    axes.axis("off")
plt.show()

# %% [markdown]
"""
The first words look at the left shape, not at the right one, and the last words the other way round. But not all of
the attention is on shapes: a place beside one sees it as well, in its square of 31 pixels, and a word that the hidden
state knows already may look anywhere, even at the empty background. And this is what translator and captioner have in
common, and what not:
"""

# %%
for model in (translator.model, captioner.model):
    print(f"{type(model.encoder).__name__:16} -> {type(model.decoder).__name__}, {type(model).__name__}")

# %% [markdown]
"""
**Try:** show it a scene with three shapes, or with two above each other. Leave "red circle" out of the scenes to learn
from: does it describe one, as it knows both words? `SECONDS = 120`?

## Where to go on

Each pattern of lesson 1 has a recipe that trains it properly, on data of its own or on yours, with a page of results:
`seqgen train translator`, `image_captioner`, `text_classifier`, `tagger`, `image_classifier`, `name_generator` and
`char_generator`. Each is one script; `seqgen train translator --copy` puts it into your folder, to be read and
changed.
"""
