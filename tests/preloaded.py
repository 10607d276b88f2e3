"""What runs of recipes import and parse, once for all the processes that are forked from the one that imports this."""

import gc
import importlib

import jinja2
import pytest
from making import RECIPES, load_recipe
from running import parse_once

from seqgen.inference.card import TEMPLATE
from seqgen.runs.config import option_parser

IMPORTED_LATE = [
    "accelerate",
    "huggingface_hub.repocard",
    "huggingface_hub.file_download",
    "PIL.JpegImagePlugin",
    "sacrebleu.tokenizers.tokenizer_13a",
    "seqgen.figures.attention",
    "seqgen.runs.answers",
    "seqgen.data.catalog",
    "seqgen.figures.captions",
    "torchvision.models",
    "seqgen.metrics.captions",
    "torch.utils.tensorboard",
    "nltk",
    "matplotlib.pyplot",
    "sklearn.linear_model",
    "sklearn.feature_extraction.text",
]
for _name in IMPORTED_LATE:
    importlib.import_module(_name)
parse_once(pytest.MonkeyPatch())
for _name in RECIPES:
    option_parser(load_recipe(_name).Config)
jinja2.Template(TEMPLATE.read_text(encoding="utf-8"))
gc.collect()
gc.freeze()  # what is never looked at by the collector stays shared by all processes
