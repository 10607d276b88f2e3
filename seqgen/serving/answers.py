"""The answers of models with an input: labels, tags, translations, captions."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from seqgen.arguments import checked
from seqgen.inference.captioner import Captioner
from seqgen.inference.classifiers import ImageClassifier, TextClassifier
from seqgen.inference.encoder_decoder import EncoderDecoderBundle
from seqgen.inference.tagger import Tagger
from seqgen.inference.translator import Translator
from seqgen.serving.body import ImageFile
from seqgen.serving.limits import require_affordable, require_short
from seqgen.tasks.captioner import Caption
from seqgen.tasks.classifiers import Label
from seqgen.tasks.translator import Translation


@checked
def classify(
    classifier: TextClassifier, *, text: str, top_k: int = 5, influences: bool = False, label: str | None = None
) -> dict[str, Any]:
    """Return the most probable classes of a text and, where asked for, by how much each word moved the answer."""
    require_short(text=text)
    found = _labels(classifier.classify(text, top_k=top_k)[0])
    if influences:
        found["influences"] = [one._asdict() for one in classifier.influences(text, label)]
    return found


@checked
def classify_image(classifier: ImageClassifier, image: ImageFile, *, top_k: int = 5) -> dict[str, Any]:
    """Return the most probable classes of an image."""
    return _labels(classifier.classify(image.read(), top_k=top_k)[0])


@checked
def tag(tagger: Tagger, *, text: str) -> dict[str, Any]:
    """Return the tag of each word or character, with the white space before it, and that after the last one."""
    require_short(text=text)
    [tagged] = tagger.tag([text])
    tokens, end = list[dict[str, Any]](), 0
    for one, (begin, stop) in zip(tagged, tagger.spans(text), strict=True):
        before = {"before": text[end:begin]} if begin > end else {}
        tokens.append({**before, "text": text[begin:stop], "tag": one.tag, "probability": one.probability})
        end = stop
    return {"tokens": tokens, "after": text[end:]}


@checked
def translate(
    translator: Translator,
    *,
    text: str,
    prefix: str = "",
    attention: bool = False,
    minimum_bayes_risk: int = 0,
    **options: Any,
) -> dict[str, Any]:
    """Return the best translations of a sentence, with their scores and, where asked for, their attention weights."""
    require_short(text=text)
    options |= {"prefix": prefix, "minimum_bayes_risk": minimum_bayes_risk, "return_attention": attention}
    return {"translations": _written(translator, partial(translator.translate, text), **options)}


@checked
def caption(
    captioner: Captioner,
    image: ImageFile,
    *,
    prefix: str = "",
    attention: bool = False,
    minimum_bayes_risk: int = 0,
    **options: Any,
) -> dict[str, Any]:
    """Return the best captions of an image, with their scores and, where asked for, their attention weights."""
    options |= {"prefix": prefix, "minimum_bayes_risk": minimum_bayes_risk, "return_attention": attention}
    found = _written(captioner, lambda **asked: captioner.caption(image.read(), **asked), **options)
    return {"captions": found, "size": captioner.preprocessing.size}


def _labels(found: list[Label]) -> dict[str, Any]:
    return {"labels": [one._asdict() for one in found]}


def _written(
    bundle: EncoderDecoderBundle,
    write: Callable[..., Sequence[Translation | Caption]],
    *,
    prefix: str,
    minimum_bayes_risk: int,
    return_attention: bool,
    **options: Any,
) -> list[dict[str, Any]]:
    """Return the texts that a model writes with options that one request may ask for."""
    require_short(prefix=prefix)
    config = bundle.generation.with_options(**options)
    require_affordable(config, minimum_bayes_risk=minimum_bayes_risk, attention=return_attention)
    found = write(prefix=prefix, minimum_bayes_risk=minimum_bayes_risk, return_attention=return_attention, **options)
    texts = []
    for one in found:
        shown: dict[str, Any] = {"text": one.text, "score": one.score}
        if one.attention is not None:
            weights = one.attention.weights.astype(np.float64).round(4).tolist()
            shown["attention"] = one.attention._asdict() | {"weights": weights}
        texts.append(shown)
    return texts
