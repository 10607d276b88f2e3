"""Saved models in use: loaded from plain data, each with the methods of its task."""
