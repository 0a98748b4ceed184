"""What an order line adds to the business figures, from its row alone: docs/kpis.md defines each sum.

A line that changes takes off what it had added and adds what it says now, so that the sums are those of the lines as
they are, in whichever order their events came.
"""

from collections import Counter

from agents.figures import add
from agents.lines import Owed, latest_promise
from agents.order_line import Change
from engine.core.values import DAY, SECOND
from tables.keys import NEVER
from tables.purchasing import Line


def note_notice(changed: Change) -> None:
    """Keep the time of a line's first notice, and whether it came as early as the policy asks.

    The promise is that from before the notice: what it says itself is no promise that it must keep.
    """
    line, site = changed.line, changed.site
    at = site.turn.at
    if line.noticed_at is not None and line.noticed_at <= at:
        return
    line.noticed_at, line.noticed_in_time = at, None
    policy, promised = site.plan.policy, latest_promise(changed.before)
    if policy is not None and policy.asn_days is not None and promised is not None:
        line.noticed_in_time = site.local_day(at) <= promised - policy.asn_days


def follow(changed: Change, before: Owed, after: Owed) -> None:
    """Count a line that has changed; it owed `before`, and it owes `after` now."""
    line, old = changed.line, changed.before
    line.completed_at = _completed_at(changed, after)
    sums: Counter[tuple[str, int, str]] = Counter()
    if old.counted:
        _add_line(sums, old, before, -1)
    _add_line(sums, line, after, 1)
    line.counted = True
    location = changed.site.location
    for (supplier, at, name), amount in sums.items():
        add(changed.turn, (location, supplier), at, **{name: amount})


def _completed_at(changed: Change, share: Owed) -> int | None:
    """When the line became one of which nothing more is expected; None while something is, or it is cancelled."""
    line = changed.line
    if line.placed_at is None or not line.ordered or share.open or (line.cancelled and line.closed):
        return None
    known = changed.before.completed_at
    return changed.turn.at if known is None else known


def _add_line(sums: Counter[tuple[str, int, str]], line: Line, share: Owed, sign: int) -> None:
    """Add all that a line says to sums by (supplier, day, name), or with `sign` -1 take it off."""
    if line.placed_at is None:
        return
    supplier = line.supplier or ""

    def count(at: int, **amounts: int) -> None:
        for name, amount in amounts.items():
            if amount:
                sums[supplier, at // DAY * DAY, name] += sign * amount

    count(line.placed_at, lines_placed=1)
    if line.acknowledged_at is not None:
        took = max(0, line.acknowledged_at - line.placed_at) // SECOND
        count(line.acknowledged_at, lines_acknowledged=1, acknowledged_seconds=took)
    if line.noticed_at is not None and line.noticed_in_time is not None:
        count(line.noticed_at, notices_judged=1, notices_in_time=int(line.noticed_in_time))
    if line.first_received_at != NEVER:
        lead = NEVER if line.noticed_at is None else line.first_received_at - line.noticed_at
        seconds = max(0, lead) // SECOND
        count(line.first_received_at, lines_received=1, lines_noticed=int(lead >= 0), notice_lead_seconds=seconds)
    if line.completed_at is not None and line.ordered:
        short, over = max(0, line.ordered - share.received), max(0, share.received - line.ordered)
        took = max(0, line.last_received_at - line.placed_at) // SECOND if line.received else 0
        count(
            line.completed_at,
            lines_completed=1, ordered_units=line.ordered, filled_units=line.ordered - short,
            short_lines=int(short > 0), short_units=short, over_lines=int(over > 0), over_units=over,
            lines_timed=int(line.received > 0), receipt_seconds=took,
        )  # fmt: skip
