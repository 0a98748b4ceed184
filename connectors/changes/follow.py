"""Follows the changes of an engine: by lists what was before, by the live stream what comes, and again when it ends."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from random import Random
from typing import Final, Protocol

from connectors.base import JsonObject
from connectors.changes.change import Change, Table, change_of, table_of
from connectors.client import PAGE, EngineClient, EngineRefused
from engine.core.errors import EnvironmentFailure, StocklineError
from engine.core.topics import OUTPUT_TOPICS

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
GONE = 410

log = logging.getLogger(__name__)


class ChangeReader(Protocol):
    """Takes changes. It knows the latest version that it took of each key, and passes over what is not later."""

    async def begin(self, log_id: str | None) -> None:
        """A connection begins; versions that were taken from another log mean nothing in this one."""
        ...

    async def take(self, changes: Sequence[Change]) -> None:
        """Take changes, in the order in which they come. They are kept on return."""
        ...


class Changes:
    """The changes of some tables, for one reader.

    1. The stream is opened first, so that no change falls between it and the lists.
    2. All lists are read; meanwhile the newest change of each key that streams in is held.
    3. What streamed in follows, and then what comes.

    Whenever the connection is lost, the stream goes on from what the reader has taken, after a pause with back-off and
    jitter; where the engine cannot go on from there (410), all of it begins again.
    """

    def __init__(self, engine: EngineClient, tables: Sequence[Table], reader: ChangeReader) -> None:
        self._engine = engine
        self._tables = tables
        self._reader = reader
        self._held: dict[tuple[Table, str], Change] = {}
        self._told: str | None = None
        """The id of the stream up to which everything is held or taken."""
        self._taken: str | None = None
        """The id up to which everything is taken; None where the lists must be read."""
        self._caught_up = False
        """Whether everything that was before the connection is held or taken: then an id comes without an event."""
        self._came = asyncio.Event()
        self._jitter: Final = Random()
        self.in_step = asyncio.Event()
        """Set while everything that the engine had when the connection began has been taken."""
        self.trouble: str | None = None
        """Why there is no connection now; None while there is one."""

    async def follow(self, taken: Callable[[], None]) -> None:
        """Follow until cancelled; `taken` is called whenever the reader has taken something."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._connection(taken)
            except* (StocklineError, OSError) as group:
                error = group.exceptions[0]
                self.trouble = str(error)
                if isinstance(error, EngineRefused) and error.status == GONE:
                    self._taken = None
                if self.in_step.is_set():
                    pause = FIRST_PAUSE_SECONDS
                log.warning("%s; again in %.1f s", self.trouble, pause)
            _end_if_cancelled()
            self.in_step.clear()
            await asyncio.sleep(pause * self._jitter.uniform(0.5, 1.0))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _connection(self, taken: Callable[[], None]) -> None:
        self._held.clear()
        self._came.clear()
        self._told, self._caught_up = None, False
        is_open = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stream(is_open))
            await is_open.wait()
            await self._reader.begin(await self._engine.log_id())
            if self._taken is None:
                async for page in self._listed():
                    await self._reader.take(page)
                    taken()
                self.in_step.set()
                self._caught_up = True
            self.trouble = None
            while True:
                await self._came.wait()
                self._came.clear()
                await self._take_held()
                taken()

    async def _take_held(self) -> None:
        held, self._held = self._held, {}
        told, caught_up = self._told, self._caught_up
        await self._reader.take(list(held.values()))
        self._taken = told or self._taken
        if caught_up:
            self.in_step.set()

    async def _stream(self, is_open: asyncio.Event) -> None:
        async for event, reached in self._engine.stream(self._tables, self._taken):
            is_open.set()
            if event is not None and (change := _streamed(event)) is not None:
                # The later one of a key takes the place of the earlier: a slow reader costs a row, not a history.
                self._held[change.table, change.key] = change
                self._came.set()
            if reached is not None:
                self._told = reached
                self._caught_up = self._caught_up or event is None
                self._came.set()

    async def _listed(self) -> AsyncIterator[list[Change]]:
        for table in self._tables:
            page: list[Change] = []
            async for row in self._engine.rows(table):
                page.append(change_of(table, _as_published(table, row)))
                if len(page) == PAGE:
                    yield page
                    page = []
            yield page


def _end_if_cancelled() -> None:
    """Raise the cancellation of this task that a task group drops where one of its tasks fails at the same moment."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _as_published(table: Table, row: JsonObject) -> JsonObject:
    """The fields of a row of a list that the stream has too: a change is the same however it was found."""
    published = OUTPUT_TOPICS[table].data.__struct_fields__
    return {name: value for name, value in row.items() if name in published}


def _streamed(event: JsonObject) -> Change | None:
    table = table_of(str(event.get("type")))
    if table is None:
        return None
    data = event.get("data")
    if not isinstance(data, dict):
        raise EnvironmentFailure("an output of the stream has no data; is this a Stockline engine?")
    return change_of(table, data)
