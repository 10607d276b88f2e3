"""The data sets that `--data` can name: generated, from Python's library, or downloaded once."""
