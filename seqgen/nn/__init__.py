"""Neural network parts. Modules take modules or plain numbers, and keep no state between calls."""
