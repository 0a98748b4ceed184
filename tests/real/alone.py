"""One process at a time: tests run in several, and share what is fetched and a Kafka that is not theirs."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache"


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Wait until no other process is in here under this name; the system lets go of it where a process dies."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
