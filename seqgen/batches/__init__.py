"""Batches as functions of their number: windows of text, documents, and examples of similar length."""
