"""The life of one connector: it is opened, its sources and sinks have their rounds, and it is closed."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from random import Random

from connectors.base import Submission
from connectors.client import EngineClient, EngineUnreachable, Patience
from connectors.host.delivery import Batches, Delivery
from connectors.host.health import EXIT_USAGE, Health
from connectors.host.loading import Loaded
from connectors.host.names import opened_names
from connectors.host.reporting import reporting
from connectors.host.state import ConnectorState
from connectors.identifiers import Names
from connectors.ports import Batch, Connector, Tools
from connectors.profiles import IdentifierTable
from engine.core.errors import StocklineError, UsageError

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 300.0
PATIENCE = Patience(seconds=10, busy_seconds=30)
CONNECTION, IDENTIFIERS = "connection", "identifiers"
ASKED_TO_STOP = "it was asked to stop"

log = logging.getLogger(__name__)

_jitter = Random()

Part = tuple[str, Batches]
"""A source or a sink: its name in reports and positions, and what begins a round of it."""


def back_off(failures: int) -> float:
    """Seconds to wait after so many failures in a row: doubled each time up to a cap, with jitter of a half."""
    longest = min(FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 16), LONGEST_PAUSE_SECONDS)
    return longest * _jitter.uniform(0.5, 1.0)


class CountedLog:
    """The `EventSink` of a connector for events that cannot wait: posts them and counts them."""

    def __init__(self, engine: EngineClient, health: Health) -> None:
        self._engine = engine
        self._health = health

    async def log_id(self) -> str | None:
        """The id of the engine's log."""
        return await self._engine.log_id()

    async def post_events(self, events: Sequence[bytes]) -> Submission:
        """Append events; they are durable on return. Raises `EngineUnreachable`."""
        answer = await self._engine.post_events(events)
        self._health.part("direct").posted(Batch(events), answer)
        return answer


class RunningConnector:
    """A connector with its engine, its state and its health."""

    def __init__(self, loaded: Loaded, state: ConnectorState, stop: asyncio.Event) -> None:
        self._loaded = loaded
        self._state = state
        self._stop = stop
        self._engine = loaded.profile.client(PATIENCE)
        self.health = Health(loaded.profile)
        self._delivery = Delivery(self._engine, state, self.health, stop)

    async def live(self, once: bool) -> None:
        """Run until asked to stop, or for one round; a `UsageError` ends it, all else is tried again."""
        try:
            async with self._engine, reporting(self.health, self._engine):
                await self._live(once)
        except UsageError as error:
            # The token for the engine cannot be had, so nobody can be told either.
            self._stop_for(error)

    async def _live(self, once: bool) -> None:
        try:
            await self._open(once)
        except UsageError as error:
            self._stop_for(error)
        except asyncio.CancelledError:
            # The host waits so long and no longer for the batch under way; the connector is stopped all the same.
            self.health.stopped = ASKED_TO_STOP
            raise
        else:
            self.health.stopped = "its round is over" if once else ASKED_TO_STOP

    def _stop_for(self, error: UsageError) -> None:
        self.health.stopped = self.health.part(CONNECTION).failed(error, None)
        self.health.ended_with = EXIT_USAGE
        log.error("%s stops: %s", self.health.profile.name, self.health.stopped)

    async def _open(self, once: bool) -> None:
        """Open the connector, again and again if need be, and let its parts have their rounds while it is open."""
        opened, profile = self.health.part(CONNECTION), self._loaded.profile
        looked = self.health.part(IDENTIFIERS) if isinstance(profile.identifiers, IdentifierTable) else None
        while not self._stop.is_set():
            opened.began()
            try:
                async with opened_names(profile, looked) as names, self._connector(names) as connector:
                    opened.succeeded()
                    await self._rounds(connector, once)
                    return
            except UsageError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever goes wrong in a connector costs only that one
                pause = self._note(CONNECTION, error)
            if once:
                return
            await self._rest(pause)

    def _connector(self, names: Names) -> Connector:
        tools = Tools(names, self._state.own, CountedLog(self._engine, self.health))
        return self._loaded.kind.connect(self._loaded.profile, tools)

    async def _rounds(self, connector: Connector, once: bool) -> None:
        """The sources have their rounds one after the other, each sink beside them; raises `UsageError`."""
        sources: list[Part] = [(f"source {name}", source.pull) for name, source in connector.sources.items()]
        loops = [sources] if sources else []
        loops += [[(f"sink {name}", partial(sink.pass_on, self._engine))] for name, sink in connector.sinks.items()]
        try:
            async with asyncio.TaskGroup() as group:
                for parts in loops:
                    group.create_task(self._repeat(parts, once))
        except* UsageError as found:
            fault = found.exceptions[0]
        else:
            return
        raise fault

    async def _repeat(self, parts: Sequence[Part], once: bool) -> None:
        """Rounds of parts in their order, an interval apart; those behind a part that failed wait with it."""
        while not self._stop.is_set():
            pause = self._loaded.profile.interval_seconds
            for part, batches in parts:
                if (failed := await self._attempt(part, batches)) is not None:
                    pause = failed
                    break
                if self._stop.is_set():
                    break
            if once:
                return
            await self._rest(pause)

    async def _attempt(self, part: str, batches: Batches) -> float | None:
        """One round of a part; None, or the seconds to wait after a failure. Raises `UsageError`."""
        try:
            anew = await self._delivery.round(part, batches)
        except UsageError as error:
            self.health.part(part).failed(error, None)
            raise
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in a connector costs only that one
            return self._note(part, error)
        if anew is not None:
            log.warning("%s, %s: it began from the beginning: %s", self.health.profile.name, part, anew)
        return None

    def _note(self, part: str, error: Exception) -> float:
        """Note a failure that is tried again; returns the seconds until then."""
        pause = back_off(self.health.part(part).failures + 1)
        sentence = self.health.part(part).failed(error, pause)
        self.health.waiting = sentence if isinstance(error, EngineUnreachable) else None
        log.warning("%s, %s: %s; again in %.1f s", self.health.profile.name, part, sentence, pause)
        if not isinstance(error, StocklineError):
            log.debug("%s, %s", self.health.profile.name, part, exc_info=error)
        return pause

    async def _rest(self, seconds: float) -> None:
        """Wait, but not beyond the moment at which the host is asked to stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
