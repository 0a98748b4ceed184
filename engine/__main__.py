"""`python -m engine` is `stockline`."""

from engine.start import main

main()
