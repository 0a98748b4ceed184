"""The sink on one machine: the changes come from the engine's lists and its live stream.

Each state is written once, because a state that is not later than the one in the table changes nothing; what was missed
while the connector was away is found by the lists.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

from connectors.base import JsonObject
from connectors.changes import TABLES, Change, Changes
from connectors.client import EngineClient
from connectors.database.lag import Held
from connectors.database.publisher import Publisher
from connectors.ports import Batch
from connectors.profiles import Unreachable

ROUND_SECONDS = 60.0
LOOK_SECONDS = 0.05


class StreamSink:
    """Follows the lists and the stream of an engine; a `ChangeReader`. It goes on between the rounds of the host."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._engine: EngineClient | None = None
        self._changes: Changes | None = None
        self._following: asyncio.Task[None] | None = None
        self._behind = Held()

    async def pass_on(self, engine: EngineClient, _position: JsonObject | None, /) -> AsyncIterator[Batch]:
        """Follow, if that has not begun, and wait until what the engine had is written: the database knows how far."""
        if self._changes is None:
            await self._publisher.prepare()
            self._engine = engine
            self._changes = Changes(engine, TABLES, self)
            self._following = asyncio.create_task(self._changes.follow(lambda: None))
        await self._in_step(self._changes)
        yield Batch(lag_seconds=self._behind.seconds(None if self._changes.in_step.is_set() else "the lists"))

    async def _in_step(self, changes: Changes) -> None:
        deadline = time.monotonic() + ROUND_SECONDS
        while not changes.in_step.is_set():
            if changes.trouble is not None:
                raise Unreachable(changes.trouble)
            if time.monotonic() > deadline:
                # A large engine takes longer than a round; its lists are being written.
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def begin(self, log_id: str | None) -> None:
        """A connection to the engine begins."""
        await self._publisher.begin(log_id)

    async def take(self, changes: Sequence[Change]) -> None:
        """Write changes; they are committed on return."""
        assert self._engine is not None
        await self._publisher.write(self._engine, changes)

    async def close(self) -> None:
        """Follow no more."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
