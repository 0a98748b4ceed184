"""Feeds and the engine's clock, which every partition knows.

Rows: `Feed`, `Pulse`. A feed is stale when nothing has arrived from it for its interval; the partition that owns the
feed's name raises the alert, so that it is raised once.
"""

from agents import alert_answers, alerts
from agents.turn import Turn
from engine.core import payloads as p
from engine.core.fields import EVERYWHERE
from engine.core.values import DAY, SECOND, instant, iso
from tables import keys
from tables.alerts import ALERT
from tables.directory import Feed, Pulse, feed_key, pulse_key
from tables.wakes import wake_key

CLOCK = "clock"
CLOCK_ROW = keys.row(CLOCK, EVERYWHERE)
"""Where the alert about the engine's own clock stands."""
AT_ONCE = 200
"""At most so many feeds become stale with one tick; the next tick takes the next of them."""


class FeedSubject:
    """A feed as the subject of an alert: it has no stock row that could count its alerts."""

    has_alerts = True
    """Unknown without a look."""

    def __init__(self, turn: Turn, feed: str) -> None:
        self.turn = turn
        self.row = keys.row(feed, EVERYWHERE)

    def count_alert(self, change: int) -> None:
        """Do nothing: only rows keep the number of their alerts."""


# feeds ----------------------------------------------------------------------------------------------------------------


def declare_feed(turn: Turn, data: p.FeedDeclaredData) -> None:
    """`feed.declared`: the latest `time` wins; the interval counts from the last arrival, of a new feed from now."""
    rank = (0, turn.at, turn.identity)
    old = turn.feeds.declared.get(data.feed)
    if old is None or rank > old.rank:
        feed = Feed(data.interval_seconds, data.locations, rank)
        turn.put(feed_key(turn.partition, data.feed), feed)
        was = Pulse(turn.now) if old is None else turn.feeds.pulses[data.feed]
        _set_pulse(FeedSubject(turn, data.feed), feed, was, _judged(turn, feed, was.last))


def tick(turn: Turn, data: p.ClockTickedData) -> None:
    """`clock.ticked`: take over the last arrivals; feeds become stale, or fresh again, a portion with each tick."""
    told = {name: instant(last) for name, last in data.feeds.items() if name in turn.feeds.declared}
    for name in sorted({*told, *turn.feeds.revived(), *turn.feeds.overdue(turn.now, AT_ONCE)}):
        feed, was = turn.feeds.declared[name], turn.feeds.pulses[name]
        now = _judged(turn, feed, max(was.last, told.get(name, 0)))
        if now != was:
            _set_pulse(FeedSubject(turn, name), feed, was, now)


def _judged(turn: Turn, feed: Feed, last: int) -> Pulse:
    return Pulse(last, turn.now - last > feed.interval * SECOND)


def _set_pulse(subject: FeedSubject, feed: Feed, was: Pulse, now: Pulse) -> None:
    turn, name = subject.turn, keys.names(subject.row)[0]
    turn.put(pulse_key(turn.partition, name), now)
    if not turn.feeds.owns(name):
        return
    if now.stale:
        evidence = {
            "feed": name, "last_arrival": iso(now.last), "interval_seconds": feed.interval,
            "locations": feed.locations,
        }  # fmt: skip
        alerts.raise_alert(subject, "stale_feed", evidence)
    elif was.stale:
        alerts.clear_alert(subject, "stale_feed")


# the clock ------------------------------------------------------------------------------------------------------------


def accept_clock(turn: Turn, data: p.ClockAcceptedData) -> None:
    """`clock.accepted`: the alert `clock_jump` says what expired at once; it is a fact, so it ages out."""
    if turn.feeds.owns(CLOCK):
        evidence = {
            "at": data.at.isoformat(), "jumped_seconds": data.jumped_seconds, "by": data.by, "events": [turn.ref],
        }  # fmt: skip
        alerts.raise_alert(FeedSubject(turn, CLOCK), "clock_jump", evidence)
        turn.put(wake_key(turn.partition, turn.now + turn.rules.fact_alert_days * DAY, CLOCK_ROW), b"")


def forget_jump(turn: Turn) -> None:
    """Resolve the alert `clock_jump` once its time is over; a later jump has set a wake of its own."""
    alert = turn.get(keys.part(ALERT, CLOCK_ROW, "clock_jump", ""))
    if alert is not None and turn.now - alert.updated >= turn.rules.fact_alert_days * DAY:
        alerts.clear_alert(FeedSubject(turn, CLOCK), "clock_jump")


def wake(turn: Turn, row: bytes) -> None:
    """The clock has reached what the alert of a feed, or of the clock, was waiting for."""
    if row == CLOCK_ROW:
        forget_jump(turn)
    subject = FeedSubject(turn, keys.names(row)[0])
    for kind in ("clock_jump", "stale_feed"):
        alert_answers.wake(subject, f"{kind}\0")
