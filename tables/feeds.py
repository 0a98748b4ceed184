"""The declared feeds of one partition in memory, because every event asks whether its source is one of them.

Everything here follows from the rows of FEED and PULSE, so a partition that is loaded again has the same. No question
costs more than its answer is long: neither an event nor a tick walks over all feeds.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from heapq import heappop, heappush, heapreplace, merge
from itertools import islice
from typing import Any, Self

from engine.core.values import SECOND, partition_of
from tables.catalogue import DECODERS
from tables.directory import FEED, PULSE, Feed, Pulse, feed_key, feed_name, pulse_key
from tables.keys import partition_range
from tables.workspace import NEVER_DUE, State

MOST_NAMED = 20
"""How many stale feeds an answer names at most: when a network fails, thousands are stale at once."""


class Feeds:
    """Declarations and pulses by name; the stale feeds by location, the fresh ones by the instant they become stale."""

    def __init__(self, partition: int = 0, partitions: int = 1) -> None:
        self.declared: dict[str, Feed] = {}
        self.pulses: dict[str, Pulse] = {}
        self._partition = partition
        self._partitions = partitions
        self._stale: dict[str | None, list[str]] = {}
        self._ends: list[tuple[int, str]] = []
        """A heap of (instant, name). An arrival does not change it: an instant is a lower bound until it is checked."""
        self._revived: set[str] = set()
        self._arrivals: dict[str, int] = {}

    @classmethod
    def load(cls, state: State, partition: int, partitions: int, now: int) -> Self:
        """Load the feeds of a partition from its committed rows; `now` is the partition's clock in microseconds."""
        feeds = cls(partition, partitions)
        ranges = partition_range(FEED, partition), partition_range(PULSE, partition)
        writes = {key: DECODERS[key[0]](value) for range_ in ranges for key, value in state.scan(*range_)}
        feeds.learn(writes)
        for name, pulse in feeds.pulses.items():
            feeds._arrivals[name] = pulse.last
            if pulse.stale and now - pulse.last <= feeds.declared[name].interval * SECOND:
                feeds._revived.add(name)
        return feeds

    def learn(self, writes: Mapping[bytes, Any]) -> None:
        """Update the feeds by the rows that an event wrote: declarations and pulses among them."""
        found: dict[str, None] = {}
        for key in writes:
            if key[:1] in (FEED, PULSE):
                found[feed_name(key)] = None
        for name in found:
            feed = writes.get(feed_key(self._partition, name)) or self.declared[name]
            self._set(name, feed, writes.get(pulse_key(self._partition, name)) or self.pulses[name])

    def _set(self, name: str, feed: Feed, pulse: Pulse) -> None:
        old, was = self.declared.get(name), self.pulses.get(name)
        if old is not None and was is not None and was.stale:
            for location in _dependants(old):
                names = self._stale[location]
                del names[bisect_left(names, name)]
        self.declared[name], self.pulses[name] = feed, pulse
        self._revived.discard(name)
        if pulse.stale:
            for location in _dependants(feed):
                insort(self._stale.setdefault(location, []), name)
        elif old is None or was is None or was.stale or feed.interval < old.interval:
            heappush(self._ends, (_end(feed, pulse), name))

    def arrived(self, name: str, last: int) -> Pulse:
        """Record an arrival from a declared feed and return its new pulse, which the caller writes."""
        pulse = Pulse(last, self.pulses[name].stale)
        self.pulses[name] = pulse
        self._arrivals[name] = last
        if pulse.stale:
            self._revived.add(name)
        return pulse

    def take_arrivals(self) -> dict[str, int]:
        """The last arrival of each feed since the previous call; after a start of every feed that is known."""
        taken, self._arrivals = self._arrivals, {}
        return taken

    def ticked(self) -> None:
        """Forget which stale feeds have revived: a tick has judged them."""
        self._revived.clear()

    def stale_at(self, location: str) -> list[str]:
        """The names of the stale feeds on which a location depends, in order; at most MOST_NAMED."""
        of_all, of_location = self._stale.get(None, ()), self._stale.get(location, ())
        return list(islice(merge(of_all, of_location), MOST_NAMED))

    def revived(self) -> list[str]:
        """The names of the stale feeds from which something has arrived since the last tick."""
        return sorted(self._revived)

    def overdue(self, now: int, limit: int) -> list[str]:
        """At most `limit` fresh feeds of which nothing has arrived for their interval, the longest overdue first."""
        found: dict[str, int] = {}
        while len(found) < limit and self._earliest() <= now:
            at, name = heappop(self._ends)
            found[name] = at
        for name, at in found.items():
            heappush(self._ends, (at, name))
        return list(found)

    def due(self, now: int) -> bool:
        """Whether a tick at `now` would change a feed."""
        return bool(self._revived) or self._earliest() <= now

    def _earliest(self) -> int:
        """The instant at which the first of the fresh feeds becomes stale."""
        while self._ends:
            at, name = self._ends[0]
            pulse = self.pulses[name]
            end = _end(self.declared[name], pulse)
            if pulse.stale:
                heappop(self._ends)
            elif end != at:
                heapreplace(self._ends, (end, name))
            else:
                return at
        return NEVER_DUE

    def owns(self, name: str) -> bool:
        """Whether this partition is the one that raises the feed's alert, so that it is raised once."""
        return partition_of(name, self._partitions) == self._partition


def _dependants(feed: Feed) -> Iterable[str | None]:
    """The locations that depend on a feed; None stands for all."""
    return (None,) if feed.locations is None else dict.fromkeys(feed.locations)


def _end(feed: Feed, pulse: Pulse) -> int:
    """The first instant at which the feed is stale if nothing arrives until then."""
    return pulse.last + feed.interval * SECOND + 1
