"""Filling the columns at the start of a process, in the background, from what its bus holds."""

import threading
from collections.abc import Iterator
from itertools import islice

from engine.bus.single import Kept
from engine.columns.feed import FOLLOWED, Noted
from engine.core.errors import EnvironmentFailure, StocklineError
from engine.core.topics import OUTPUT_TOPICS

PORTION = 2_000
"""Things that are written in one go; between two portions other threads run."""
WAIT_SECONDS, MOST_PATIENT = 2.0, 3
"""So long a question waits for tables that are being filled, and so many questions: each of them holds a thread."""


class NotLoaded(StocklineError):
    """The columns are being filled, so that a list would not be whole; ask again later."""

    retry_after_seconds = 2


class Loading:
    """How far the tables are filled."""

    def __init__(self, bus: Kept) -> None:
        self._bus = bus
        self._done = threading.Event()
        self._read = 0
        self._patience = threading.BoundedSemaphore(MOST_PATIENT)
        self._error: Exception | None = None

    def portions(self) -> Iterator[Noted]:
        """Everything that the bus holds; positions first, because the others refer to them."""
        published, state = self._bus.published, self._bus.state
        for topic in OUTPUT_TOPICS:
            things = published.things(topic)
            while some := dict(islice(things, PORTION)):
                self._read += len(some)
                noted = Noted()
                noted.outputs[topic].update(some)
                yield noted
        for tag in FOLLOWED:
            rows = state.scan(bytes([tag]), bytes([tag + 1]))
            while portion := dict(islice(rows, PORTION)):
                noted = Noted()
                noted.changes.update(portion)
                yield noted

    def fail(self, error: Exception) -> None:
        """Note that the tables will not be filled, or not be kept up to date."""
        self._error = error
        self._done.set()

    def finish(self) -> None:
        """Note that the tables are filled."""
        self._done.set()

    def wait(self) -> None:
        """Return once the tables are filled; raises NotLoaded where that takes more than two seconds.

        Raises EnvironmentFailure where they cannot be filled.
        """
        if not self._done.is_set() and not self._waited():
            whole = sum(self._bus.published.count(topic) for topic in OUTPUT_TOPICS)
            raise NotLoaded(f"the lists are being made ready: {self._read} of {whole} things are read; ask again soon")
        if self._error is not None:
            raise EnvironmentFailure(f"the lists cannot be read: {self._error}") from self._error

    def _waited(self) -> bool:
        """Whether the tables are filled after some patience, if this question may have any."""
        if not self._patience.acquire(blocking=False):
            return False
        try:
            return self._done.wait(WAIT_SECONDS)
        finally:
            self._patience.release()
