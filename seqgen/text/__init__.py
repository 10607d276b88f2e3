"""Tokenizers: text to numbers and back. Each kind is loaded when it is asked for, and nltk only then."""
