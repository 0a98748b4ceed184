"""The alerts of an order line: too much received, too little promised, what is late, and what nobody has said."""

from agents import alerts, due
from agents.lines import Owed, acknowledged, latest_promise
from agents.order_line import Change
from agents.turn import Site
from engine.core.values import day_of, iso
from tables.purchasing import Line


def watch(change: Change, before: Owed, share: Owed) -> None:
    """Open, update or resolve the alerts of a line that has changed; it owed `before`, and it owes `share` now.

    Whether too much came or too little is promised follows from the line alone. So an alert of which the cause was not
    there before is not open, and need not be looked for: most lines have none, and each search reads the state.
    """
    _watch_excess(change, before, share)
    _watch_short(change, before, share)
    watch_dates(change, before, share)


def _watch_excess(change: Change, before: Owed, share: Owed) -> None:
    line = change.line
    if _is_excess(line, share):
        evidence = {
            "line": change.label, "ordered": line.ordered, "acknowledged": acknowledged(line), "shipped": line.shipped,
            "received": share.received, "supplier": line.supplier, "events": [change.turn.ref],
        }  # fmt: skip
        alerts.raise_alert(change.site, "over_receipt", evidence, change.label)
    elif _is_excess(change.before, before):
        alerts.clear_alert(change.site, "over_receipt", change.label)


def _is_excess(line: Line, share: Owed) -> bool:
    """Whether more than is ordered was received, shipped or acknowledged."""
    return line.ordered is not None and max(share.received, line.shipped, acknowledged(line)) > line.ordered


def _watch_short(change: Change, before: Owed, share: Owed) -> None:
    line = change.line
    if _is_short(line, share):
        evidence = {
            "line": change.label, "ordered": line.ordered, "promised": share.promised, "supplier": line.supplier,
            "missing": (line.ordered or 0) - share.promised,
            "schedule": [{"status": status, "qty": qty, "due": _date(day)} for status, qty, day in line.promises],
        }  # fmt: skip
        alerts.raise_alert(change.site, "short_ack", evidence, change.label)
    elif _is_short(change.before, before):
        alerts.clear_alert(change.site, "short_ack", change.label)


def _is_short(line: Line, share: Owed) -> bool:
    """Whether less than is ordered is acknowledged, and not all of that has come."""
    if line.promised_rank is None or line.closed or share.promised >= (line.ordered or 0):
        return False
    return share.received < share.promised or not share.promised


def watch_dates(change: Change, before: Owed, share: Owed) -> None:
    """Look at the dates of a line; ask for another look when the next of them has passed."""
    looks = [_watch_late(change, share)]
    if _awaits_asn(change.line, share) or _awaits_asn(change.before, before):
        looks += [_watch_ack(change, before, share), _watch_asn(change, before, share)]
    look_at = min((at for at in looks if at is not None), default=None)
    due.schedule(change.site, due.ORDER_LINE, change.name, change.line.look_at, look_at)
    change.line.look_at = look_at


def _watch_late(change: Change, share: Owed) -> int | None:
    """Whether supply is late; returns when what is open becomes overdue."""
    site, line = change.site, change.line
    open_qty, promised = share.open, latest_promise(line)
    is_late, overdue, look_at = False, False, None
    if open_qty and promised is not None:
        overdue = promised < site.today
        is_late = overdue or (line.due is not None and promised > line.due)
        look_at = None if overdue else site.day_begins(promised + 1)
    if is_late:
        evidence = {
            "line": change.label, "open": open_qty, "due": _date(line.due), "promised": _date(promised),
            "overdue": overdue, "supplier": line.supplier,
        }  # fmt: skip
        alerts.raise_alert(site, "late_supply", evidence, change.label)
    elif not change.is_new:
        alerts.clear_alert(site, "late_supply", change.label)
    return look_at


def _watch_ack(change: Change, before: Owed, share: Owed) -> int | None:
    """Whether the supplier should have acknowledged the line; returns when the time for it is over."""
    site, line, policy, placed_at = change.site, change.line, change.site.plan.policy, change.line.placed_at
    last_day = None
    if _awaits_ack(line, share) and policy is not None and policy.ack_days is not None and placed_at is not None:
        last_day = site.local_day(placed_at) + policy.ack_days
    if last_day is not None and placed_at is not None and last_day < site.today:
        evidence = {
            "line": change.label, "ordered": line.ordered, "placed": iso(placed_at), "expected": _date(last_day),
            "supplier": line.supplier,
        }  # fmt: skip
        alerts.raise_alert(site, "ack_overdue", evidence, change.label)
    elif _awaits_ack(change.before, before):
        alerts.clear_alert(site, "ack_overdue", change.label)
    return _end_of(site, last_day)


def _watch_asn(change: Change, before: Owed, share: Owed) -> int | None:
    """Whether the supplier should have announced a shipment of the line; returns when the time for it is over."""
    site, line, policy, promised = change.site, change.line, change.site.plan.policy, latest_promise(change.line)
    last_day = None
    if _awaits_asn(line, share) and policy is not None and policy.asn_days is not None and promised is not None:
        last_day = promised - policy.asn_days
    if last_day is not None and last_day < site.today:
        evidence = {
            "line": change.label, "open": share.open, "promised": _date(promised), "expected": _date(last_day),
            "supplier": line.supplier,
        }  # fmt: skip
        alerts.raise_alert(site, "asn_overdue", evidence, change.label)
    elif _awaits_asn(change.before, before):
        alerts.clear_alert(site, "asn_overdue", change.label)
    return _end_of(site, last_day)


def _awaits_ack(line: Line, share: Owed) -> bool:
    """Whether the supplier has said nothing of an open line yet, neither by words nor by goods."""
    return line.promised_rank is None and _awaits_asn(line, share)


def _awaits_asn(line: Line, share: Owed) -> bool:
    """Whether of an open line nothing was announced and nothing has come yet."""
    return share.open > 0 and not line.shipped and not share.received


def _end_of(site: Site, day: int | None) -> int | None:
    """The instant at which a day is over; None where it is over already."""
    return None if day is None or day < site.today else site.day_begins(day + 1)


def _date(ordinal: int | None) -> str | None:
    return None if ordinal is None else day_of(ordinal).isoformat()
