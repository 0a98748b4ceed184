"""The alerts of an order line: too much received, too little promised, supply that is late."""

from agents import alerts, due
from agents.lines import Owed, acknowledged, latest_promise
from agents.order_line import Change
from engine.core.values import day_of
from tables.purchasing import Line


def watch(change: Change, before: Owed, share: Owed) -> None:
    """Open, update or resolve the alerts of a line that has changed; it owed `before`, and it owes `share` now.

    Whether too much came or too little is promised follows from the line alone. So an alert of which the cause was not
    there before is not open, and need not be looked for: most lines have none, and each search reads the state.
    """
    _watch_excess(change, before, share)
    _watch_short(change, before, share)
    watch_late(change, share)


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


def watch_late(change: Change, share: Owed) -> None:
    """Look at the dates of a line; ask for another look when what is open of it becomes overdue."""
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
    due.schedule(site, due.ORDER_LINE, change.name, line.look_at, look_at)
    line.look_at = look_at


def _date(ordinal: int | None) -> str | None:
    return None if ordinal is None else day_of(ordinal).isoformat()
