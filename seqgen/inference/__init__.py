"""A saved model in use: loaded as plain data, and asked in the words of its task."""
