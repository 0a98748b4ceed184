"""What events add to the business figures, beside what they do to the rows: docs/kpis.md defines each sum.

What is open now (alerts, drift) is added when it opens and taken off when it changes, so that a sum is always that of
what the rows hold. A row of the version before was never added, so nothing of it is taken off: its `counted` says so.
"""

from agents.turn import Site, Turn
from engine.core.outputs import AlertKind
from engine.core.values import SECOND
from tables.alerts import AlertRow


def add(turn: Turn, place: tuple[str, str], at: int, **amounts: int) -> None:
    """Add to sums of a place (location, supplier) at an instant."""
    location, supplier = place
    turn.sums += [(location, supplier, at, name, amount) for name, amount in amounts.items() if amount]


def counted(site: Site, qty: int, difference: int) -> None:
    """A count of `qty` was applied that differs by `difference` from what was kept as of its moment."""
    exact = 0 if difference else 1
    add(
        site.turn, (site.location, ""), site.turn.at,
        counts=1, counts_exact=exact, counted_units=qty, count_difference_units=abs(difference),
    )  # fmt: skip


def damaged(site: Site, supplier: str | None, receipts: int, units: int) -> None:
    """Receipts from a supplier reported damaged units; negative where they are taken back."""
    place = (site.location, supplier or "")
    add(site.turn, place, site.turn.at, damaged_receipts=receipts, damaged_units=units)


# alerts ---------------------------------------------------------------------------------------------------------------


def follow_alert(turn: Turn, name: tuple[str, AlertKind], old: AlertRow | None, new: AlertRow) -> None:
    """Count what becomes of an alert.

    Args:
        turn: the event's turn.
        name: the alert's location and kind.
        old: the alert as it was; None where it has just opened.
        new: the alert as it is published.
    """
    location, kind = name
    place = (location, _supplier_of(new))
    was = _open(old, kind) if old is not None and old.counted else None
    now = _open(new, kind)
    new.counted = True
    if was != now:
        for alert, sign in ((was, -1), (now, 1)):
            if alert is not None:
                supplier, opened, amounts = alert
                turn.sums += [(location, supplier, opened, sum_of, sign * amount) for sum_of, amount in amounts]
    if old is None:
        add(turn, place, turn.now, **{f"alerts_opened:{kind}": 1})
    elif new.status == "resolved" != old.status:
        took = (turn.now - new.opened) // SECOND
        add(turn, place, turn.now, **{f"alerts_resolved:{kind}": 1, f"alerts_resolved_seconds:{kind}": took})


def _open(alert: AlertRow, kind: AlertKind) -> tuple[str, int, tuple[tuple[str, int], ...]] | None:
    """What an alert adds to what is open now, as (supplier, instant, sums); None where it is resolved."""
    if alert.status == "resolved":
        return None
    opened = alert.opened
    amounts: tuple[tuple[str, int], ...] = (
        (f"alerts_open:{kind}", 1),
        (f"alerts_open_since:{kind}", opened // SECOND),
    )
    if kind == "balance_drift":
        amounts += (("drift_units", abs(int(alert.evidence["difference"]))),)
    return _supplier_of(alert), opened, amounts


def _supplier_of(alert: AlertRow) -> str:
    return alert.evidence.get("supplier") or ""
