"""`stockline` with the example connector in its catalogue: `python -m tests.connectors.command connectors run ...`."""

from connectors import catalogue
from engine.cli import main

catalogue.KINDS["listed"] = "tests.connectors.listed"

if __name__ == "__main__":
    main()
