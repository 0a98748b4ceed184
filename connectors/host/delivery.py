"""One round of a source or a sink: its batches go to the engine, and its position moves behind what is durable."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from dataclasses import dataclass

from connectors.base import JsonObject
from connectors.client import EngineClient
from connectors.host.health import Health
from connectors.host.refused import event_of
from connectors.host.state import ConnectorState
from connectors.ports import Batch
from engine.core.errors import EnvironmentFailure

MOST_BEHIND = 20_000
"""With more events accepted than applied the engine is behind, and a connector waits."""
LOOK_SECONDS = 5.0

Batches = Callable[[JsonObject | None], AsyncIterator[Batch]]


class LogReplaced(EnvironmentFailure):
    """The engine's log became another one in the middle of a round: the next round begins in the new one."""


@dataclass(frozen=True)
class Delivery:
    """Carries the rounds of one connector to its engine."""

    engine: EngineClient
    state: ConnectorState
    health: Health
    stop: asyncio.Event

    async def round(self, part: str, batches: Batches) -> str | None:
        """Deliver what a part has since its position, until it has no more or the host is asked to stop.

        1. Ask which log the engine has, and take the position that is valid for it.
        2. Wait while the engine is behind; only then is the next batch asked for.
        3. Post the batch. Its events are durable on return, so a crash from here on repeats it.
        4. See that the log is still the same, so that the position and what it stands for are in one log.
        5. Keep the position. A crash from here on repeats nothing.

        Returns why the round began anew although a position was kept, else None.
        """
        health = self.health.part(part)
        health.began()
        found = await self.engine.sync(0)
        log = found.get("log")
        kept = await asyncio.to_thread(self.state.kept, part, log)
        await self._wait_while_behind(found)
        stream = batches(kept.position)
        try:
            await self._deliver_all(part, stream, log)
        finally:
            # A generator that is left in the middle ends here, and not whenever it is collected.
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
        health.succeeded()
        return kept.anew

    async def _deliver_all(self, part: str, stream: AsyncIterator[Batch], log: str | None) -> None:
        async for batch in stream:
            found = await self._deliver(part, batch, log)
            self.health.part(part).succeeded()
            if self.stop.is_set():
                return
            await self._wait_while_behind(found)

    async def _deliver(self, part: str, batch: Batch, log: str | None) -> JsonObject:
        profile = self.health.profile
        letters = [
            event_of(each, profile.name, profile.event_source, part.partition(" ")[2]) for each in batch.untranslated
        ]
        answer = await self.engine.post_events(batch.events)
        # They go by themselves, so that the counts of events are those of the other system.
        await self.engine.post_events(letters)
        found = await self.engine.sync(0)
        if found.get("log") != log:
            raise LogReplaced("the engine's log became another one in the middle of a round")
        if batch.answered is not None:
            batch.answered(answer)
        if batch.position is not None:
            await _to_its_end(asyncio.to_thread(self.state.keep, part, log, batch.position))
        self.health.part(part).posted(batch, answer)
        return found

    async def _wait_while_behind(self, found: JsonObject) -> None:
        """Wait while the engine has more to apply than `MOST_BEHIND` events."""
        while found["lag"] > MOST_BEHIND and not self.stop.is_set():
            self.health.waiting = f"the engine is {found['lag']} events behind"
            found = await self.engine.sync(LOOK_SECONDS)
        self.health.waiting = None


async def _to_its_end(writing: Coroutine[None, None, None]) -> None:
    """Wait for what a thread writes, also when cancelled: the lock may not be given up while it still writes."""
    written = asyncio.ensure_future(writing)
    try:
        await asyncio.shield(written)
    except asyncio.CancelledError:
        await asyncio.wait([written])
        raise
