"""Data: reading, checking, storing and splitting texts and images."""
