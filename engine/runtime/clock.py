"""Time as an event: what the engine itself writes to the log, and when."""

from collections.abc import Iterable, Mapping

from engine.core.events import ClockTicked
from engine.core.payloads import ClockTickedData
from engine.core.values import SECOND, iso, moment
from tables.rows import Feed

CLOCK_SOURCE = "stockline/clock"
TICK_SECONDS = 5
MOST_FEEDS = 200
"""At most so many feeds in one tick: with the longest names it is still no longer than an event may be."""


def ticks_of(at: int, arrivals: Mapping[str, int]) -> list[ClockTicked]:
    """`clock.ticked` at the instant `at`, with last arrivals of declared feeds; several ticks where there are many."""
    named = [(name, moment(last)) for name, last in arrivals.items()]
    portions = [dict(named[start : start + MOST_FEEDS]) for start in range(0, max(1, len(named)), MOST_FEEDS)]
    return [
        ClockTicked(
            specversion="1.0", id=iso(at), source=CLOCK_SOURCE, time=moment(at), data=ClockTickedData(feeds=feeds)
        )
        for feeds in portions
    ]


class News:
    """The last arrivals of declared feeds that not all partitions know of.

    Each partition knows what has arrived in itself. Of the rest it hears by ticks: not of every arrival, but before it
    would take the feed for stale, and soon after a stale one has come back.
    """

    def __init__(self) -> None:
        self._told: dict[str, int] = {}
        self._untold: dict[str, int] = {}

    def heard(self, name: str, last: int) -> None:
        """Something has arrived from a declared feed."""
        if last > self._told.get(name, 0):
            self._untold[name] = max(last, self._untold.get(name, 0))

    def told(self, arrivals: Iterable[tuple[str, int]]) -> None:
        """All partitions know of these arrivals."""
        for name, last in arrivals:
            self._told[name] = max(last, self._told.get(name, 0))
            if self._untold.get(name, 0) <= self._told[name]:
                self._untold.pop(name, None)

    def all(self) -> dict[str, int]:
        """Every arrival that was not told."""
        return dict(self._untold)

    def ripe(self, now: int, declared: Mapping[str, Feed]) -> dict[str, int]:
        """What must be told at `now`: the feed is alive, and half of its interval is over since it was told last."""
        return {
            name: last
            for name, last in self._untold.items()
            if name in declared
            and now - last <= (interval := declared[name].interval * SECOND)
            and 2 * (now - self._told.get(name, 0)) >= interval
        }
