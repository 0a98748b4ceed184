"""What is known of the sources of events: the feeds that are declared, and what has come from whom."""

from collections.abc import Mapping
from datetime import datetime
from functools import reduce

from msgspec import Struct

from engine.bus.single import Kept
from engine.core.values import moment
from engine.runtime.marker import read_marker
from engine.runtime.source_counts import source_counts
from tables.feeds import Feeds
from tables.keys import NEVER
from tables.sources import OTHERS, SourceCounts

MAX_SOURCES = 1000


class DeclaredFeed(Struct):
    """A declared feed: the `source` of its events, how often it sends, and its last arrival by the log's clock."""

    source: str
    interval_seconds: int
    last_arrival: datetime
    stale: bool
    locations: list[str] | None


class LastRejection(Struct):
    """When a refused record arrived, and why it was refused."""

    at: datetime
    reason: str


class SourceActivity(Struct):
    """What has come from a source since the log began, by what became of it.

    Times are arrivals, null where nothing has come. An event is late that came more than an hour after it had happened.
    `open` are its dead letters that nobody has answered.
    """

    source: str | None
    feed: DeclaredFeed | None
    last_arrival: datetime | None
    accepted: int
    duplicates: int
    late: int
    refused: int
    open: int
    last_rejection: LastRejection | None


class SourcesActivity(Struct):
    """Declared feeds by name, then other sources, the one that sent last first; `others` is what all further ones sent.

    The source is null of records of which it cannot be read, and of `others`.
    """

    items: list[SourceActivity]
    others: SourceActivity


def declared_feeds(bus: Kept) -> list[DeclaredFeed]:
    """The declared feeds by name, from the rows of all partitions.

    A partition knows of the arrivals in it, so the latest that any of them knows counts.
    """
    found: dict[str, DeclaredFeed] = {}
    for partition in range(bus.partitions):
        feeds = Feeds.load(bus.state, partition, bus.partitions, read_marker(bus.marker(partition)).now)
        for name, feed in feeds.declared.items():
            pulse = feeds.pulses[name]
            last = moment(pulse.last)
            known = found.get(name)
            if known is None or known.last_arrival < last:
                found[name] = DeclaredFeed(name, feed.interval, last, pulse.stale, feed.locations)
    return [found[name] for name in sorted(found)]


def activity_of_sources(bus: Kept, open_letters: Mapping[str, int]) -> SourcesActivity:
    """At most `MAX_SOURCES` sources by name, and all others together.

    Args:
        bus: what the partitions have counted.
        open_letters: the number of open dead letters by source, empty where the source could not be read.
    """
    feeds = {feed.source: feed for feed in declared_feeds(bus)}
    counts = {**dict.fromkeys([*feeds, *open_letters], SourceCounts()), **source_counts(bus)}
    unnamed = counts.pop(OTHERS, SourceCounts())
    names = sorted(counts, key=lambda name: (name not in feeds, 0 if name in feeds else -counts[name].last, name))
    left = names[MAX_SOURCES:]
    others = reduce(SourceCounts.plus, (counts[name] for name in left), unnamed)
    items = [
        _activity(name or None, feeds.get(name), counts[name], open_letters.get(name, 0))
        for name in names[:MAX_SOURCES]
    ]
    return SourcesActivity(items, _activity(None, None, others, sum(open_letters.get(name, 0) for name in left)))


def _activity(source: str | None, feed: DeclaredFeed | None, counts: SourceCounts, open_letters: int) -> SourceActivity:
    return SourceActivity(
        source=source,
        feed=feed,
        last_arrival=None if counts.last == NEVER else moment(counts.last),
        accepted=counts.applied,
        duplicates=counts.duplicates,
        late=counts.late,
        refused=counts.refused,
        open=open_letters,
        last_rejection=None if counts.reason is None else LastRejection(moment(counts.last_refused), counts.reason),
    )
