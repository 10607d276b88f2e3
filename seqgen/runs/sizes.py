"""The sizes of each recipe: its options but for medium, which has the defaults, and when a size is worth its time.

How the numbers of updates were found is in `recipes/benchmarks/README.md`.
"""

from typing import Any, Literal, NamedTuple, get_args

Size = Literal["tiny", "small", "medium", "large"]
SIZES: tuple[Size, ...] = get_args(Size)


class SizeOptions(NamedTuple):
    """The options of a size that differ from the defaults, and the updates from which on it is worth its time."""

    updates: int
    options: dict[str, Any] = {}  # noqa: RUF012  (a tuple is not changed)


Sizes = dict[Size, SizeOptions]

GENERATOR: Sizes = {
    "tiny": SizeOptions(0, {"hidden_size": 128, "embedding_size": 32, "batch_size": 16}),
    "small": SizeOptions(350, {"hidden_size": 256, "batch_size": 32}),
    "medium": SizeOptions(900),
    "large": SizeOptions(5000, {"hidden_size": 768, "embedding_size": 128}),
}
WORD_GENERATOR: Sizes = {  # of large vocabularies
    "tiny": SizeOptions(0, {"hidden_size": 128, "embedding_size": 96, "tie_embeddings": True, "batch_size": 16}),
    "small": SizeOptions(350, {"hidden_size": 256, "embedding_size": 160, "tie_embeddings": True}),
    "medium": SizeOptions(900, {"hidden_size": 512, "embedding_size": 256, "tie_embeddings": True}),
    "large": SizeOptions(8000, {"hidden_size": 768, "embedding_size": 384, "tie_embeddings": True}),
}
TEXT_CLASSIFIER: Sizes = {
    "tiny": SizeOptions(0, {"hidden_size": 48, "embedding_size": 64, "batch_tokens": 1250}),
    "small": SizeOptions(1500, {"hidden_size": 96, "embedding_size": 96}),
    "medium": SizeOptions(3000),
    "large": SizeOptions(10000, {"hidden_size": 256, "embedding_size": 192, "batch_tokens": 5000}),
}
IMAGE_CLASSIFIER: Sizes = {
    "tiny": SizeOptions(0, {"width": 8, "batch_size": 32}),
    "small": SizeOptions(600, {"width": 12, "batch_size": 48}),
    "medium": SizeOptions(1200),
    "large": SizeOptions(6000, {"width": 32}),
}
TAGGER: Sizes = {
    "tiny": SizeOptions(0, {"hidden_size": 64, "embedding_size": 64, "spelling_size": 32, "batch_tokens": 1000}),
    "small": SizeOptions(300, {"hidden_size": 128, "embedding_size": 96, "batch_tokens": 2000}),
    "medium": SizeOptions(1000),
    "large": SizeOptions(4000, {"hidden_size": 384, "embedding_size": 192}),
}
TRANSLATOR: Sizes = {
    "tiny": SizeOptions(
        0,
        {"hidden_size": 128, "layers": 1, "embedding_size": 128, "dropout": 0.1}
        | {"vocab_size": 1500, "batch_tokens": 1000},
    ),
    "small": SizeOptions(
        450,
        {"hidden_size": 256, "layers": 1, "embedding_size": 192, "dropout": 0.1}
        | {"vocab_size": 3000, "batch_tokens": 1000},
    ),
    "medium": SizeOptions(8000),
    "large": SizeOptions(
        30000,
        {"hidden_size": 512, "embedding_size": 384, "dropout": 0.3} | {"vocab_size": 8000, "batch_tokens": 3000},
    ),
}
CAPTIONER: Sizes = {
    "tiny": SizeOptions(
        0, {"memory_size": 128, "hidden_size": 128, "layers": 1, "embedding_size": 96, "batch_tokens": 1000}
    ),
    "small": SizeOptions(
        600, {"memory_size": 256, "hidden_size": 256, "layers": 1, "embedding_size": 192, "batch_tokens": 1500}
    ),
    "medium": SizeOptions(5000),
    "large": SizeOptions(20000, {"memory_size": 512, "hidden_size": 512, "embedding_size": 384}),
}
CONDITIONAL_GENERATOR: Sizes = {
    "tiny": SizeOptions(0, {"hidden_size": 96, "layers": 1, "embedding_size": 32, "batch_tokens": 1000}),
    "small": SizeOptions(250, {"hidden_size": 192, "layers": 1, "batch_tokens": 1500}),
    "medium": SizeOptions(400),
    "large": SizeOptions(5000, {"hidden_size": 384, "embedding_size": 96}),
}
