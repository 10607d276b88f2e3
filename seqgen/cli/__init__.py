"""The command `seqgen`: what a saved model does, from the shell."""
