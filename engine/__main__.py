"""`python -m engine` is `stockline`."""

from engine.cli import main

main()
