"""One row in full, read from committed state: position, projection, documents, forecast, policy, signal, alerts."""

import json
from itertools import chain, islice

import msgspec

from agents import due
from agents.alerts import alert_of
from agents.calendar import Calendar
from agents.explain import terms_of
from agents.forecast import forecast_view
from agents.lines import Supply, owed
from agents.need import need_of
from agents.projection import projection_of, projection_view
from agents.purchasing import open_lines, shipments_of, supply_of
from agents.reader import Context, RowReader, RowView
from agents.signal_life import STANDING, signal_of
from engine.bus.single import Kept
from engine.core.rules import Rules
from engine.core.values import day_of, iso, partition_of
from tables import keys
from tables.alerts import ALERT
from tables.feeds import Feeds
from tables.purchasing import Line, line_parts
from tables.signals import SIGNAL
from tables.stock import RESERVATION, STOCK, TRANSFER, Reservation, Transfer
from tables.wakes import open_name, open_range
from tables.workspace import Workspace

READ_MEMORY_BYTES = 1 << 20
MAX_DOCUMENTS = 1000
"""How many open documents of a kind are listed."""
MAX_PIECES = 200
"""How many pieces of supply are listed."""
MAX_SHIPMENTS = 100
"""How many shipments of a line are listed."""


def row_detail(bus: Kept, rules: Rules, now: int, name: tuple[str, str], days: int) -> dict[str, object] | None:
    """All about one row, JSON-ready; None if there is no such row.

    Args:
        bus: its committed state is read.
        rules: the engine's rules.
        now: the instant to look from, in microseconds.
        name: (sku, location).
        days: the horizon of the projection, at most 365.
    """
    view = row_view(bus, rules, now, name)
    published = None if view is None else bus.published.latest("positions", view.row.decode())
    if view is None or published is None:
        return None
    days_ahead = projection_view(projection_of(view, days))
    return {
        **json.loads(published)["data"],
        "as_of": iso(now),
        "projection": days_ahead,
        "atp": [{"date": day["date"], "atp": day["atp"]} for day in days_ahead],
        **_documents(view),
        **_planning(view),
        "signal": _signal(view),
        "alerts": _alerts(view),
    }


def row_view(bus: Kept, rules: Rules, now: int, name: tuple[str, str]) -> RowView | None:
    """One row of committed state, to be read; None if there is no such row. The arguments are those of `row_detail`."""
    sku, location = name
    row = keys.row(sku, location)
    space = Workspace(bus.state, READ_MEMORY_BYTES)
    stock = space.get(STOCK + row)
    if stock is None:
        return None
    context = Context(space, rules, Calendar(), Feeds(), partition_of(sku, bus.partitions))
    return RowView(RowReader(context, now), row, stock)


def _documents(view: RowView) -> dict[str, object]:
    reader, row = view.reader, view.row
    lines = list(open_lines(view, MAX_DOCUMENTS))
    transfers = [(name, reader.require(keys.part(TRANSFER, row, name))) for name in _open(view, due.TRANSFER)]
    reservations = [(name, reader.require(keys.part(RESERVATION, row, name))) for name in _open(view, due.RESERVATION)]
    return {
        "orders": [_line(view, name, line) for name, line in lines],
        "supply": _supply(view, lines, transfers),
        "transfers": [_transfer(name, transfer) for name, transfer in transfers],
        "reservations": [_reservation(name, reservation, reader.now) for name, reservation in reservations],
    }


def _open(view: RowView, kind: bytes) -> list[str]:
    """The names of the open documents of a kind."""
    found = view.reader.scan(*open_range(view.row, kind))
    return [open_name(key, view.row) for key, _ in islice(found, MAX_DOCUMENTS)]


def _supply(
    view: RowView, lines: list[tuple[str, Line]], transfers: list[tuple[str, Transfer]]
) -> list[dict[str, object]]:
    """The first pieces of supply; what is overdue counts tomorrow."""
    pieces = chain(
        chain.from_iterable(supply_of(view, name, line) for name, line in lines),
        (Supply(name, transfer.eta, transfer.in_transit, "transfer") for name, transfer in transfers),
    )
    views = []
    for piece in islice(pieces, MAX_PIECES):
        overdue = piece.day is not None and piece.day < view.today
        day = view.today + 1 if overdue else piece.day
        views.append(msgspec.to_builtins(piece) | {"day": _date(day), "overdue": overdue})
    return views


def _line(view: RowView, name: str, line: Line) -> dict[str, object]:
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
            for shipment, piece in shipments_of(view, name, MAX_SHIPMENTS)
        },
        "promised": share.promised,
        "received": share.received,
        "on_order": share.on_order,
        "in_transit": share.in_transit,
        "closed": line.closed,
    }


def _transfer(name: str, transfer: Transfer) -> dict[str, object]:
    return {
        "transfer": name,
        "from": transfer.origin,
        "shipped": transfer.shipped,
        "received": transfer.received,
        "eta": _date(transfer.eta),
    }


def _reservation(name: str, reservation: Reservation, now: int) -> dict[str, object]:
    return {
        "reservation": name,
        "qty": reservation.qty,
        "open": reservation.open(now),
        "expires": None if reservation.expires is None else iso(reservation.expires),
    }


def _planning(view: RowView) -> dict[str, object]:
    plan, need = view.plan, need_of(view)
    return {
        "policy": msgspec.to_builtins(plan.policy) if plan.policy else None,
        "reorder": {"s": need.s, "S": need.S, "terms": terms_of(need)} if need else None,
        "forecast": forecast_view(view),
        "lead_times_days": plan.lead_times,
    }


def _signal(view: RowView) -> dict[str, object] | None:
    signal = view.reader.get(SIGNAL + view.row)
    if signal is None or signal.status not in STANDING:
        return None
    shown: dict[str, object] = msgspec.to_builtins(signal_of(view.reader, view.row, signal))
    return shown


def _alerts(view: RowView) -> list[dict[str, object]]:
    found = view.reader.scan(*keys.parts_range(ALERT, view.row))
    return [
        msgspec.to_builtins(alert_of(view.reader, view.row, key, alert))
        for key, alert in found
        if alert.status != "resolved"
    ]


def _date(ordinal: int | None) -> str | None:
    return None if ordinal is None else day_of(ordinal).isoformat()
