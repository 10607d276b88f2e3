"""The graphs of each kind of model: what calculates them, and the inputs that they are tried with."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from seqgen.errors import InputError
from seqgen.export.inputs import Axes, Input, lengths, mask, numbers, padded, places, whole_numbers
from seqgen.models import EncoderDecoder
from seqgen.nn.decoder import RecurrentDecoder
from seqgen.state import Memory, State

Tensors = dict[str, Tensor]


class Graph(NamedTuple):
    """A graph.

    Args:
        calculate: a module from the inputs by their names to the outputs by theirs.
        inputs: by their names.
    """

    calculate: nn.Module
    inputs: dict[str, Input]

    def draw(self, axes: Axes) -> Tensors:
        """Return random inputs whose axes have these lengths."""
        return {name: one.draw(axes) for name, one in self.inputs.items()}


class Answer(nn.Module):
    """The logits of a model with an encoder and a head."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, given: Tensors) -> Tensors:
        """Return the logits."""
        return {"logits": self.model(*given.values())}


class Encode(nn.Module):
    """The memory of an input, and the state that a decoder starts from."""

    def __init__(self, model: EncoderDecoder):
        super().__init__()
        self.model = model

    def forward(self, given: Tensors) -> Tensors:
        """Return the states and the mask of the memory, and the tensors of the state."""
        memory = self.model.encoder(*given.values())
        return {"states": memory.states, "mask": memory.mask} | _tensors(self.model.decoder.start(memory))


class Read(nn.Module):
    """The logits after each token of right-padded texts, and the state after the last real one."""

    def __init__(self, decoder: RecurrentDecoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, given: Tensors) -> Tensors:
        """Return the logits and the tensors of the state."""
        features, after = self.decoder.read_features(given["tokens"], given["lengths"], _state(given), _memory(given))
        return {"logits": self.decoder.output(features)} | _tensors(after, "next_")


class Step(nn.Module):
    """The logits after one more token, the state, and the attention weights where there is a memory."""

    def __init__(self, decoder: RecurrentDecoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, given: Tensors) -> Tensors:
        """Return the logits, the tensors of the state and the attention weights."""
        state, memory = _state(given), _memory(given)
        if memory is not None:
            state = state._replace(attended=torch.zeros_like(memory.states[:, :, 0]).unsqueeze(0))
        logits, after = self.decoder.step(given["tokens"], state, memory)
        weights = {} if after.attended is None else {"weights": after.attended.squeeze(0)}
        return {"logits": logits} | _tensors(after, "next_") | weights


def graphs_of(bundle: Any, model: nn.Module) -> dict[str, Graph]:
    """Return the graphs of a model by their names.

    Args:
        bundle: a saved model in use.
        model: its network, or one in its place.

    Raises:
        InputError: it has a decoder of one's own, or is a Markov chain.
    """
    found: dict[str, Graph] = KINDS[bundle.builder](bundle, model)
    return found


def state_shapes(decoder: RecurrentDecoder) -> dict[str, tuple[int | str, ...]]:
    """Return the shape of each tensor of a decoder's state, with "batch" for the number of rows."""
    layers = len(decoder.recurrent.layers) + (0 if decoder.above is None else len(decoder.above.layers))
    names = ["h", "c"] if decoder.recurrent.cell == "lstm" else ["h"]
    shapes: dict[str, tuple[int | str, ...]] = dict.fromkeys(names, (layers, "batch", decoder.recurrent.hidden_size))
    return shapes | ({"feed": (1, "batch", decoder.output.in_features)} if decoder.input_feeding else {})


def decoder_of(model: nn.Module) -> RecurrentDecoder:
    """Return the decoder of a model.

    Raises:
        InputError: it is another than `RecurrentDecoder`.
    """
    decoder = getattr(model, "decoder", model)
    if not isinstance(decoder, RecurrentDecoder):
        raise InputError(
            f"a model to export must have a RecurrentDecoder, as seqgen's builders make it, not a "
            f"{type(decoder).__name__}"
        )
    return decoder


def _generator(bundle: Any, model: nn.Module) -> dict[str, Graph]:
    return _decoding(decoder_of(model), {})


def _translator(bundle: Any, model: nn.Module) -> dict[str, Graph]:
    return _encoder_decoder(model, {"tokens": padded(bundle.source.vocab_size, "batch", "time")})


def _captioner(bundle: Any, model: nn.Module) -> dict[str, Graph]:
    size = bundle.preprocessing.size
    return _encoder_decoder(model, {"images": numbers("batch", 3, size, size)})


def _conditional_generator(bundle: Any, model: nn.Module) -> dict[str, Graph]:
    if bundle.categories:
        return _encoder_decoder(model, {"categories": whole_numbers(len(bundle.categories), "batch")})
    return _encoder_decoder(model, {"numbers": numbers("batch", len(bundle.mean))})


def _text_classifier(bundle: Any, model: nn.Module) -> dict[str, Graph]:
    return {"classify": Graph(Answer(model), {"tokens": padded(bundle.tokenizer.vocab_size, "batch", "time")})}


def _image_classifier(bundle: Any, model: nn.Module) -> dict[str, Graph]:
    size = bundle.preprocessing.size
    return {"classify": Graph(Answer(model), {"images": numbers("batch", 3, size, size)})}


def _tagger(bundle: Any, model: nn.Module) -> dict[str, Graph]:
    inputs = {"tokens": padded(len(bundle.vocabulary), "batch", "time")}
    if bundle.alphabet is not None:
        inputs["places"] = places("batch", "time")
        inputs["spellings"] = padded(len(bundle.alphabet), "words", "characters")
    return {"tag": Graph(Answer(model), inputs)}


KINDS: dict[str, Callable[[Any, nn.Module], dict[str, Graph]]] = {
    "generator": _generator,
    "text_classifier": _text_classifier,
    "image_classifier": _image_classifier,
    "tagger": _tagger,
    "translator": _translator,
    "captioner": _captioner,
    "conditional_generator": _conditional_generator,
}


def _encoder_decoder(model: Any, inputs: dict[str, Input]) -> dict[str, Graph]:
    decoder = decoder_of(model)
    memory = {"states": numbers("batch", "positions", model.encoder.output_size), "mask": mask("batch", "positions")}
    return {"encode": Graph(Encode(model), inputs)} | _decoding(decoder, memory)


def _decoding(decoder: RecurrentDecoder, memory: dict[str, Input]) -> dict[str, Graph]:
    vocab_size = decoder.output.out_features
    state = {name: numbers(*shape) for name, shape in state_shapes(decoder).items()}
    found = {"step": Graph(Step(decoder), {"tokens": whole_numbers(vocab_size, "batch"), **state, **memory})}
    if not decoder.input_feeding:
        read = {"tokens": whole_numbers(vocab_size, "batch", "time"), "lengths": lengths("batch")}
        found["read"] = Graph(Read(decoder), {**read, **state, **memory})
    return found


def _state(given: Tensors) -> State:
    return State(given["h"], given.get("c"), given.get("feed"))


def _memory(given: Tensors) -> Memory | None:
    if "states" not in given:
        return None
    states = given["states"]
    return Memory(states, given["mask"], states[:, 0])  # of which the summary is only for the start


def _tensors(state: State, prefix: str = "") -> Tensors:
    parts = {"h": state.h, "c": state.c, "feed": state.feed}
    return {f"{prefix}{name}": tensor for name, tensor in parts.items() if tensor is not None}
