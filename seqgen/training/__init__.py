"""Training: the loop as a generator, losses, optimizers, schedules, checkpoints, and the run directory."""
