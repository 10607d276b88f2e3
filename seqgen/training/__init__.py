"""Training: the loop as a generator, losses, optimizers, schedules, averages of weights."""
