"""The alerts of an order line: too much received, too little promised, supply that is late."""

from agents import alerts, due
from agents.lines import Owed, acknowledged, latest_promise
from agents.order_line import Change
from engine.core.values import day_of


def watch(change: Change, share: Owed) -> None:
    """Open, update or resolve the alerts of a line that has changed."""
    _watch_excess(change, share)
    _watch_short(change, share)
    watch_late(change, share)


def _watch_excess(change: Change, share: Owed) -> None:
    line, most = change.line, acknowledged(change.line)
    if line.ordered is None:
        return
    if max(share.received, line.shipped, most) > line.ordered:
        evidence = {
            "line": change.label, "ordered": line.ordered, "acknowledged": most, "shipped": line.shipped,
            "received": share.received, "supplier": line.supplier, "events": [change.turn.ref],
        }  # fmt: skip
        alerts.raise_alert(change.site, "over_receipt", evidence, change.label)
    else:
        alerts.clear_alert(change.site, "over_receipt", change.label)


def _watch_short(change: Change, share: Owed) -> None:
    line = change.line
    short = line.promised_rank is not None and not line.closed and share.promised < (line.ordered or 0)
    if short and (share.received < share.promised or not share.promised):
        evidence = {
            "line": change.label, "ordered": line.ordered, "promised": share.promised, "supplier": line.supplier,
            "missing": (line.ordered or 0) - share.promised,
            "schedule": [{"status": status, "qty": qty, "due": _date(day)} for status, qty, day in line.promises],
        }  # fmt: skip
        alerts.raise_alert(change.site, "short_ack", evidence, change.label)
    else:
        alerts.clear_alert(change.site, "short_ack", change.label)


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
    else:
        alerts.clear_alert(site, "late_supply", change.label)
    due.schedule(site, due.ORDER_LINE, change.name, line.look_at, look_at)
    line.look_at = look_at


def _date(ordinal: int | None) -> str | None:
    return None if ordinal is None else day_of(ordinal).isoformat()
