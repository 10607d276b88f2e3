"""The parts of `seqgen doctor`: the machine, what is fastest on it, and whether the installation is sound."""
