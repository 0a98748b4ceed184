"""Drift: what the ERP reports against what is kept, as of the same moment, with a cause.

Rows: `Reported`. A report is compared, never applied. Goods in flight are no drift. The causes are found among the
movements that the row still keeps; what an open alert has explained already is not explained again.
"""

from typing import Any

from agents import alerts
from agents.causes import Cause, find_causes
from agents.purchasing import open_supply
from agents.stock import advance, balances_as_of
from agents.turn import Turn
from engine.core import payloads as p
from engine.core.values import iso
from tables import keys
from tables.rows import Reported, Stock


def report(turn: Turn, row: bytes, data: p.BalanceReportedData) -> None:
    """`balance.reported`: compare it with the balance as of its moment; the latest report counts."""
    stock = turn.stock(row)
    advance(turn, row, stock)
    old: Reported | None = turn.get(keys.REPORTED + row)
    if old is not None and (turn.at, turn.identity) <= (old.at, old.rank_tie):
        return
    if turn.at < stock.floor_at:
        evidence = {"reported_at": iso(turn.at), "kept_since": iso(stock.floor_at), "events": [turn.ref]}
        alerts.raise_fact(turn, row, "late_count", evidence, turn.ref)
        return
    stock.reported_at = turn.at
    new = Reported(turn.at, data.on_hand, turn.ref, 0, data.held, rank_tie=turn.identity, on_order=data.on_order)
    _compare(turn, row, stock, new, old)


def recheck(turn: Turn, row: bytes, stock: Stock) -> None:
    """A movement has come that the last report should have held: compare again."""
    old: Reported | None = turn.get(keys.REPORTED + row)
    if old is not None and old.at >= stock.floor_at:
        new = Reported(old.at, old.on_hand, old.ref, 0, old.held, rank_tie=old.rank_tie, on_order=old.on_order)
        _compare(turn, row, stock, new, old)


def _compare(turn: Turn, row: bytes, stock: Stock, new: Reported, old: Reported | None) -> None:
    available, held = balances_as_of(turn, row, stock, new.at)
    kept = available + held
    new.difference = new.on_hand - kept
    held_difference = 0 if new.held is None else new.held - held
    order_difference = _order_difference(stock, new)
    turn.put(keys.REPORTED + row, new)
    tolerance = turn.rules.balance_tolerance
    if max(abs(new.difference), abs(held_difference), abs(order_difference)) <= tolerance:
        alerts.clear_alert(turn, row, "balance_drift")
        return
    if new.difference and not held_difference and _in_flight(turn, row, new):
        alerts.clear_alert(turn, row, "balance_drift")
        return
    new.causes = _causes(turn, row, stock, new, old, kept)
    evidence: dict[str, Any] = {
        "as_of": iso(new.at), "reported": new.on_hand, "kept": kept, "difference": new.difference,
        "report": new.ref, "causes": new.causes,
    }  # fmt: skip
    if held_difference:
        evidence["held"] = {"reported": new.held, "kept": held, "difference": held_difference}
    if order_difference:
        evidence["on_order"] = {"reported": new.on_order, "kept": stock.on_order, "difference": order_difference}
    alerts.raise_alert(turn, row, "balance_drift", evidence)


def _order_difference(stock: Stock, new: Reported) -> int:
    """How far the reported order balance differs; ERPs count goods in transit as on order or not, both are right.

    What is on order is not kept as of past moments: a report older than the last change cannot be compared.
    """
    if new.on_order is None or new.at < stock.supply_at:
        return 0
    if new.on_order in (stock.on_order, stock.on_order + stock.in_transit):
        return 0
    return new.on_order - stock.on_order


def _in_flight(turn: Turn, row: bytes, new: Reported) -> bool:
    """Whether the difference is goods on their way here that the ERP has booked in already."""
    pieces = [piece.qty for piece in open_supply(turn, row) if piece.kind in ("transfer", "shipment")]
    return new.difference in pieces or new.difference == sum(pieces) > 0


def _causes(
    turn: Turn, row: bytes, stock: Stock, new: Reported, old: Reported | None, kept: int
) -> list[dict[str, Any]]:
    """The ranked causes of what is new in the difference, before those that an open alert names already."""
    before = old.difference if old is not None and old.causes else 0
    known = old.causes if old is not None and before else []
    fresh = new.difference - before
    if not fresh:
        return known
    since = old.at if old is not None and old.at < new.at else stock.floor_at
    found = [_cause_view(cause) for cause in find_causes(turn, row, stock, new.at, since, fresh, kept)]
    if known and found and found[0]["cause"] == "unknown":
        return [*known, *found]
    return [*found, *known]


def _cause_view(cause: Cause) -> dict[str, Any]:
    return {"cause": cause.kind, "events": cause.events, "explains": cause.explains, "score": cause.score}
