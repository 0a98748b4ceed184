"""Time: the wall clock that is watched, and time as an event, which the engine itself writes to the log."""

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
"""How far the machine's clock may run ahead of the steady one."""
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


def accepted_of(at: int, data: ClockAcceptedData) -> ClockAccepted:
    """`clock.accepted` at the instant `at` of the engine's clock."""
    return ClockAccepted(
        specversion="1.0", id=f"accepted-{data.at.isoformat()}", source=CLOCK_SOURCE, time=moment(at), data=data
    )


def wall_time() -> int:
    """What the machine's clock shows, in microseconds."""
    return time.time_ns() // 1000


def steady_time() -> int:
    """Microseconds by a clock that nobody can set. It counts on while the machine sleeps, where the system can."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1000


class WallClock:
    """Wall time in microseconds, watched by a clock that nobody can set.

    It never falls. Where the machine's clock was set back this one goes on, half as fast, until the other has caught
    up. Where the machine's clock runs ahead of the steady one by more than an hour, the time is not told until the two
    agree again or `accept` says that the machine's clock is right: one fault of NTP must not expire a year of
    reservations. How far the clock was ahead when the process began cannot be known.
    """

    def __init__(self, wall: Callable[[], int] = wall_time, steady: Callable[[], int] = steady_time) -> None:
        self._wall = wall
        self.steady = steady
        self._began = wall() - steady()
        self._told = 0
        self._told_at = steady()
        self._lock = threading.Lock()

    def never_before(self, at: int) -> None:
        """Tell no time before `at`, which a log already holds."""
        with self._lock:
            self._told = max(self._told, at)

    def read(self) -> int:
        """The time.

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
        """The time that was told last."""
        return self._told

    @property
    def expected(self) -> int:
        """What the machine's clock should show by the steady one."""
        return self._began + self.steady()

    @property
    def latest(self) -> int:
        """The latest that it may show, and the latest arrival that is taken."""
        return self.expected + MOST_AHEAD

    @property
    def jumped(self) -> int:
        """By how many microseconds the machine's clock has jumped ahead; 0 where it is taken for right."""
        wall = self._wall()
        return wall - self.expected if wall > self.latest else 0

    def accept(self, by: str) -> ClockAcceptedData | None:
        """Take the machine's clock for right; None where it agrees."""
        at, ahead = self._wall(), self.jumped
        if not ahead:
            return None
        self.follow(at)
        return ClockAcceptedData(at=moment(at), jumped_seconds=ahead // SECOND, by=by)

    def follow(self, at: int) -> None:
        """It is `at` now, whatever was expected."""
        with self._lock:
            self._began = at - self.steady()


def _ahead(wall: int, jumped: int) -> ClockAhead:
    return ClockAhead(
        f"this machine's clock shows {iso(wall)}, {timedelta(seconds=jumped // SECOND)} more than has passed since the "
        "process began. Nothing is taken until it is set right, or until `stockline clock accept` says that it is right"
    )


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
