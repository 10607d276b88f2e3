"""What a recipe needs around its loop: options, run directory, processes, checkpoints, reports, results."""
