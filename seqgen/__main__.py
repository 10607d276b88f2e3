"""`python -m seqgen` is the command `seqgen`."""

from seqgen.cli.main import main

main()
