"""What every partition knows: locations, feeds and the clock.

Rows: `Directory`. A feed is stale when nothing has arrived from it for its interval; the partition that owns
the feed's name raises the alert, so that it is raised once.
"""

from msgspec.structs import replace

from agents import alerts
from agents.turn import Turn
from engine.core import payloads as p
from engine.core.values import SECOND, instant, iso
from tables import keys
from tables.rows import Directory, Feed, Location

EVERYWHERE = "*"
"""The location of an alert that concerns a feed; the feed stands where the sku does."""


def define_location(turn: Turn, data: p.LocationDefinedData) -> None:
    """`location.defined`: the latest `time` wins."""
    rank = (0, turn.at, turn.identity)
    old = turn.directory.locations.get(data.location)
    if old is None or rank > old.rank:
        directory = _edit(turn)
        location = Location(data.time_zone, rank, data.name, data.working_days)
        directory.locations = {**directory.locations, data.location: location}


def declare_feed(turn: Turn, data: p.FeedDeclaredData) -> None:
    """`feed.declared`: the latest `time` wins; the interval starts anew."""
    rank = (0, turn.at, turn.identity)
    old = turn.directory.feeds.get(data.feed)
    if old is None or rank > old.rank:
        directory = _edit(turn)
        feed = Feed(data.interval_seconds, data.locations, rank, turn.now if old is None else old.last)
        feed.stale = old is not None and old.stale
        directory.feeds = {**directory.feeds, data.feed: feed}


def tick(turn: Turn, data: p.ClockTickedData, owned: list[str]) -> None:
    """`clock.ticked`: take over the last arrivals; feeds become stale, or fresh again."""
    if not turn.directory.feeds:
        return
    arrivals = {name: instant(last) for name, last in data.feeds.items()}
    directory = _edit(turn)
    feeds = {}
    for name, old in directory.feeds.items():
        feed = replace(old)
        feed.last = max(feed.last, arrivals.get(name, 0))
        feed.stale = turn.now - feed.last > feed.interval * SECOND
        feeds[name] = feed
        if name in owned:
            _watch(turn, name, feed)
    directory.feeds = feeds


def _watch(turn: Turn, name: str, feed: Feed) -> None:
    row = keys.row(name, EVERYWHERE)
    if feed.stale:
        evidence = {
            "feed": name, "last_arrival": iso(feed.last), "interval_seconds": feed.interval,
            "locations": feed.locations,
        }  # fmt: skip
        alerts.raise_alert(turn, row, "stale_feed", evidence)
    else:
        alerts.clear_alert(turn, row, "stale_feed")


def _edit(turn: Turn) -> Directory:
    """The directory, to be changed by this turn."""
    directory: Directory = turn.edit(keys.directory(turn.partition), Directory)
    turn.directory = directory
    return directory
