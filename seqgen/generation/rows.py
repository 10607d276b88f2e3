"""The rows of a batch of texts to generate: their random seeds, and the memory that they take."""

import secrets

import numpy as np

from seqgen.errors import counted
from seqgen.generation.config import GenerationConfig
from seqgen.hardware.memory import FLOAT, require_memory

ROW = 4096  # bytes that a text takes at least while it is sampled, for its random numbers and more


def require_room(config: GenerationConfig, vocab_size: int) -> None:
    """Raise an InputError where the texts of one prompt, or the beams, and their logits would not fit the memory."""
    rows = max(config.num_beams, config.num_return_sequences)
    needed = rows * (ROW + FLOAT * vocab_size + config.max_new_tokens)
    require_memory(needed, f"{counted(rows, 'text')} of up to {config.max_new_tokens:,} tokens")


def row_seed(config: GenerationConfig, place: int) -> int:
    """Return the random seed of a text, which depends on its place among those of its prompt, not on other prompts."""
    if config.seed is None:
        return secrets.randbits(63)
    return int(np.random.SeedSequence([config.seed, place]).generate_state(1, np.uint64)[0] >> np.uint64(1))
