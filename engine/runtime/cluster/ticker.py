"""Time as an event: a worker writes `clock.ticked` into the log where time passing changes something."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from engine.bus.cluster import Cluster
from engine.bus.single import Record
from engine.core.errors import EnvironmentFailure
from engine.core.events import encode
from engine.runtime.clock import CLOCK_SOURCE, TICK_SECONDS, News, WallClock, ticks_of
from engine.runtime.fold import Fold
from tables.directory import Feed

log = logging.getLogger(__name__)


class Ticker:
    """Looks every few seconds where something is due, and at once where a tick has left some of it.

    `folds` answers the folds of the partitions that the worker owns at present.
    """

    def __init__(self, cluster: Cluster, clock: WallClock, folds: Callable[[], list[Fold]]) -> None:
        self._cluster = cluster
        self._clock = clock
        self._folds = folds
        self._news = News()
        self._unfinished: set[int] = set()
        self._hurry = asyncio.Event()

    def tick_unfinished(self, partition: int) -> None:
        """The last tick has left some of what was due: the next one follows at once, behind the records that wait."""
        self._unfinished.add(partition)
        self._hurry.set()

    async def run(self) -> None:
        """Tick until cancelled; an error that a person must mend is raised, others are tried again."""
        time = asyncio.get_running_loop().time
        look = time() + TICK_SECONDS
        while True:
            is_time_to_look = not await self._hurried(look - time())
            unfinished, self._unfinished = self._unfinished, set()
            try:
                if unfinished:
                    await self._append({}, sorted(unfinished))
                if is_time_to_look or time() >= look:
                    look = time() + TICK_SECONDS
                    await self._tick()
            except EnvironmentFailure as error:
                log.warning("time stands still: %s", error)

    async def _hurried(self, seconds: float) -> bool:
        """Wait at most so long for a tick that must follow at once; whether there is one."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), max(0.0, seconds))
        hurried = self._hurry.is_set()
        self._hurry.clear()
        return hurried

    async def _tick(self) -> None:
        """Tick in the partitions of this worker where something is due.

        The tick goes into all partitions if they must hear of a feed: some would else take it for stale, although its
        events arrive in a partition of this worker.
        """
        folds = self._folds()
        now = self._clock.read()
        news = self._news.ripe(now, self._declared(folds))
        due = range(self._cluster.partitions) if news else [fold.partition for fold in folds if fold.due(now)]
        if due:
            await self._append(news, due)
            self._news.told(news.items())

    def _declared(self, folds: Sequence[Fold]) -> dict[str, Feed]:
        """All declared feeds that this worker's partitions know of; collects what has arrived from them."""
        declared: dict[str, Feed] = {}
        for fold in folds:
            declared.update(fold.feeds.declared)
            for name, last in fold.feeds.take_arrivals().items():
                self._news.note(name, last)
        return declared

    async def _append(self, news: dict[str, int], partitions: Sequence[int]) -> None:
        at = self._clock.read()
        raws = [encode(event) for event in ticks_of(at, news)]
        await self._cluster.append([Record(p, 0, CLOCK_SOURCE, raw, at) for p in partitions for raw in raws])
