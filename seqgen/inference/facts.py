"""Facts about a model as text, for `seqgen info` and the model card."""

from typing import Any

SHOWN = 12  # maximum number of names that are shown of many


def fact_text(fact: Any) -> str:
    """Return a number, a text or a list of them as people read it."""
    if isinstance(fact, list):
        more = f", ... ({len(fact)} in all)" if len(fact) > SHOWN else ""
        return ", ".join(map(fact_text, fact[:SHOWN])) + more
    if isinstance(fact, float):
        return f"{fact:,.0f}" if abs(fact) >= 10_000 else f"{fact:.4g}"
    return f"{fact:,}" if isinstance(fact, int) and not isinstance(fact, bool) else str(fact)
