"""`python -m mandant`: the command line, where the script is not on the path."""

from mandant.service.cli.main import main

main()
