"""What the clock makes happen: a tick looks at the rows and documents whose time has come."""

from collections.abc import Callable
from itertools import islice

from agents import (
    alert_answers,
    alerts,
    drift_forecast,
    drift_lead_time,
    due,
    feeds,
    purchasing,
    replenishment,
    signal_answers,
    stock,
    stockout,
)
from agents.turn import Site, Turn
from engine.core import payloads as p
from engine.core.fields import EVERYWHERE
from tables import keys
from tables.wakes import due_parts, due_range, wake_row
from tables.workspace import NEVER_DUE

MAX_LOOKS = 250
"""How many rows and documents one tick looks at; what else is due waits for the next, so that no commit grows."""

LOOKS: dict[bytes, Callable[[Site, str], None]] = {
    due.RESERVATION: stock.expire_reservation,
    due.TRANSFER: stock.report_lost,
    due.ORDER_LINE: purchasing.check_line,
    due.OPEN_LINES: purchasing.check_lines,
    due.FACT: alerts.age,
    due.SIGNAL_SNOOZE: signal_answers.wake,
    due.ALERT_SNOOZE: alert_answers.wake,
}
"""What is done with a document of a row when its time has come."""


def tick(turn: Turn, data: p.ClockTickedData) -> None:
    """Let the clock advance: feeds, and a portion of the rows and documents that wait for it, earliest first.

    What is left of what is due keeps its instant, so that the next tick goes on with it.
    """
    feeds.tick(turn, data)
    left = MAX_LOOKS
    for key in turn.space.wakes(turn.partition, turn.now, MAX_LOOKS):
        if left <= 0:
            break
        turn.put(key, None)
        row = wake_row(key)
        if keys.names(row)[1] == EVERYWHERE:
            feeds.wake(turn, row)
            left -= 1
        else:
            left -= 1 + _wake(turn.site(row), left)


def _wake(site: Site, limit: int) -> int:
    """The clock has reached what a row was waiting for: look at all that time can change.

    Returns:
        How many documents were looked at, at most `limit`.
    """
    turn, row = site.turn, site.row
    site.stock.wake_at = site.stored_wake = None
    found = list(islice(turn.scan(*due_range(row, turn.now)), limit))
    for key, _ in found:
        _, kind, name = due_parts(key, row)
        turn.put(key, None)
        LOOKS[kind](site, name)
    following = next(turn.scan(*due_range(row, NEVER_DUE)), None)
    if following is not None:
        site.wake(due_parts(following[0], row)[0])
    drift_forecast.close_buckets(site)
    drift_lead_time.watch(site)
    replenishment.evaluate(site)
    stockout.look_ahead(site)
    return len(found)
