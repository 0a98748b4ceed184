"""Keeps in the data directory which sessions of browsers were ended before their time, so that a restart knows them.

A session is a signed cookie, which a process that starts with the same secret takes by itself. What is kept is a file
of JSON objects, one a line. A session is forgotten once it would have ended by itself.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from engine.access.sessions import Ended
from engine.access.tokens import replace_file
from engine.bus.snapshot_file import sync
from engine.core.errors import EnvironmentFailure

NAME = "logouts"
"""The file in the data directory."""
SPARE_LINES = 1000
"""So many sessions, and as many as were kept then, are added before the file is written anew without what is over."""

log = logging.getLogger("stockline")


class LogoutFile:
    """The sessions that were ended, in a file that only its owner reads."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        self._turn = asyncio.Lock()
        self._room = 0

    def open(self) -> list[Ended]:
        """What is kept and not over by itself; the file has nothing else then. Raises EnvironmentFailure."""
        try:
            return self._written_anew()
        except OSError as error:
            raise EnvironmentFailure(f"cannot keep who logged out in {self._path}: {error.strerror}") from None

    async def tell(self, session: str, until: float) -> None:
        """Keep a session that was ended; returns once that is durable, or has failed, which the log says."""
        async with self._turn:
            try:
                await asyncio.to_thread(self._add, Ended(session, until))
            except OSError as error:
                log.error("a restart will not know of a logout: %s: %s", self._path, error.strerror)

    def _add(self, ended: Ended) -> None:
        # A line begins with its end, so that one which was written in part spoils none that follows.
        with self._path.open("ab") as file:
            file.write(b"\n%b\n" % msgspec.json.encode(ended))
            file.flush()
            os.fsync(file.fileno())
        self._room -= 1
        if self._room < 0:
            self._written_anew()

    def _written_anew(self) -> list[Ended]:
        now = self._clock()
        kept = [ended for ended in self._read() if ended.until > now]
        replace_file(self._path, b"".join(msgspec.json.encode(ended) + b"\n" for ended in kept))
        sync(self._path.parent)
        self._room = SPARE_LINES + len(kept)
        return kept

    def _read(self) -> Iterator[Ended]:
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        for number, line in enumerate(lines, 1):
            try:
                if line:
                    yield msgspec.json.decode(line, type=Ended)
            except msgspec.DecodeError:
                log.warning("line %d of %s was written in part and is passed over", number, self._path)
