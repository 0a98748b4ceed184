"""What an order line adds to the business figures, from its row alone: docs/kpis.md defines each sum.

A line that changes takes off what it had added and adds what it says now, so that the sums are those of the lines as
they are, in whichever order their events came.
"""

from agents.lines import Owed, latest_promise
from agents.order_line import Change
from engine.core.values import SECOND
from tables.keys import NEVER
from tables.purchasing import Line

Part = tuple[int, str, int]


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
    was, now = _parts(old, before) if old.counted else (), _parts(line, after)
    line.counted = True
    if was == now and old.supplier == line.supplier:
        return
    sums, location = changed.turn.sums, changed.site.location
    for one, parts, sign in ((old, was, -1), (line, now, 1)):
        supplier = one.supplier or ""
        sums += [(location, supplier, at, name, sign * amount) for at, name, amount in parts if amount]


def _completed_at(changed: Change, share: Owed) -> int | None:
    """When the line became one of which nothing more is expected; None while something is, or it is cancelled."""
    line = changed.line
    if line.placed_at is None or not line.ordered or share.open or (line.cancelled and line.closed):
        return None
    known = changed.before.completed_at
    return changed.turn.at if known is None else known


def _parts(line: Line, share: Owed) -> tuple[Part, ...]:
    """All that a line says, as (instant, name of the sum, amount)."""
    placed = line.placed_at
    if placed is None:
        return ()
    parts: tuple[Part, ...] = ((placed, "lines_placed", 1),)
    at = line.acknowledged_at
    if at is not None:
        parts += ((at, "lines_acknowledged", 1), (at, "acknowledged_seconds", max(0, at - placed) // SECOND))
    at = line.noticed_at
    if at is not None and line.noticed_in_time is not None:
        parts += ((at, "notices_judged", 1), (at, "notices_in_time", int(line.noticed_in_time)))
    at = line.first_received_at
    if at != NEVER:
        lead = NEVER if line.noticed_at is None else at - line.noticed_at
        parts += (
            (at, "lines_received", 1),
            (at, "lines_noticed", int(lead >= 0)),
            (at, "notice_lead_seconds", max(0, lead) // SECOND),
        )
    at = line.completed_at
    return parts if at is None else parts + _completed(line, share, placed, at)


def _completed(line: Line, share: Owed, placed: int, at: int) -> tuple[Part, ...]:
    """What a complete line says."""
    ordered = line.ordered or 0
    short, over = max(0, ordered - share.received), max(0, share.received - ordered)
    took = max(0, line.last_received_at - placed) // SECOND if line.received else 0
    return (
        (at, "lines_completed", 1),
        (at, "ordered_units", ordered),
        (at, "filled_units", ordered - short),
        (at, "short_lines", int(short > 0)),
        (at, "short_units", short),
        (at, "over_lines", int(over > 0)),
        (at, "over_units", over),
        (at, "lines_timed", int(line.received > 0)),
        (at, "receipt_seconds", took),
    )
