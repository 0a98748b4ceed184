"""Ending a task for sure."""

import asyncio
from typing import Any

AGAIN_SECONDS = 6.0
"""Longer than the orderly end of a client may take, which a second cancellation would cut short."""


async def end(task: "asyncio.Task[Any]") -> None:
    """Cancel `task` until it has ended; its outcome is dropped.

    Once is not enough: `asyncio.wait_for` loses a cancellation that comes at the moment at which what it waits for is
    done (Python 3.11), and clients of others may catch one.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_SECONDS)
    if not task.cancelled():
        task.exception()
