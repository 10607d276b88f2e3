"""The machine, and what is fastest on it: decided by measurement, once."""
