"""The sets that can be named: made on the spot, from the Python library, or downloaded once."""
