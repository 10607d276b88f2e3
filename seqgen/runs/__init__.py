"""The parts of a recipe around its loop: options, run directory, processes, checkpoints, training, results."""
