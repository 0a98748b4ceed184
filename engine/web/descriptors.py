"""File descriptors: as many as the system gives, some kept back for the log, and one line where none is left."""

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
"""For the files of the log and its tables, and for what else the process opens."""
QUIET_SECONDS = 10.0
LOOK_SECONDS = 2.0
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE})

log = logging.getLogger("stockline")


def room_for_connections() -> int:
    """Raise the limit as far as the system lets us; how many connections may then be open at once."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(FEWEST_CONNECTIONS, min(MAX_CONNECTIONS, limit - RESERVED))


class Complaints:
    """What an event loop does with an exception that nobody awaits: `loop.set_exception_handler` takes it.

    asyncio complains a hundred times a second while no connection can be accepted for want of descriptors, and clients
    that cannot connect for want of them try again and say nothing. Both are said once in `QUIET_SECONDS`. Everything
    else is left to the loop.
    """

    def __init__(self) -> None:
        self._quiet_until = 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Say it, or leave it to the loop."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in EXHAUSTED:
            self._say()
        else:
            loop.default_exception_handler(context)

    async def watch(self) -> None:
        """Look every few seconds whether there is a descriptor to be had; ends only by being cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                os.close(os.open(os.devnull, os.O_RDONLY))
            except OSError as error:
                if error.errno in EXHAUSTED:
                    self._say()

    def _say(self) -> None:
        if (now := time.monotonic()) >= self._quiet_until:
            self._quiet_until = now + QUIET_SECONDS
            limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            log.error(
                "all %d file descriptors are in use, so that new connections and files wait until others end: "
                "raise LimitNOFILE of the service (or `ulimit -Hn` before the start), or have fewer clients",
                limit,
            )
