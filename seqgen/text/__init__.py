"""Tokenizers: text to token numbers and back. Each kind is imported when it is first used."""
