"""One row in full, read from committed state: position, projection, documents, forecast, policy, signal, alerts."""

import json
from typing import Any

import msgspec

from agents.alerts import alert_of, kind_of
from agents.outlook import need_of, projection_of, projection_view
from agents.planning import forecast_view
from agents.purchasing import open_supply, shares
from agents.replenishment import signal_of
from agents.turn import Calendar, Turn
from engine.bus.base import Kept
from engine.core.rules import Rules
from engine.core.values import day_of, iso, partition_of
from tables import keys
from tables.feeds import Feeds
from tables.rows import AlertRow, Line, Reservation, SignalRow, Stock, Transfer
from tables.workspace import Workspace

READ_MEMORY_BYTES = 1 << 20


def row_detail(bus: Kept, rules: Rules, now: int, name: tuple[str, str], days: int) -> dict[str, Any] | None:
    """Everything about the row `name` (sku, location), JSON-ready; None where there is no such row.

    Args:
        bus: where the committed state is.
        rules: the engine's rules.
        now: the instant to look from.
        name: (sku, location).
        days: the horizon of the projection, at most 365.
    """
    sku, location = name
    row = keys.row(sku, location)
    space = Workspace(bus.state, READ_MEMORY_BYTES)
    stock: Stock | None = space.get(keys.STOCK + row)
    published = bus.published.latest("positions", row.decode())
    if stock is None or published is None:
        return None
    partition = partition_of(sku, bus.partitions)
    turn = Turn(space, rules, Calendar(), Feeds(), partition)
    turn.now = now
    days_ahead = projection_view(projection_of(turn, row, stock, turn.read_plan(row), days))
    return {
        **json.loads(published)["data"],
        "as_of": iso(now),
        "projection": days_ahead,
        "atp": [{"date": day["date"], "atp": day["atp"]} for day in days_ahead],
        **_documents(turn, row),
        **_planning(turn, row, stock),
        "signal": _signal(turn, row),
        "alerts": _alerts(turn, row),
    }


def _documents(turn: Turn, row: bytes) -> dict[str, Any]:
    documents = turn.documents(row)
    orders = [_line(order, line, share) for order in documents.orders
              for line, share in shares(turn.get(keys.part(keys.ORDER, row, order)))]  # fmt: skip
    return {
        "orders": orders,
        "supply": [msgspec.to_builtins(p) | {"day": _date(p.day)} for p in open_supply(turn, row)],
        "transfers": [_transfer(name, turn.get(keys.part(keys.TRANSFER, row, name))) for name in documents.transfers],
        "reservations": [
            _reservation(name, turn.get(keys.part(keys.RESERVATION, row, name)), turn.now)
            for name in documents.reservations
        ],
    }


def _line(order: str, line: Line, share: Any) -> dict[str, Any]:
    return {
        "order": order,
        "line": line.number,
        "supplier": line.supplier,
        "ordered": line.ordered,
        "due": _date(line.due),
        "acknowledged": [{"status": s, "qty": q, "due": _date(d)} for s, q, d in line.promises],
        "shipments": {
            n: {"qty": s.qty, "received": s.received, "eta": _date(s.eta)} for n, s in line.shipments.items()
        },
        "promised": share.promised,
        "received": share.received,
        "on_order": share.on_order,
        "in_transit": share.in_transit,
        "closed": line.ended,
    }


def _transfer(name: str, transfer: Transfer) -> dict[str, Any]:
    return {
        "transfer": name,
        "from": transfer.origin,
        "shipped": transfer.shipped,
        "received": transfer.received,
        "eta": _date(transfer.eta),
    }


def _reservation(name: str, reservation: Reservation, now: int) -> dict[str, Any]:
    return {
        "reservation": name,
        "qty": reservation.qty,
        "open": reservation.open(now),
        "expires": None if reservation.expires is None else iso(reservation.expires),
    }


def _planning(turn: Turn, row: bytes, stock: Stock) -> dict[str, Any]:
    plan = turn.read_plan(row)
    need = need_of(turn, row, stock, plan)
    return {
        "policy": msgspec.to_builtins(plan.policy) if plan.policy else None,
        "reorder": {"s": need.s, "S": need.S, "terms": need.terms} if need else None,
        "forecast": forecast_view(plan) if plan.base or plan.deltas else None,
        "lead_times_days": plan.lead_times,
    }


def _signal(turn: Turn, row: bytes) -> dict[str, Any] | None:
    signal: SignalRow | None = turn.get(keys.SIGNAL + row)
    if signal is None or signal.status not in ("open", "accepted"):
        return None
    view: dict[str, Any] = msgspec.to_builtins(signal_of(row, signal))
    return view


def _alerts(turn: Turn, row: bytes) -> list[dict[str, Any]]:
    found: list[tuple[bytes, AlertRow]] = turn.space.rows_of(keys.ALERT, row)
    return [
        msgspec.to_builtins(alert_of(row, kind_of(key, row), alert))
        for key, alert in found
        if alert.status != "resolved"
    ]


def _date(ordinal: int | None) -> str | None:
    return None if ordinal is None else day_of(ordinal).isoformat()
