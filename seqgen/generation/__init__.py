"""Generation: what to choose among the next tokens, and how. It knows decoders by their protocol only."""
