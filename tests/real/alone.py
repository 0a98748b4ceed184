"""One process at a time: tests run in several, and share what is fetched and a Kafka that is not theirs."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache"
MACHINE = Path("/run")
"""For what the checkouts of a machine share; its administrator's alone."""


@contextmanager
def alone(name: str, folder: Path = CACHE) -> Iterator[None]:
    """Wait until no other process is in here under this name; the system lets go of it where a process dies."""
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
