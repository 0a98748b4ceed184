"""Stock: movements and counts, reservations and transfers.

Rows: those of `agents.ledger`, `Reservation` and `Transfer`. Each open reservation and transfer has a key by which it
is listed and one that asks for a look when its time comes.
"""

from agents import alerts, due, ledger, supply
from agents.demand import settle_issues
from agents.ledger import record
from agents.turn import Turn
from engine.core import payloads as p
from engine.core.values import DAY, instant, iso
from tables import keys
from tables.stock import RESERVATION, TRANSFER, Reservation, Stock, Transfer

# movements ------------------------------------------------------------------------------------------------------------


def adjust(turn: Turn, row: bytes, data: p.StockAdjustedData) -> None:
    """`stock.adjusted`: a signed correction."""
    if data.status == "held":
        record(turn, row, 0, data.qty)
    else:
        record(turn, row, data.qty, 0)


def receive(turn: Turn, row: bytes, data: p.GoodsReceivedData) -> None:
    """`goods.received`: good to available, held to held, damaged to nothing."""
    record(turn, row, data.qty, data.held, data.order or "")
    if data.damaged:
        evidence = {"receipt": data.receipt, "damaged": data.damaged, "order": data.order, "events": [turn.ref]}
        alerts.raise_fact(turn, row, "damaged_receipt", evidence, turn.ref)


def return_(turn: Turn, row: bytes, data: p.StockReturnedData) -> None:
    """`stock.returned`: to available, held or scrap."""
    available = data.qty if data.disposition == "available" else 0
    held = data.qty if data.disposition == "held" else 0
    record(turn, row, available, held)


def hold(turn: Turn, row: bytes, data: p.StockStatusData) -> None:
    """`stock.held`: available to held."""
    record(turn, row, -data.qty, data.qty)


def release(turn: Turn, row: bytes, data: p.StockStatusData) -> None:
    """`stock.released`: held to available."""
    record(turn, row, data.qty, -data.qty)


def issue(turn: Turn, row: bytes, data: p.StockIssuedData) -> None:
    """`stock.issued`: leaves available and the reservation; counts as demand of its local day."""
    record(turn, row, -data.qty, 0)
    stock = turn.stock(row)
    day = turn.local_day(data.location, turn.at)
    if day != stock.issue_day:
        settle_issues(turn, row, stock)
        stock.issue_day = day
    stock.issue_qty += data.qty
    if data.reservation is not None:
        reservation = _reservation(turn, row, data.reservation)
        reservation.issued += data.qty
        _settle_reservation(turn, row, data.reservation, reservation)


def row_location(row: bytes) -> str:
    """The location of a row."""
    return row[row.index(0) + 1 :].decode()


# counts ---------------------------------------------------------------------------------------------------------------


def count(turn: Turn, row: bytes, data: p.StockCountedData) -> None:
    """`stock.counted`: the balance as of the event's time was `qty`; later movements stay on top.

    A count from before the window is applied as of the window's beginning, and says so in an alert.
    """
    taken = ledger.count(turn, row, data.qty, data.status == "held")
    if taken is not None and taken.covers > taken.at:
        evidence = {
            "counted_at": iso(taken.at), "applied_as_of": iso(taken.covers), "qty": data.qty, "status": data.status,
            "events": [turn.ref],
        }  # fmt: skip
        alerts.raise_fact(turn, row, "late_count", evidence, turn.ref)


# reservations ---------------------------------------------------------------------------------------------------------


def reserve(turn: Turn, row: bytes, data: p.StockReservedData) -> None:
    """`stock.reserved`: reserved again under the same id replaces the quantity (latest `time`)."""
    reservation = _reservation(turn, row, data.reservation)
    rank = (0, turn.at, turn.identity)
    if reservation.rank is None or rank > reservation.rank:
        reservation.rank = rank
        reservation.qty = data.qty
        reservation.expires = None if data.expires is None else instant(data.expires)
    _settle_reservation(turn, row, data.reservation, reservation)


def release_reservation(turn: Turn, row: bytes, data: p.ReservationReleasedData) -> None:
    """`reservation.released`: gives `qty` back; without `qty` the reservation is over for good."""
    reservation = _reservation(turn, row, data.reservation)
    if data.qty is None:
        reservation.over = True
    else:
        reservation.released += data.qty
    _settle_reservation(turn, row, data.reservation, reservation)


def _reservation(turn: Turn, row: bytes, name: str) -> Reservation:
    reservation: Reservation = turn.edit(keys.part(RESERVATION, row, name), Reservation)
    return reservation


def _settle_reservation(turn: Turn, row: bytes, name: str, reservation: Reservation) -> None:
    stock = turn.stock(row)
    before, after = reservation.counted, reservation.open(turn.now)
    stock.reserved += after - before
    reservation.counted = after
    turn.list_open(row, due.RESERVATION, name, bool(before), bool(after))
    due_at = reservation.expires if after else None
    due.schedule(turn, row, stock, due.RESERVATION, name, reservation.due_at, due_at)
    reservation.due_at = due_at


def expire_reservation(turn: Turn, row: bytes, name: str) -> None:
    """Drop a reservation whose time is over."""
    _settle_reservation(turn, row, name, _reservation(turn, row, name))


# transfers ------------------------------------------------------------------------------------------------------------


def ship_transfer(turn: Turn, origin: bytes, destination: bytes, data: p.TransferShippedData) -> None:
    """`transfer.shipped`: leaves `from`, in transit to `to`."""
    record(turn, origin, -data.qty, 0, f"transfer {data.transfer}")
    transfer = _transfer(turn, destination, data.transfer)
    before, day = transfer.in_transit, transfer.eta
    transfer.origin = min(data.origin, transfer.origin or data.origin)
    transfer.shipped += data.qty
    transfer.shipped_at = max(turn.at, transfer.shipped_at)
    rank = (0, turn.at, turn.identity)
    if data.eta is not None and (transfer.eta_rank is None or rank > transfer.eta_rank):
        transfer.eta, transfer.eta_rank = data.eta.toordinal(), rank
    _settle_transfer(turn, destination, data.transfer, transfer, (before, day))


def receive_transfer(turn: Turn, destination: bytes, data: p.TransferReceivedData) -> None:
    """`transfer.received`: arrives at `to`."""
    record(turn, destination, data.qty, data.held, f"transfer {data.transfer}")
    transfer = _transfer(turn, destination, data.transfer)
    before = transfer.in_transit
    transfer.received += data.qty + data.held
    _settle_transfer(turn, destination, data.transfer, transfer, (before, transfer.eta))


def _transfer(turn: Turn, row: bytes, name: str) -> Transfer:
    transfer: Transfer = turn.edit(keys.part(TRANSFER, row, name), Transfer)
    return transfer


def _settle_transfer(turn: Turn, row: bytes, name: str, transfer: Transfer, before: tuple[int, int | None]) -> None:
    """Carry what is in transit now to the row; `before` is what was in transit and the day it was due."""
    stock = turn.stock(row)
    after = transfer.in_transit
    stock.in_transit += after - before[0]
    supply.add(turn, row, before[1], -before[0])
    supply.add(turn, row, transfer.eta, after)
    supply.transit(turn, row, before[0], after)
    turn.list_open(row, due.TRANSFER, name, bool(before[0]), bool(after))
    due_at = _lost_at(turn, row, transfer) if after else None
    due.schedule(turn, row, stock, due.TRANSFER, name, transfer.due_at, due_at)
    transfer.due_at = due_at
    if not after:
        alerts.clear_alert(turn, row, "lost_in_transit", name)


def _lost_at(turn: Turn, row: bytes, transfer: Transfer) -> int:
    """When what is still in transit of a transfer counts as lost."""
    if transfer.eta is None:
        return transfer.shipped_at + turn.rules.lost_in_transit_days * DAY
    return turn.day_begins(row_location(row), transfer.eta + 1 + turn.rules.lost_in_transit_days)


def report_lost(turn: Turn, row: bytes, name: str) -> None:
    """Raise `lost_in_transit` for a transfer that is long overdue."""
    transfer = _transfer(turn, row, name)
    transfer.due_at = None
    evidence = {
        "transfer": name, "from": transfer.origin, "shipped": transfer.shipped, "received": transfer.received,
        "missing": transfer.in_transit, "shipped_at": iso(transfer.shipped_at),
    }  # fmt: skip
    alerts.raise_alert(turn, row, "lost_in_transit", evidence, name)


# negative stock -------------------------------------------------------------------------------------------------------


def watch_negative(turn: Turn, row: bytes, stock: Stock) -> None:
    """Raise `negative_stock` while available is below 0; the sign is kept, the evidence is the lowest so far."""
    if stock.available < 0:
        if stock.negative_since is None:
            stock.negative_since = turn.now
            stock.negative_lowest = 0
        if stock.available < stock.negative_lowest:
            stock.negative_lowest = stock.available
            evidence = {"lowest": stock.available, "since": iso(stock.negative_since), "events": [turn.ref]}
            alerts.raise_alert(turn, row, "negative_stock", evidence)
    elif stock.negative_since is not None:
        stock.negative_since = None
        alerts.clear_alert(turn, row, "negative_stock")
