"""Which feeds are declared, when something last arrived from each, and whether it is silent."""

from datetime import datetime

from msgspec import Struct

from engine.bus.single import Kept
from engine.core.values import moment
from engine.runtime.marker import read_marker
from tables.feeds import Feeds

MAX_SOURCES = 1000


class DeclaredFeed(Struct):
    """A declared feed: the `source` of its events, how often it sends, and its last arrival by the log's clock."""

    source: str
    interval_seconds: int
    last_arrival: datetime
    stale: bool
    locations: list[str] | None


def declared_feeds(bus: Kept) -> list[DeclaredFeed]:
    """The first `MAX_SOURCES` declared feeds by name, from the rows of all partitions.

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
    return [found[name] for name in sorted(found)[:MAX_SOURCES]]
