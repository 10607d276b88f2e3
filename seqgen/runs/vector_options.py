"""The options that a file of word vectors determines (`--vectors`)."""

from math import inf
from typing import Any

from seqgen.data.vectors import vector_size
from seqgen.errors import InputError


def vector_options(asked: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """Return the options that a file of word vectors determines, where `--vectors` was given.

    Args:
        asked: the options that were given, also in a file, which may say no more than the defaults.
        usual: the defaults.

    Raises:
        InputError: the file has no vectors, or other options that were given contradict it.
    """
    place = asked.get("vectors")
    if not place:
        for name in ("freeze_vectors", "vector_deviation", "vector_words"):
            if asked.get(name, usual.get(name)) != usual.get(name):
                raise InputError(f"--{name} must be given with --vectors, not alone as {asked[name]}")
        return {}
    if asked.get("init_from"):
        raise InputError(f"--vectors must be left out with --init_from, whose model has embeddings, not {place}")
    if not 0 <= asked.get("freeze_vectors", 0) <= 1:
        raise InputError(f"--freeze_vectors must be from 0 to 1, not {asked['freeze_vectors']}")
    deviation = asked.get("vector_deviation")
    if deviation is not None and not 0 < deviation < inf:
        raise InputError(f"--vector_deviation must be above 0 and finite, not {deviation}")
    size = vector_size(place)
    if (given := asked.get("embedding_size", size)) != size:
        raise InputError(f"--embedding_size must be that of the vectors in {place}, {size}, not {given}")
    return {"embedding_size": size}
