"""Tokenizers: text to token numbers and back. Each kind is imported, and nltk with it, when it is first used."""
