"""What `seqgen doctor` shows: the machine, what is fastest on it, and whether the installation is sound."""
