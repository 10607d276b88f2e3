"""The adaptation of a generator to the text that it is evaluated on, and mixtures of models."""
