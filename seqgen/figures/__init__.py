"""Figures: attention weights, a page of captions, confusion matrices, mistakes."""
