"""`python -m idp.cli`: the same as `idp`, wherever the project lies."""

from idp.cli.entry import main

main()
