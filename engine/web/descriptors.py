"""File descriptors: the limit of connections that follows from theirs, and one log line where none is left."""

import asyncio
import errno
import logging
import os
import resource
import time
from contextlib import suppress
from typing import Any

MAX_CONNECTIONS = 1000
FEWEST_CONNECTIONS = 16
RESERVED = 640
"""Descriptors that are kept for the files of the log and the tables, and for whatever else the process opens."""
QUIET_SECONDS = 10.0
LOOK_SECONDS = 2.0
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE})

log = logging.getLogger("stockline")


def room_for_connections() -> int:
    """Raises the limit of descriptors as far as the system allows, and returns how many connections may be open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(FEWEST_CONNECTIONS, min(MAX_CONNECTIONS, limit - RESERVED))


class Complaints:
    """An exception handler of the event loop, which logs at most every `QUIET_SECONDS` that descriptors ran out.

    While no connection can be accepted for lack of descriptors, asyncio reports it a hundred times a second. While a
    file or an outgoing connection cannot be opened, nobody may report it at all. All other exceptions are left to the
    loop.
    """

    def __init__(self) -> None:
        self._quiet_until = 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log the lack of descriptors, or leave the exception to the loop."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in EXHAUSTED:
            self._log_exhausted()
        else:
            loop.default_exception_handler(context)

    async def watch(self) -> None:
        """Try every few seconds whether a descriptor is free; runs until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                os.close(os.open(os.devnull, os.O_RDONLY))
            except OSError as error:
                if error.errno in EXHAUSTED:
                    self._log_exhausted()

    def _log_exhausted(self) -> None:
        if (now := time.monotonic()) >= self._quiet_until:
            self._quiet_until = now + QUIET_SECONDS
            limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            log.error(
                "all %d file descriptors are in use, so that new connections and files wait until others end: "
                "raise LimitNOFILE of the service (or `ulimit -Hn` before the start), or have fewer clients",
                limit,
            )
