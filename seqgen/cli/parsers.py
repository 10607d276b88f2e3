"""The options of each command that uses a saved model; torch is not imported to read or to complete them."""

from argparse import SUPPRESS
from collections.abc import Callable
from typing import Literal

from seqgen.cli.command_parser import ENCODING, CommandParser
from seqgen.generation.config import Unseen
from seqgen.hardware.names import Precision


def generate() -> CommandParser:
    """Return the options of `seqgen generate`."""
    parser = _parser("generate", "Continue each prompt, or generate a text for each condition, and print it.")
    parser.texts("prompts", "beginnings of texts, or conditions of a conditional generator (a category or numbers)")
    parser.option("prompt", str, None, "beginning of every text; for a generator without conditions, the only prompt")
    parser.option(
        "unseen", Unseen | None, None, "what to do with characters or words unseen in training; by default error"
    )
    parser.parser.add_argument("--stop_strings", nargs="+", default=SUPPRESS, help="stop after any of these strings")
    parser.types["stop_strings"] = str
    parser.flag("json", "print a line of JSON for each text")
    parser.generation_options()
    return parser


def classify() -> CommandParser:
    """Return the options of `seqgen classify`."""
    parser = _parser("classify", "Print the class of each text or image, and its probability.")
    parser.texts("inputs", "texts or image files")
    parser.option("top_k", int, 1, "number of most probable classes of each input")
    parser.flag("json", "print a line of JSON for each input")
    parser.option("precision", Precision, "auto", "precision of matrix products; auto takes the faster one")
    return parser


def tag() -> CommandParser:
    """Return the options of `seqgen tag`."""
    parser = _parser("tag", "Print the tag of each word or character, on a terminal in colour.")
    parser.texts("texts", "texts")
    parser.flag("json", "print a line of JSON for each text")
    parser.option("precision", Precision, "auto", "precision of matrix products; auto takes the faster one")
    return parser


def caption() -> CommandParser:
    """Return the options of `seqgen caption`."""
    parser = _parser("caption", "Print a caption of each image file, or of each path on standard input.")
    parser.words_after_models("images", "image files; by default the lines of standard input")
    _search_options(parser, "caption", "image")
    return parser


def translate() -> CommandParser:
    """Return the options of `seqgen translate`."""
    parser = _parser("translate", "Print the translation of each sentence.")
    parser.texts("sentences", "sentences")
    _search_options(parser, "translation", "sentence")
    return parser


def evaluate() -> CommandParser:
    """Return the options of `seqgen evaluate`."""
    rule = (
        "Print the metrics of a model, or of an ensemble, on a labelled file, as its recipe does at the end; or with "
        "--data those of several generators side by side."
    )
    parser = _parser("evaluate", rule)
    rule = (
        "the file, after further members of an ensemble; or with --data further generators: runs, folders of causal "
        "language models of transformers, such as GPT-2, and ngram, the Markov chain of the first run's training text"
    )
    parser.words("more", rule)
    rule = "text, file or folder in the form of the recipe's --data; images in a folder for each class"
    parser.option("data", str | None, None, rule)
    _labelled_options(parser)
    rule = "temperature, cache, dynamic, ngram, or several with commas between: how generators adapt to the text"
    parser.option("adapt", str | None, None, rule)
    rule = "text that settings of --adapt are chosen by; by default that which the run was validated on"
    parser.option("valid", str | None, None, rule)
    parser.option("train", str | None, None, "text that n-grams are counted in; by default that of the run")
    kinds = Literal["none", "lines", "blank-lines", "files"]
    parser.option(
        "documents", kinds | None, None, "separate documents of a generator's text; by default as it was trained"
    )
    parser.option(
        "num_beams", int | None, None, "number of beams of a translator or captioner; by default as in the model"
    )
    parser.flag("json", "print one JSON object")
    return parser


def score() -> CommandParser:
    """Return the options of `seqgen score`."""
    rule = (
        "Print the log-probability of each text, in nats; of models with an input, that of an answer given the input. "
        "These come as a labelled file, as pairs of arguments, or as lines of standard input with a tab between them."
    )
    parser = _parser("score", rule)
    parser.words_after_models(
        "texts", "texts of a generator or a file of them; else a labelled file, or inputs and answers in turns"
    )
    parser.flag("text", "take every argument for a text, even where a file has this name")
    _columns(parser)
    parser.option(
        "unseen", Unseen | None, None, "what a generator does with tokens unseen in training; by default error"
    )
    rule = (
        "of the answers to an input, which follow each other, print only the best; a file, or standard input, may "
        "then be what `seqgen translate --nbest 5 --json`, or caption, has printed"
    )
    parser.flag("best", rule)
    parser.flag("json", "print a line of JSON for each text, with the log-probability of each token")
    return parser


def embed() -> CommandParser:
    """Return the options of `seqgen embed`."""
    rule = (
        "Print the vector of each text or image, by which the encoder of a model summarizes it, write all vectors to a "
        "file, or print the inputs with the most similar vectors."
    )
    parser = _parser("embed", rule)
    parser.texts("inputs", "texts or image files")
    parser.option("output", str | None, None, "file of the (inputs, size) array of numpy that is written, as x.npy")
    rule = "number of inputs with the most similar vectors to print of each input, by the cosine of their angle"
    parser.option("nearest", int | None, None, rule)
    rule = "text file, or folder of images, among which --nearest looks; by default the other inputs"
    parser.option("among", str | None, None, rule)
    parser.flag("json", "print a line of JSON for each input")
    return parser


def cells() -> CommandParser:
    """Return the options of `seqgen cells`."""
    rule = (
        "Print what the cells of a generator follow in a text, such as quotes, brackets or the position in the line, "
        "and write a page of the text coloured by any cell, to be opened in a browser."
    )
    parser = _parser("cells", rule)
    rule = "text file or folder; by default the end of the model's own data, or else what the model writes itself"
    parser.option("text", str | None, None, rule)
    parser.option("encoding", str | None, None, ENCODING)
    parser.option("output", str | None, None, "file of the page; by default cells.html in the run directory, else here")
    rule = "what to do with characters or words unseen in training; by default error with --text, else replace"
    parser.option("unseen", Unseen | None, None, rule)
    parser.flag("json", "print a line of JSON for each property")
    return parser


def info() -> CommandParser:
    """Return the options of `seqgen info`."""
    parser = CommandParser("info", "Show what a model is, how good it is, how it was made, and how to use it.")
    parser.flag("json", "print one JSON object")
    return parser


def export() -> CommandParser:
    """Return the options of `seqgen export`."""
    rule = (
        "Write a model as ONNX graphs with all that is needed to use it without torch; each graph is compared with the "
        "model, and where one differs, nothing is written."
    )
    parser = CommandParser("export", rule)
    parser.parser.add_argument("output", help="new or empty folder, or an earlier export, which is replaced")
    parser.flag("int8", "weights as integers of 8 bits: a quarter of the size and faster, but not quite the same")
    parser.flag("web", "write a page for any web server, in which a generator writes on the visitor's own machine")
    rule = "folder of the npm package that runs the page; by default in node_modules here or above, or in NODE_PATH"
    parser.option("onnxruntime_web", str | None, None, rule)
    return parser


def serve() -> CommandParser:
    """Return the options of `seqgen serve`."""
    parser = _parser("serve", "Serve models in the browser, and over HTTP to programs, until Ctrl-C.")
    parser.words("runs", "further models, each with a tab of its own")
    parser.option("host", str, "127.0.0.1", "address to listen at; by default, only programs on this machine reach it")
    parser.option("port", int, 8000, "port to listen at; 0 for a free one")
    rule = "name, or names with commas between, by which browsers on other machines know this one"
    parser.option("allowed_host", str | None, None, rule)
    return parser


def _parser(name: str, description: str) -> CommandParser:
    parser = CommandParser(name, description)
    parser.option("device", str, "cpu", "auto, cpu, cuda, cuda:1, mps and so on")
    return parser


def _search_options(parser: CommandParser, text: str, given: str) -> None:
    parser.option("nbest", int | None, None, f"number of {text}s of each {given}, best first")
    parser.flag("scores", f"print the score and a tab before each {text}")
    parser.flag("json", f"print a line of JSON for each {given}")
    parser.option(
        "attention", str | None, None, f"picture file for the attention; from the second {given} on, numbered"
    )
    rule = f"number of {text}s to sample of each {given}, of which the most typical one is taken; 0 for none"
    parser.option("minimum_bayes_risk", int, 0, rule)
    parser.generation_options()


def _labelled_options(parser: CommandParser) -> None:
    parser.option("source", str | None, None, "with --target, a file of sentences to translate")
    parser.option("target", str | None, None, "with --source, the file of their translations")
    _columns(parser)


def _columns(parser: CommandParser) -> None:
    parser.option(
        "label_column", str | None, None, "name or number of the column with the label; by default as in training"
    )
    parser.option(
        "text_column", str | None, None, "name or number of the column with the text; by default as in training"
    )
    parser.option(
        "source_column",
        str | None,
        None,
        "the column with the sentences; by default as in training",
    )
    parser.option(
        "target_column",
        str | None,
        None,
        "the column with their translations; by default as in training",
    )
    parser.option("column", str | None, None, "name or number of the column with the tags; by default as in training")
    parser.option("encoding", str | None, None, ENCODING)
    parser.option("captions", str | None, None, "file of the captions of the images in a folder")


PARSERS: dict[str, Callable[[], CommandParser]] = {
    command.__name__: command
    for command in (generate, classify, tag, caption, translate, evaluate, score, embed, cells, info, export, serve)
}
