"""The composition of what tells the processes of a cluster of each other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.bus.kafka.signs import SignsOfLife
from engine.kafka.connection import Connection
from engine.web.processes import Itself, ProcessBoard


@asynccontextmanager
async def known_to_others(
    connection: Connection, itself: Itself, board: ProcessBoard | None = None
) -> AsyncIterator[None]:
    """While this runs, the others of the cluster are told of this process, and `board` of them where it is given."""
    hear = None
    if board is not None:
        board.itself, hear = itself, board.hear
    signs = SignsOfLife(connection, itself.id, itself.encoded, hear)
    signs.start()
    try:
        yield
    finally:
        await signs.stop()
