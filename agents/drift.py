"""Drift: what the ERP reports against what is kept, as of the same moment, with a cause.

Rows: `Reported`: the latest report, and beside it the engine's balances as of the same moment, which late movements
and counts adjust (`agents.ledger`). A report is compared, never applied. Goods that are in transit are no drift, since
the ERP may have booked them already. A cause that an open alert names is not looked for again, and a difference that
only shrinks needs no other cause.
"""

from agents import alerts, ledger, supply
from agents.drift_causes import MAX_CAUSES, Cause, find_causes
from agents.turn import Site
from engine.core import payloads as p
from engine.core.values import iso
from tables.drift import REPORTED, Reported
from tables.stock import Stock


def report(site: Site, data: p.BalanceReportedData) -> None:
    """`balance.reported`: compare it with the balance as of its moment; the latest report counts."""
    turn, stock = site.turn, site.stock
    ledger.advance(site)
    old = turn.get(REPORTED + site.row)
    if old is not None and (turn.at, turn.identity) <= (old.at, old.identity):
        return
    if turn.at < stock.floor_at:
        evidence = {"reported_at": iso(turn.at), "kept_since": iso(stock.floor_at), "events": [turn.ref]}
        alerts.raise_fact(site, "late_count", evidence, turn.ref)
        return
    kept = ledger.as_of(site, turn.at, old)
    stock.reported_at = turn.at
    new = Reported(
        kept.available, kept.held, kept.available_count, kept.held_count,
        at=turn.at, identity=turn.identity, ref=turn.ref,
        on_hand=data.on_hand, on_hold=data.held, on_order=data.on_order,
    )  # fmt: skip
    if old is not None:
        new.difference, new.causes = old.difference, old.causes
    turn.put(REPORTED + site.row, new)
    _compare(site, new, old.at if old is not None else stock.floor_at)


def recheck(site: Site) -> None:
    """Compare again: something has come that the last report should have held."""
    key = REPORTED + site.row
    if site.turn.get(key) is not None:
        _compare(site, site.turn.edit(key, Reported), None)


def _compare(site: Site, reported: Reported, since: int | None) -> None:
    """Compare a report with the engine's balances; raise or resolve `balance_drift`.

    Args:
        site: the row.
        reported: the report; its `difference` and `causes` are still those of the last comparison.
        since: the moment of the report before; None if this report is compared again.
    """
    stock = site.stock
    before, reported.difference = reported.difference, reported.on_hand - reported.available - reported.held
    held_difference = 0 if reported.on_hold is None else reported.on_hold - reported.held
    order_difference = _order_difference(stock, reported)
    differences = (reported.difference, held_difference, order_difference)
    explained = max(map(abs, differences)) <= site.turn.rules.balance_tolerance
    if explained or (not held_difference and supply.in_flight(site, reported.difference)):
        reported.causes = []
        alerts.clear_alert(site, "balance_drift")
        return
    reported.causes = _causes(site, reported, before if reported.causes else 0, since)
    alerts.raise_alert(site, "balance_drift", _evidence(stock, reported, held_difference, order_difference))


def _evidence(stock: Stock, reported: Reported, held_difference: int, order_difference: int) -> dict[str, object]:
    evidence: dict[str, object] = {
        "as_of": iso(reported.at), "reported": reported.on_hand, "kept": reported.available + reported.held,
        "difference": reported.difference, "report": reported.ref, "causes": reported.causes,
    }  # fmt: skip
    if held_difference:
        evidence["held"] = {"reported": reported.on_hold, "kept": reported.held, "difference": held_difference}
    if order_difference:
        evidence["on_order"] = {
            "reported": reported.on_order, "kept": stock.on_order, "difference": order_difference,
        }  # fmt: skip
    return evidence


def _order_difference(stock: Stock, reported: Reported) -> int:
    """How far the reported order balance differs. ERPs count goods in transit as on order or not: both are right.

    What is on order is not kept as of past moments: a report older than the last change cannot be compared.
    """
    if reported.on_order is None or reported.at < stock.supply_at:
        return 0
    if reported.on_order in (stock.on_order, stock.on_order + stock.in_transit):
        return 0
    return reported.on_order - stock.on_order


def _causes(site: Site, reported: Reported, before: int, since: int | None) -> list[dict[str, object]]:
    """The ranked causes of what is new in the difference, before those that an open alert names already.

    `before` is the difference that the known causes explain. A late movement that lets it shrink needs no other cause.
    """
    known, fresh = reported.causes, reported.difference - before
    shrinks = abs(reported.difference) <= abs(before) and reported.difference * before >= 0
    if not fresh or (known and shrinks and since is None):
        return known
    kept, since = reported.available + reported.held, site.stock.floor_at if since is None else since
    found = [_cause_view(cause) for cause in find_causes(site, (reported.at, since), fresh, kept)]
    if known and found[0]["cause"] == "unknown":
        return [*known, *found][:MAX_CAUSES]
    return [*found, *known][:MAX_CAUSES]


def _cause_view(cause: Cause) -> dict[str, object]:
    return {"cause": cause.kind, "events": cause.events, "explains": cause.explains, "score": cause.score}
