"""The names, recipe, code and commands of each kind of saved model: for `seqgen info` and the model card."""

import shlex
from collections.abc import Sequence

# The name of a kind in a sentence, and the recipe that trains it.
KINDS = {
    "generator": ("a generator of texts", "char_generator"),
    "text_classifier": ("a classifier of texts", "text_classifier"),
    "image_classifier": ("a classifier of images", "image_classifier"),
    "tagger": ("a tagger", "tagger"),
    "translator": ("a translator", "translator"),
    "captioner": ("a captioner of images", "image_captioner"),
    "conditional_generator": ("a generator of texts for a category or numbers", "name_generator"),
}
# Of each kind: what the hub calls its task, the code that uses it, and what it cannot do.
TASKS = {
    "generator": (
        "text-generation",
        "print(model.generate({given!r}, max_new_tokens=200, temperature=0.8)[0])",
        "may repeat passages of them; what it writes is plausible at best, never checked",
    ),
    "text_classifier": (
        "text-classification",
        "for label, probability in model.classify({given!r})[0]:\n    print(label, probability)",
        "gives every text one of its classes, also one that belongs to none",
    ),
    "image_classifier": (
        "image-classification",
        "for label, probability in model.classify({given!r})[0]:\n    print(label, probability)",
        "gives every image one of its classes, also one that belongs to none",
    ),
    "tagger": (
        "token-classification",
        "for token, tag, probability in model.tag({given!r})[0]:\n    print(token, tag, probability)",
        "gives every token one of its tags, also in texts of another kind",
    ),
    "translator": (
        "translation",
        "print(model.translate({given!r})[0].text)",
        "translates fluently also what it does not know, and then wrongly",
    ),
    "captioner": (
        "image-to-text",
        "print(model.caption({given!r})[0].text)",
        "names what was frequent in its captions, also where an image does not show it",
    ),
    "conditional_generator": (
        "text-generation",
        "print(model.generate({given!r}, num_return_sequences=5))",
        "may repeat some of them; what it writes is plausible at best, never checked",
    ),
}

NEEDING_TORCH = ("evaluate", "embed", "cells", "serve", "export")  # commands that an exported model has not
MADE = ("steps", "seconds", "precision", "threads", "seed", "parameters")  # results that say how, not how good


def commands(
    kind: str, place: str, categories: Sequence[str] = (), *, prompt: str = "The ", cells: bool = True
) -> list[str]:
    """Return the commands for a kind of model, to be typed.

    Args:
        kind: name of the builder.
        place: folder or name on the hub, quoted for a shell.
        categories: those of a generator for categories.
        prompt: for a generator, without quotation marks.
        cells: whether it has cells, which a Markov chain has not.
    """
    condition = shlex.quote(categories[0]).replace("{", "{{").replace("}", "}}") if categories else '"0.5 1"'
    found = {
        "generator": [f'generate {{}} "{prompt}"', 'score {} "a text"', "evaluate {} text.txt", *["cells {}"] * cells],
        "text_classifier": ['classify {} "a text" --top_k 2', "classify {} texts.txt", "evaluate {} labelled.tsv"],
        "image_classifier": ["classify {} *.jpg --top_k 2", "evaluate {} folder"],
        "tagger": ['tag {} "a text"', "tag {} file.txt", "evaluate {} tagged.conllu"],
        "translator": ['translate {} "a sentence"', "translate {} sentences.txt", "evaluate {} pairs.tsv"],
        "captioner": ["caption {} *.jpg", "evaluate {} folder --captions captions.csv"],
        "conditional_generator": [f"generate {{}} {condition} --num_return_sequences 5", "evaluate {} labelled.tsv"],
    }[kind]
    shown = [*found, "serve {}"]
    return [f"seqgen {command.format(place)}" for command in shown]
