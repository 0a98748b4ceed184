"""Time: a wall clock that is watched for jumps, and time as an event, which the engine itself writes to the log."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from engine.core.errors import ClockAhead
from engine.core.events import ClockAccepted, ClockTicked
from engine.core.payloads import ClockAcceptedData, ClockTickedData
from engine.core.values import HOUR, SECOND, iso, moment
from tables.directory import Feed

CLOCK_SOURCE = "stockline/clock"
TICK_SECONDS = 5
MOST_AHEAD = HOUR
"""How far the machine's clock may run ahead of the steady one, in microseconds."""
MOST_FEEDS = 200
"""The most feeds in one tick: with the longest names it is still no longer than an event may be."""


def ticks_of(at: int, arrivals: Mapping[str, int]) -> list[ClockTicked]:
    """`clock.ticked` at the instant `at`, with the last arrivals of declared feeds; several ticks if they are many."""
    named = [(name, moment(last)) for name, last in arrivals.items()]
    portions = [dict(named[start : start + MOST_FEEDS]) for start in range(0, max(1, len(named)), MOST_FEEDS)]
    return [
        ClockTicked(
            specversion="1.0", id=iso(at), source=CLOCK_SOURCE, time=moment(at), data=ClockTickedData(feeds=feeds)
        )
        for feeds in portions
    ]


def accepted_of(at: int, data: ClockAcceptedData) -> ClockAccepted:
    """`clock.accepted` at the instant `at` of the engine's clock."""
    return ClockAccepted(
        specversion="1.0", id=f"accepted-{data.at.isoformat()}", source=CLOCK_SOURCE, time=moment(at), data=data
    )


def wall_time() -> int:
    """The time that the machine's clock shows, in microseconds since 1970."""
    return time.time_ns() // 1000


def steady_time() -> int:
    """Microseconds of a clock that nobody can set; it counts on while the machine sleeps, if the system has such."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1000


class WallClock:
    """Wall time in microseconds, watched by a clock that nobody can set.

    It never goes back. If the machine's clock was set back, this one goes on, half as fast, until the other has caught
    up. If the machine's clock runs ahead of the steady one by more than an hour, `read` raises until the two agree
    again or `accept` confirms the machine's clock: one fault of NTP must not expire a year of reservations. How far the
    clock was ahead when the process began cannot be known.
    """

    def __init__(self, wall: Callable[[], int] = wall_time, steady: Callable[[], int] = steady_time) -> None:
        self._wall = wall
        self.steady = steady
        self._began = wall() - steady()
        self._told = 0
        self._told_at = steady()
        self._lock = threading.Lock()

    def never_before(self, at: int) -> None:
        """Return no time before `at`, which a log already holds."""
        with self._lock:
            self._told = max(self._told, at)

    def read(self) -> int:
        """The time, in microseconds since 1970.

        Raises:
            ClockAhead: the machine's clock has jumped ahead.
        """
        with self._lock:
            steady, wall = self.steady(), self._wall()
            if wall > self.latest:
                raise _ahead(wall, wall - self.expected)
            self._told = max(wall, self._told + (steady - self._told_at) // 2)
            self._told_at = steady
            return self._told

    @property
    def told(self) -> int:
        """The time that `read` returned last."""
        return self._told

    @property
    def expected(self) -> int:
        """The time that the machine's clock should show by the steady one."""
        return self._began + self.steady()

    @property
    def latest(self) -> int:
        """The latest time that the machine's clock may show, and the latest arrival that is folded."""
        return self.expected + MOST_AHEAD

    @property
    def jumped(self) -> int:
        """By how many microseconds the machine's clock has jumped ahead; 0 while it agrees with the steady one."""
        wall = self._wall()
        return wall - self.expected if wall > self.latest else 0

    def accept(self, by: str) -> ClockAcceptedData | None:
        """Accept the time that the machine's clock shows after a jump; None if it has not jumped."""
        at, ahead = self._wall(), self.jumped
        if not ahead:
            return None
        self.follow(at)
        return ClockAcceptedData(at=moment(at), jumped_seconds=ahead // SECOND, by=by)

    def follow(self, at: int) -> None:
        """Take `at` for the present time, whatever was expected."""
        with self._lock:
            self._began = at - self.steady()


def _ahead(wall: int, jumped: int) -> ClockAhead:
    return ClockAhead(
        f"this machine's clock shows {iso(wall)}, {timedelta(seconds=jumped // SECOND)} more than has passed since the "
        "process began. Nothing is taken until it is set right, or until `stockline clock accept` says that it is right"
    )


class News:
    """The last arrivals from declared feeds that not all partitions know of.

    Each partition knows the arrivals in its own log. Ticks tell it of the others: not of every arrival, but before it
    would take the feed for stale, and soon after a stale feed has come back.
    """

    def __init__(self) -> None:
        self._told: dict[str, int] = {}
        self._untold: dict[str, int] = {}

    def note(self, name: str, last: int) -> None:
        """An event from a declared feed has arrived at the instant `last`."""
        if last > self._told.get(name, 0):
            self._untold[name] = max(last, self._untold.get(name, 0))

    def told(self, arrivals: Iterable[tuple[str, int]]) -> None:
        """All partitions know of these (feed, last arrival) now."""
        for name, last in arrivals:
            self._told[name] = max(last, self._told.get(name, 0))
            if self._untold.get(name, 0) <= self._told[name]:
                self._untold.pop(name, None)

    def last_told(self, name: str) -> int:
        """The last arrival from a feed that all partitions know of."""
        return self._told.get(name, 0)

    def all(self) -> dict[str, int]:
        """Feed -> last arrival, of every arrival that was not told."""
        return dict(self._untold)

    def ripe(self, now: int, declared: Mapping[str, Feed]) -> dict[str, int]:
        """The arrivals to tell at `now`: of feeds that are alive and were not told for half of their interval."""
        return {
            name: last
            for name, last in self._untold.items()
            if name in declared
            and now - last <= (interval := declared[name].interval * SECOND)
            and 2 * (now - self._told.get(name, 0)) >= interval
        }
