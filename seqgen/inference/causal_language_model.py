"""A causal language model in Hugging Face's format, such as GPT-2; only this file imports transformers."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from seqgen.errors import InputError
from seqgen.files import read_json, read_text
from seqgen.inference.saved import first_line, read_header, read_part
from seqgen.settings import unaffected

CONTEXT = 1024  # tokens at most, as many as GPT-2 has
MOST_CONFIG = 1 << 24  # bytes of config.json
MOST_MODULES = 10_000  # layers, or experts, of a model
MOST_BUFFERED = 1 << 30  # numbers that a model computes from its config and keeps, such as masks
MODULES = re.compile(r"(layer|block|expert)s?$")  # the ends of the names by which a config counts modules
INDEX = "model.safetensors.index.json"


def is_causal_language_model(place: str) -> bool:
    """Return whether a folder has a model in Hugging Face's format."""
    path = Path(place) / "config.json"
    try:
        config = read_json(read_text(path)) if path.is_file() and path.stat().st_size <= MOST_CONFIG else None
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and "model_type" in config


class CausalLanguageModel:
    """A causal language model with its own tokenizer, read from plain data in a folder, never from the network.

    Args:
        model: of the class that transformers has for it.
        tokenizer: its own.

    Raises:
        InputError: the model has no context, or what it says of a token depends on those after it.
    """

    def __init__(self, model: Any, tokenizer: Any):
        self.model, self.tokenizer = model.eval(), tokenizer
        text = model.config.get_text_config()
        self.vocab_size: int = text.vocab_size
        self.context = min(getattr(text, "max_position_embeddings", None) or CONTEXT, CONTEXT)
        if self.context < 2:
            raise InputError(f"a causal language model must have a context of at least 2 tokens, not {self.context}")
        self._require_causal()

    @classmethod
    def from_directory(cls, directory: str) -> Self:
        """Return the model of a folder with config.json, a tokenizer and weights as safetensors.

        Raises:
            InputError: transformers is not installed, or the folder has no such model.
        """
        folder = Path(directory)
        strange = [path.name for path in folder.glob("*") if not (path.is_file() or path.is_dir())]
        if strange:
            raise InputError(f"{directory} must hold regular files, but {', '.join(strange[:5])} cannot be read as one")
        files = _weights_files(folder)
        try:
            import transformers
        except ModuleNotFoundError as error:
            raise InputError(
                f'{directory} needs {error.name}, which is not installed: pip install "seqgen[transformers]"'
            ) from None
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        plain: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        noun = "causal language model"
        try:
            config = transformers.AutoConfig.from_pretrained(directory, **plain)
            model = _load(config, files)
            noun = "tokenizer"
            tokenizer = transformers.AutoTokenizer.from_pretrained(directory, **plain)
        except InputError:
            raise
        except Exception as error:  # transformers passes on all errors of its many formats
            raise InputError(
                f"{directory} must hold a {noun} that transformers can read: {first_line(error)}"
            ) from None
        if not set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens):
            raise InputError(f"{directory} must hold a tokenizer with its vocabulary, but it has none")
        return cls(model, tokenizer)

    def to(self, device: torch.device) -> Self:
        """Move the model to a device."""
        self.model.to(device)
        return self

    @unaffected
    def score(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the (tokens,) numbers of a text, and their log-probabilities in nats.

        A window slides over the text, by half of the context (at most 1,024 tokens) at a time, so that each token, but
        for those of the first window, has at least half of the context before it. The first token comes after the one
        that begins texts; where the tokenizer has none, its probability is 1 over the vocabulary.

        Raises:
            InputError: the text has no tokens or some that the model does not know, or its loss is not finite.
        """
        tokens = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        if not tokens:
            raise InputError("a text to evaluate must have at least one token, but it is empty")
        begins = [one for one in (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id) if one is not None][:1]
        if (largest := max([*begins, *tokens])) >= self.vocab_size:
            raise InputError(
                f"the tokenizer must number tokens below the model's vocabulary of {self.vocab_size:,}, but one is "
                f"{largest:,}"
            )
        numbers, context = torch.tensor([*begins, *tokens], device=self.model.device), self.context
        logs, end = [], 1
        while end < len(numbers):
            begin, scored = max(0, end - context // 2), end
            end = min(begin + context, len(numbers))
            logs.append(self._window(numbers[begin:end])[scored - begin - 1 :])
        of_all = np.concatenate([np.empty(0), *logs])
        if not begins:
            of_all = np.concatenate([[-np.log(self.vocab_size)], of_all])
        if not np.isfinite(of_all).all():
            raise InputError("a causal language model must have finite log-probabilities, but some are not")
        return np.asarray(tokens, np.int64), of_all

    @torch.inference_mode()
    def _window(self, numbers: torch.Tensor) -> np.ndarray:
        """Return the log-probabilities of all tokens of a window but the first."""
        logits = self.model(numbers[None], use_cache=False).logits[0, :-1].float()
        logs = logits.log_softmax(dim=1).gather(1, numbers[1:, None])[:, 0]
        found: np.ndarray = logs.double().cpu().numpy()
        return found

    @torch.inference_mode()
    def _require_causal(self) -> None:
        """Raise an InputError where the logits of a prefix change with what comes after it."""
        length = min(self.context, 8)
        numbers = torch.arange(2 * length).view(2, length) % self.vocab_size
        numbers[1, : length // 2] = numbers[0, : length // 2]  # different continuations of the same tokens
        try:
            logits = self.model(numbers, use_cache=False).logits.float()
        except Exception as error:  # what a config says of the arithmetic may be anything
            raise InputError(f"a causal language model must read tokens, not fail: {first_line(error)}") from None
        if not logits.isfinite().all():
            raise InputError("a causal language model must have finite logits, but some are not")
        one, other = logits[:, : length // 2]
        if (one - other).abs().max() > 1e-5 * logits.abs().max():
            raise InputError(
                "a causal language model must predict each token from those before it alone, but this one reads those "
                "after it, too, as encoders such as BERT do"
            )


def _weights_files(folder: Path) -> list[Path]:
    """Return the files of safetensors that have a model's weights: one, or those that an index names.

    Raises:
        InputError: there is none, or an index names something else.
    """
    names = ["model.safetensors"]
    if not (folder / names[0]).exists() and (folder / INDEX).exists():
        named = read_part(folder, INDEX).get("weight_map")
        names = sorted({str(name) for name in named.values()}) if isinstance(named, dict) else []
    plain = [name for name in names if Path(name).name == name and name.endswith(".safetensors")]
    if not names or plain != names or not all((folder / name).is_file() for name in names):
        raise InputError(
            f"{folder} must hold the model's weights as safetensors, which are plain data, in model.safetensors or the "
            f"files of the folder that {INDEX} names, but it does not"
        )
    return [folder / name for name in names]


def _load(config: Any, files: list[Path]) -> Any:
    """Return the model of a config with the weights of these files, which must be all that it has.

    Raises:
        InputError: config and weights do not match.
    """
    import transformers
    from safetensors.torch import load_file

    path = files[0].parent / "config.json"
    for name, number in _counts(config.to_dict()):
        if number > MOST_MODULES:
            raise InputError(f"{path}: {name} must be at most {MOST_MODULES:,}, not {number:,}")
    held = sum(math.prod(one.shape) for file in files for one in read_header(file).values())
    how: dict[str, Any] = {"attn_implementation": "eager", "dtype": torch.float32}  # no kernel that a config names
    with torch.device("meta"):
        shape = transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=False, **how)
    wanted, buffered = (sum(one.numel() for one in each) for each in (shape.parameters(), shape.buffers()))
    if wanted > held or buffered > MOST_BUFFERED:
        raise InputError(f"the weights must be all {wanted:,} numbers of {path}, but there are {held:,}")
    weights = {name: tensor for file in files for name, tensor in load_file(file).items()}
    model, found = type(shape).from_pretrained(
        None, config=config, state_dict=weights, output_loading_info=True, local_files_only=True, **how
    )
    missing, unexpected = (sorted(found[f"{kind}_keys"])[:3] for kind in ("missing", "unexpected"))
    if missing or unexpected:
        wrong = f"lack {', '.join(missing)}" if missing else f"also have {', '.join(unexpected)}"
        raise InputError(f"the weights must be those of {path}, but they {wrong}")
    return model


def _counts(values: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the numbers of modules that a config asks for, with their names."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _counts(value)
        elif isinstance(value, int) and MODULES.search(str(name)):
            yield name, value
