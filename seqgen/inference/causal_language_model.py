"""A causal language model in Hugging Face's format, such as GPT-2; only this file imports transformers."""

import json
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from seqgen.errors import InputError
from seqgen.inference.saved import first_line
from seqgen.settings import unaffected

CONTEXT = 1024  # tokens at most, as many as GPT-2 has


def is_causal_language_model(place: str) -> bool:
    """Return whether a folder has a model in Hugging Face's format."""
    try:
        config = json.loads((Path(place) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and "model_type" in config


class CausalLanguageModel:
    """A causal language model with its own tokenizer, read from plain data in a folder, never from the network.

    Args:
        model: of the class that transformers has for it.
        tokenizer: its own.
    """

    def __init__(self, model: Any, tokenizer: Any):
        self.model, self.tokenizer = model.eval(), tokenizer

    @classmethod
    def from_directory(cls, directory: str) -> Self:
        """Return the model of a folder with config.json, a tokenizer and weights as safetensors.

        Raises:
            InputError: transformers is not installed, or the folder has no such model.
        """
        if not list(Path(directory).glob("*.safetensors")):
            raise InputError(
                f"{directory} must hold the model's weights as safetensors, which are plain data, but has none"
            )
        try:
            import transformers
        except ModuleNotFoundError as error:
            raise InputError(
                f'{directory} needs {error.name}, which is not installed: pip install "seqgen[transformers]"'
            ) from None
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        plain: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(directory, **plain)
            kind = transformers.AutoModelForCausalLM
            model = kind.from_pretrained(directory, use_safetensors=True, dtype=torch.float32, **plain)
        except Exception as error:  # transformers passes on all errors of its many formats
            raise InputError(
                f"{directory} must hold a causal language model that transformers can read: {first_line(error)}"
            ) from None
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
            InputError: the text has no tokens.
        """
        tokens = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        if not tokens:
            raise InputError("a text to evaluate must have at least one token, but it is empty")
        begins = [one for one in (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id) if one is not None][:1]
        numbers = torch.tensor([*begins, *tokens], device=self.model.device)
        context = min(getattr(self.model.config, "max_position_embeddings", None) or CONTEXT, CONTEXT)
        logs, end = [], 1
        while end < len(numbers):
            begin, scored = max(0, end - context // 2), end
            end = min(begin + context, len(numbers))
            logs.append(self._window(numbers[begin:end])[scored - begin - 1 :])
        of_all = np.concatenate([np.empty(0), *logs])
        if not begins:
            of_all = np.concatenate([[-np.log(self.model.config.vocab_size)], of_all])
        return np.asarray(tokens, np.int64), of_all

    @torch.inference_mode()
    def _window(self, numbers: torch.Tensor) -> np.ndarray:
        """Return the log-probabilities of all tokens of a window but the first."""
        logits = self.model(numbers[None], use_cache=False).logits[0, :-1].float()
        logs = logits.log_softmax(dim=1).gather(1, numbers[1:, None])[:, 0]
        found: np.ndarray = logs.double().cpu().numpy()
        return found
