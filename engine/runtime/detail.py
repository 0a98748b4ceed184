"""One row in full, read from committed state: position, projection, documents, forecast, policy, signal, alerts."""

import json
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import msgspec

from agents import due
from agents.alerts import alert_of, kind_of
from agents.forecast import forecast_view
from agents.lines import Supply, owed
from agents.outlook import need_of, projection_of, projection_view
from agents.purchasing import open_lines, shipments_of, supply_of
from agents.replenishment import signal_of
from agents.stock import row_location
from agents.turn import Calendar, Turn
from engine.bus.single import Kept
from engine.core.rules import Rules
from engine.core.values import day_of, iso, partition_of
from tables import keys
from tables.alerts import ALERT, AlertRow
from tables.feeds import Feeds
from tables.purchasing import Line, line_parts
from tables.signals import SIGNAL, SignalRow
from tables.stock import RESERVATION, STOCK, TRANSFER, Reservation, Stock, Transfer
from tables.wakes import open_name, open_range
from tables.workspace import Workspace

READ_MEMORY_BYTES = 1 << 20
MAX_DOCUMENTS = 1000
"""How many open documents of a kind are listed."""
MAX_PIECES = 200
"""How many pieces of supply are listed."""
MAX_SHIPMENTS = 100
"""How many shipments of a line are listed."""


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
    stock: Stock | None = space.get(STOCK + row)
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
    lines = list(open_lines(turn, row, MAX_DOCUMENTS))
    transfers = [(name, turn.require(keys.part(TRANSFER, row, name))) for name in _open(turn, row, due.TRANSFER)]
    reservations = _open(turn, row, due.RESERVATION)
    return {
        "orders": [_line(turn, row, name, line) for name, line in lines],
        "supply": _supply(turn, row, [name for name, _ in lines], transfers),
        "transfers": [_transfer(name, transfer) for name, transfer in transfers],
        "reservations": [
            _reservation(name, turn.require(keys.part(RESERVATION, row, name)), turn.now) for name in reservations
        ],
    }


def _open(turn: Turn, row: bytes, kind: bytes) -> list[str]:
    """The names of the open documents of a kind."""
    found = turn.scan(*open_range(row, kind))
    return [open_name(key, row) for key, _ in islice(found, MAX_DOCUMENTS)]


def _supply(turn: Turn, row: bytes, lines: list[str], transfers: list[tuple[str, Transfer]]) -> list[dict[str, Any]]:
    """The first pieces of supply; what is overdue counts tomorrow."""
    today = turn.local_today(row_location(row))
    pieces = chain(
        chain.from_iterable(supply_of(turn, row, name) for name in lines),
        (Supply(name, transfer.eta, transfer.in_transit, "transfer") for name, transfer in transfers),
    )
    views = []
    for piece in islice(pieces, MAX_PIECES):
        overdue = piece.day is not None and piece.day < today
        day = today + 1 if overdue else piece.day
        views.append(msgspec.to_builtins(piece) | {"day": _date(day), "overdue": overdue})
    return views


def _line(turn: Turn, row: bytes, name: str, line: Line) -> dict[str, Any]:
    order, number = line_parts(name)
    share = owed(line)
    return {
        "order": order,
        "line": number,
        "supplier": line.supplier,
        "ordered": line.ordered,
        "due": _date(line.due),
        "acknowledged": [{"status": s, "qty": q, "due": _date(d)} for s, q, d in line.promises],
        "shipments": {
            shipment: {"qty": piece.qty, "received": piece.received, "eta": _date(piece.eta)}
            for shipment, piece in shipments_of(turn, row, name, MAX_SHIPMENTS)
        },
        "promised": share.promised,
        "received": share.received,
        "on_order": share.on_order,
        "in_transit": share.in_transit,
        "closed": line.closed,
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
        "forecast": forecast_view(turn, row),
        "lead_times_days": plan.lead_times,
    }


def _signal(turn: Turn, row: bytes) -> dict[str, Any] | None:
    signal: SignalRow | None = turn.get(SIGNAL + row)
    if signal is None or signal.status not in ("open", "accepted"):
        return None
    view: dict[str, Any] = msgspec.to_builtins(signal_of(row, signal))
    return view


def _alerts(turn: Turn, row: bytes) -> list[dict[str, Any]]:
    found: Iterator[tuple[bytes, AlertRow]] = turn.scan(*keys.parts_range(ALERT, row))
    return [
        msgspec.to_builtins(alert_of(row, kind_of(key, row), alert))
        for key, alert in found
        if alert.status != "resolved"
    ]


def _date(ordinal: int | None) -> str | None:
    return None if ordinal is None else day_of(ordinal).isoformat()
