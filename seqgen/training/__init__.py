"""Training: the loop as a generator, losses, optimizers, schedules, moving averages of weights."""
