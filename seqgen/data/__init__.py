"""Data: where text comes from, how it is kept as numbers, and the batches made of it."""
