"""How a generator adapts to the text that it is evaluated on, and what is mixed with it."""
