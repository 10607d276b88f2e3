"""Generation: logits processors, sampling and beam search, for any decoder with the protocol's two methods."""
