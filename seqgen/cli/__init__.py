"""The command `seqgen`: trains models and uses saved ones, from the shell."""
