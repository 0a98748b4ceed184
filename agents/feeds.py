"""What every partition knows: locations, feeds and the clock.

Rows: `Location`, `Feed`, `Pulse`. A feed is stale when nothing has arrived from it for its interval; the partition
that owns the feed's name raises the alert, so that it is raised once.
"""

from agents import alerts
from agents.turn import Turn
from engine.core import payloads as p
from engine.core.values import DAY, SECOND, instant, iso
from tables import keys
from tables.alerts import ALERT, AlertRow
from tables.directory import Feed, Location, Pulse, feed_key, location_key, pulse_key
from tables.wakes import wake_key

EVERYWHERE = "*"
"""The location of an alert that concerns a feed; the feed stands where the sku does."""
CLOCK_ROW = keys.row("clock", EVERYWHERE)
"""Where the alert about the engine's own clock stands."""
AT_ONCE = 200
"""At most so many feeds become stale with one tick; the next tick takes the next of them."""


def define_location(turn: Turn, data: p.LocationDefinedData) -> None:
    """`location.defined`: the latest `time` wins."""
    rank = (0, turn.at, turn.identity)
    key = location_key(turn.partition, data.location)
    old: Location | None = turn.get(key)
    if old is None or rank > old.rank:
        turn.put(key, Location(data.time_zone, rank, data.name, data.working_days))


def declare_feed(turn: Turn, data: p.FeedDeclaredData) -> None:
    """`feed.declared`: the latest `time` wins; the interval counts from the last arrival, of a new feed from now."""
    rank = (0, turn.at, turn.identity)
    old = turn.feeds.declared.get(data.feed)
    if old is None or rank > old.rank:
        feed = Feed(data.interval_seconds, data.locations, rank)
        turn.put(feed_key(turn.partition, data.feed), feed)
        was = Pulse(turn.now) if old is None else turn.feeds.pulses[data.feed]
        _set_pulse(turn, data.feed, feed, was, _judged(turn, feed, was.last))


def tick(turn: Turn, data: p.ClockTickedData) -> None:
    """`clock.ticked`: take over the last arrivals; feeds become stale, or fresh again, a portion with each tick."""
    told = {name: instant(last) for name, last in data.feeds.items() if name in turn.feeds.declared}
    for name in sorted({*told, *turn.feeds.heard(), *turn.feeds.overdue(turn.now, AT_ONCE)}):
        feed, was = turn.feeds.declared[name], turn.feeds.pulses[name]
        now = _judged(turn, feed, max(was.last, told.get(name, 0)))
        if now != was:
            _set_pulse(turn, name, feed, was, now)


def _judged(turn: Turn, feed: Feed, last: int) -> Pulse:
    return Pulse(last, turn.now - last > feed.interval * SECOND)


def _set_pulse(turn: Turn, name: str, feed: Feed, was: Pulse, now: Pulse) -> None:
    turn.put(pulse_key(turn.partition, name), now)
    if not turn.feeds.owns(name):
        return
    row = keys.row(name, EVERYWHERE)
    if now.stale:
        evidence = {
            "feed": name, "last_arrival": iso(now.last), "interval_seconds": feed.interval,
            "locations": feed.locations,
        }  # fmt: skip
        alerts.raise_alert(turn, row, "stale_feed", evidence)
    elif was.stale:
        alerts.clear_alert(turn, row, "stale_feed")


def accept_clock(turn: Turn, data: p.ClockAcceptedData) -> None:
    """`clock.accepted`: the alert `clock_jump` says what expired at once; it is a fact, so it ages out."""
    if turn.feeds.owns(keys.names(CLOCK_ROW)[0]):
        evidence = {
            "at": data.at.isoformat(), "jumped_seconds": data.jumped_seconds, "by": data.by, "events": [turn.ref],
        }  # fmt: skip
        alerts.raise_alert(turn, CLOCK_ROW, "clock_jump", evidence)
        turn.put(wake_key(turn.partition, turn.now + turn.rules.fact_alert_days * DAY, CLOCK_ROW), b"")


def forget_jump(turn: Turn) -> None:
    """Resolve the alert `clock_jump` once its time is over; a later jump has set a timer of its own."""
    alert: AlertRow | None = turn.get(keys.part(ALERT, CLOCK_ROW, "clock_jump", ""))
    if alert is not None and turn.now - alert.updated >= turn.rules.fact_alert_days * DAY:
        alerts.clear_alert(turn, CLOCK_ROW, "clock_jump")
