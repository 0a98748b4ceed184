"""Purchase orders: what is ordered, promised, shipped and received, and so what is on order and in transit.

Rows: `Order` (the lines of an order at a row), `Shipment` (for receipts that name only it). Every line is a function of
the set of its events: each field keeps the rank (revision, time, identity) of the event that set it.
"""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from agents import alerts
from agents.stock import list_document, row_location
from agents.turn import Turn
from engine.core import payloads as p
from engine.core.values import DAY, day_of
from tables import keys
from tables.rows import Line, Order, Rank, Shipment, Shipped

UNDATED = 10**7
"""A day after all others."""
MAX_LEAD_TIMES = 26
"""How many completed lines the lead time is learned from."""


class Owed(Struct, frozen=True):
    """What a line still owes, in base units."""

    promised: int
    received: int
    on_order: int
    in_transit: int


def owed(line: Line, extra: int = 0) -> Owed:
    """What a line owes; `extra` was received for it without naming it."""
    received = line.received + extra
    promised = promised_of(line)
    if line.ended:
        return Owed(promised, received, 0, 0)
    shipped = sum(shipment.qty for shipment in line.shipments.values())
    in_transit = max(0, shipped - received)
    return Owed(promised, received, max(0, max(0, promised - received) - in_transit), in_transit)


def promised_of(line: Line) -> int:
    """What is ordered, or once acknowledged what is not rejected of it."""
    ordered = line.ordered or 0
    if line.promised_rank is None:
        return ordered
    return min(ordered, sum(qty for status, qty, _ in line.promises if status != "rejected"))


def shares(order: Order) -> list[tuple[Line, Owed]]:
    """The lines of an order by number, each with what it owes; what was received without a line fills them in turn."""
    left = order.unlined
    result = []
    lines = [order.lines[number] for number in sorted(order.lines, key=lambda n: (len(n), n))]
    for line in lines:
        extra = 0
        if left:
            room = owed(line)
            extra = min(left, room.on_order + room.in_transit)
            left -= extra
        result.append((line, owed(line, extra)))
    if left and result:
        line, share = result[0]
        result[0] = (line, owed(line, share.received - line.received + left))
    return result


# transitions ----------------------------------------------------------------------------------------------------------


def place(turn: Turn, row: bytes, data: p.OrderPlacedData) -> None:
    """`order.placed`."""
    order = edit_order(turn, row, data.order)
    line = edit_line(order, data.line)
    line.supplier = data.supplier
    line.placed_at = turn.at if line.placed_at is None else min(line.placed_at, turn.at)
    _order_quantity(turn, line, data.revision, data.qty, data.due.toordinal())
    settle(turn, row, data.order, order)


def change(turn: Turn, row: bytes, data: p.OrderChangedData) -> None:
    """`order.changed`: quantity, date, or both."""
    order = edit_order(turn, row, data.order)
    line = edit_line(order, data.line)
    _order_quantity(turn, line, data.revision, data.qty, data.due.toordinal() if data.due else None)
    settle(turn, row, data.order, order)


def end(turn: Turn, row: bytes, data: p.OrderEndedData) -> None:
    """`order.cancelled`, `order.closed`: nothing more is expected on the line, for good."""
    order = edit_order(turn, row, data.order)
    edit_line(order, data.line).ended = True
    settle(turn, row, data.order, order)


def acknowledge(turn: Turn, row: bytes, data: p.OrderAcknowledgedData) -> None:
    """`order.acknowledged`: the latest by `time` replaces the earlier ones."""
    order = edit_order(turn, row, data.order)
    line = edit_line(order, data.line)
    rank = (0, turn.at, turn.identity)
    if line.promised_rank is None or rank > line.promised_rank:
        line.promised_rank = rank
        line.promises = [(e.status, e.qty, e.due.toordinal() if e.due else None) for e in data.schedule]
    settle(turn, row, data.order, order)


def notify_shipment(turn: Turn, row: bytes, data: p.ShipmentNotifiedData) -> None:
    """`shipment.notified`: moves open quantity of the line to in transit; takes up receipts that came before it."""
    order = edit_order(turn, row, data.order)
    line = edit_line(order, data.line)
    _ship(turn, line, data)
    index: Shipment = turn.edit(keys.part(keys.SHIPMENT, row, data.shipment), Shipment)
    if index.order is None:
        index.order, index.line = data.order, line.number
        for qty, at in index.orphans:
            _receive_on(line, qty, data.shipment, at)
        index.orphans = []
    settle(turn, row, data.order, order)


def receive(turn: Turn, row: bytes, data: p.GoodsReceivedData) -> None:
    """`goods.received`: reduces what the line and the shipment still owe."""
    total = data.qty + data.held + data.damaged
    order_name, number = data.order, None if data.line is None else str(data.line)
    if order_name is None and data.shipment is not None:
        index: Shipment = turn.edit(keys.part(keys.SHIPMENT, row, data.shipment), Shipment)
        order_name, number = index.order, index.line
        if order_name is None:
            index.orphans = [*index.orphans, (total, turn.at)]
    if order_name is None:
        return
    order = edit_order(turn, row, order_name)
    if number is None:
        order.unlined += total
        for line in order.lines.values() if data.closes_line and len(order.lines) == 1 else ():
            edit_line(order, line.number).ended = True
    else:
        line = edit_line(order, number)
        _receive_on(line, total, data.shipment, turn.at)
        line.ended |= data.closes_line
    settle(turn, row, order_name, order)


def edit_order(turn: Turn, row: bytes, name: str) -> Order:
    """The order `name` at a row, to be changed by this turn."""
    order: Order = turn.edit(keys.part(keys.ORDER, row, name), Order)
    return order


def edit_line(order: Order, number: int | str) -> Line:
    """A line of an order that is being changed, to be changed too."""
    name = str(number)
    old = order.lines.get(name)
    line = Line(name) if old is None else replace(old)
    order.lines = {**order.lines, name: line}
    return line


def _order_quantity(turn: Turn, line: Line, revision: int, qty: int | None, due: int | None) -> None:
    rank: Rank = (revision, turn.at, turn.identity)
    if qty is not None and (line.ordered_rank is None or rank > line.ordered_rank):
        line.ordered, line.ordered_rank = qty, rank
    if due is not None and (line.due_rank is None or rank > line.due_rank):
        line.due, line.due_rank = due, rank


def _ship(turn: Turn, line: Line, data: p.ShipmentNotifiedData) -> None:
    shipped = replace(line.shipments.get(data.shipment, Shipped()))
    shipped.qty += data.qty
    if data.eta is not None and turn.at >= shipped.eta_at:
        shipped.eta, shipped.eta_at = data.eta.toordinal(), turn.at
    line.shipments = {**line.shipments, data.shipment: shipped}


def _receive_on(line: Line, total: int, shipment: str | None, at: int) -> None:
    line.received += total
    line.last_received_at = max(line.last_received_at, at)
    if shipment is not None:
        shipped = replace(line.shipments.get(shipment, Shipped()))
        shipped.received += total
        line.shipments = {**line.shipments, shipment: shipped}


# consequences ---------------------------------------------------------------------------------------------------------


def settle(turn: Turn, row: bytes, name: str, order: Order) -> None:
    """Carry what an order owes now to its row; watch its lines."""
    stock = turn.stock(row)
    stock.supply_at = max(stock.supply_at, turn.at)
    on_order = in_transit = 0
    for line, share in shares(order):
        on_order += share.on_order
        in_transit += share.in_transit
        _watch_line(turn, row, name, line, share)
        _learn_lead_time(turn, row, order, line, share)
    stock.on_order += on_order - order.counted_on_order
    stock.in_transit += in_transit - order.counted_in_transit
    order.counted_on_order, order.counted_in_transit = on_order, in_transit
    list_document(turn, row, "orders", name, bool(on_order or in_transit))


def _learn_lead_time(turn: Turn, row: bytes, order: Order, line: Line, share: Owed) -> None:
    complete = line.received and not share.on_order and not share.in_transit
    if line.sampled or not complete or line.placed_at is None or not line.ordered:
        return
    line = edit_line(order, line.number)
    line.sampled = True
    plan = turn.plan(row)
    days = max(0, line.last_received_at - (line.placed_at or 0)) // DAY
    plan.lead_times = [*plan.lead_times, days][-MAX_LEAD_TIMES:]


def _watch_line(turn: Turn, row: bytes, name: str, line: Line, share: Owed) -> None:
    label = f"{name}/{line.number}"
    _watch_excess(turn, row, label, line, share)
    _watch_short(turn, row, label, line, share)
    _watch_late(turn, row, label, line, share)


def _watch_excess(turn: Turn, row: bytes, label: str, line: Line, share: Owed) -> None:
    if line.ordered is None:
        return
    shipped = sum(shipment.qty for shipment in line.shipments.values())
    acknowledged = sum(qty for status, qty, _ in line.promises if status != "rejected")
    if max(share.received, shipped, acknowledged) > line.ordered:
        evidence = {
            "line": label, "ordered": line.ordered, "acknowledged": acknowledged, "shipped": shipped,
            "received": share.received, "supplier": line.supplier, "events": [turn.ref],
        }  # fmt: skip
        alerts.raise_alert(turn, row, "over_receipt", evidence, label)
    else:
        alerts.clear_alert(turn, row, "over_receipt", label)


def _watch_short(turn: Turn, row: bytes, label: str, line: Line, share: Owed) -> None:
    short = line.promised_rank is not None and not line.ended and share.promised < (line.ordered or 0)
    if (short and share.received < share.promised) or (short and not share.promised):
        evidence = {
            "line": label, "ordered": line.ordered, "promised": share.promised, "supplier": line.supplier,
            "missing": (line.ordered or 0) - share.promised, "schedule": _schedule(line),
        }  # fmt: skip
        alerts.raise_alert(turn, row, "short_ack", evidence, label)
    else:
        alerts.clear_alert(turn, row, "short_ack", label)


def _watch_late(turn: Turn, row: bytes, label: str, line: Line, share: Owed) -> None:
    open_qty = share.on_order + share.in_transit
    promised = latest_promise(line)
    if not open_qty or promised is None:
        alerts.clear_alert(turn, row, "late_supply", label)
        return
    location = row_location(row)
    today = turn.local_today(location)
    overdue = promised < today
    if overdue or (line.due is not None and promised > line.due):
        evidence = {
            "line": label, "open": open_qty, "due": _date(line.due), "promised": _date(promised),
            "overdue": overdue, "supplier": line.supplier,
        }  # fmt: skip
        alerts.raise_alert(turn, row, "late_supply", evidence, label)
    else:
        alerts.clear_alert(turn, row, "late_supply", label)
    if not overdue:
        turn.wake(turn.stock(row), turn.day_begins(location, promised + 1))


def latest_promise(line: Line) -> int | None:
    """The latest day on which something of a line is promised: by shipment, acknowledgement or order."""
    etas = [s.eta for s in line.shipments.values() if s.eta is not None and s.received < s.qty]
    dues = [due for status, qty, due in line.promises if due is not None and qty and status != "rejected"]
    days = [*etas, *dues] or ([line.due] if line.due is not None else [])
    return max(days, default=None)


def check_orders(turn: Turn, row: bytes) -> None:
    """Look at the dates of all open lines again: the clock has moved."""
    for name in turn.documents(row).orders:
        order: Any = turn.get(keys.part(keys.ORDER, row, name))
        for line, share in shares(order):
            _watch_late(turn, row, f"{name}/{line.number}", line, share)


def _schedule(line: Line) -> list[dict[str, Any]]:
    return [{"status": status, "qty": qty, "due": _date(due)} for status, qty, due in line.promises]


def _date(ordinal: int | None) -> str | None:
    return None if ordinal is None else day_of(ordinal).isoformat()


# supply by date -------------------------------------------------------------------------------------------------------


class Supply(Struct, frozen=True):
    """One dated piece of supply. `day` is None where nobody has promised a date."""

    document: str
    day: int | None
    qty: int
    kind: str
    overdue: bool = False


def open_supply(turn: Turn, row: bytes) -> list[Supply]:
    """Everything that is still to come to a row: shipments, promised and ordered quantities, transfers."""
    documents = turn.documents(row)
    supply: list[Supply] = []
    for name in documents.orders:
        for line, share in shares(turn.get(keys.part(keys.ORDER, row, name))):
            supply += _line_supply(f"{name}/{line.number}", line, share)
    for name in documents.transfers:
        transfer: Any = turn.get(keys.part(keys.TRANSFER, row, name))
        supply.append(Supply(name, transfer.eta, transfer.shipped - transfer.received, "transfer"))
    today = turn.local_today(row_location(row))
    return [
        Supply(s.document, today + 1, s.qty, s.kind, True) if s.day is not None and s.day < today else s for s in supply
    ]


def _line_supply(label: str, line: Line, share: Owed) -> list[Supply]:
    return [*_in_transit_supply(label, line, share), *_on_order_supply(label, line, share)]


def _in_transit_supply(label: str, line: Line, share: Owed) -> list[Supply]:
    """What is in transit by shipment; receipts that named no shipment come off the earliest first."""
    by_eta = sorted(line.shipments.items(), key=lambda item: (item[1].eta or UNDATED, item[0]))
    surplus = share.received - sum(min(s.qty, s.received) for _, s in by_eta)
    supply = []
    for name, shipped in by_eta:
        left = max(0, shipped.qty - shipped.received)
        taken = min(left, max(0, surplus))
        surplus -= taken
        if left > taken and share.in_transit:
            supply.append(Supply(f"{label} {name}", shipped.eta or latest_promise(line), left - taken, "shipment"))
    return supply


def _on_order_supply(label: str, line: Line, share: Owed) -> list[Supply]:
    """What is on order by promise, earliest first.

    What is promised beyond the order comes off the latest promises, what is shipped or received off the earliest.
    """
    gone = share.promised - share.on_order
    room = share.promised
    supply = []
    for status, qty, due in _promises(line, share):
        promised = min(qty, room)
        room -= promised
        used = min(promised, gone)
        gone -= used
        if promised > used:
            supply.append(Supply(label, due, promised - used, status))
    return supply


def _promises(line: Line, share: Owed) -> list[tuple[str, int, int | None]]:
    """What a line is promised by date; before an acknowledgement the order itself."""
    if line.promised_rank is None:
        return [("ordered", share.promised, line.due)]
    dated = [(s, qty, due or (None if s == "backordered" else line.due)) for s, qty, due in line.promises]
    return sorted((entry for entry in dated if entry[0] != "rejected"), key=lambda entry: entry[2] or UNDATED)


def check_line(turn: Turn, row: bytes, name: str) -> None:
    """Temporary."""
