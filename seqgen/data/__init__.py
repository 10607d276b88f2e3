"""Data: where text and images come from, how they are read, checked and split."""
