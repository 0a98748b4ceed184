"""Stock: movements and counts, reservations and transfers.

Rows: those of `agents.ledger`, `Reservation` and `Transfer`. Each open reservation and transfer has a key by which it
is listed and one that asks for a look when its time comes.
"""

from agents import alerts, due, ledger, supply
from agents.demand import close_issue_day
from agents.ledger import record
from agents.turn import Site
from engine.core import payloads as p
from engine.core.values import DAY, instant, iso
from tables import keys
from tables.stock import RESERVATION, TRANSFER, Reservation, Transfer

# movements ------------------------------------------------------------------------------------------------------------


def adjust(site: Site, data: p.StockAdjustedData) -> None:
    """`stock.adjusted`: a signed correction of available or held stock."""
    if data.status == "held":
        record(site, 0, data.qty)
    else:
        record(site, data.qty, 0)


def receive(site: Site, data: p.GoodsReceivedData) -> None:
    """`goods.received`: good units become available, held ones held; damaged ones are only reported."""
    record(site, data.qty, data.held, data.order or "")
    if data.damaged:
        ref = site.turn.ref
        evidence = {"receipt": data.receipt, "damaged": data.damaged, "order": data.order, "events": [ref]}
        alerts.raise_fact(site, "damaged_receipt", evidence, ref)


def return_(site: Site, data: p.StockReturnedData) -> None:
    """`stock.returned`: the quantity comes back to available, to held, or as scrap to neither."""
    available = data.qty if data.disposition == "available" else 0
    held = data.qty if data.disposition == "held" else 0
    record(site, available, held)


def return_to_supplier(site: Site, data: p.StockReturnedToSupplierData) -> None:
    """`stock.returned_to_supplier`: the quantity leaves stock; what the order line has received stays as it is."""
    available, held = (0, -data.qty) if data.status == "held" else (-data.qty, 0)
    record(site, available, held, data.order or "")


def hold(site: Site, data: p.StockStatusData) -> None:
    """`stock.held`: the quantity moves from available to held."""
    record(site, -data.qty, data.qty)


def release(site: Site, data: p.StockStatusData) -> None:
    """`stock.released`: the quantity moves from held to available."""
    record(site, data.qty, -data.qty)


def issue(site: Site, data: p.StockIssuedData) -> None:
    """`stock.issued`: the quantity leaves available stock and its reservation; it is demand of its local day."""
    record(site, -data.qty, 0)
    stock = site.stock
    day = site.local_day(site.turn.at)
    if day != stock.issue_day:
        close_issue_day(site)
        stock.issue_day = day
    stock.issue_qty += data.qty
    if data.reservation is not None:
        reservation = _reservation(site, data.reservation)
        reservation.issued += data.qty
        _carry_reservation(site, data.reservation, reservation)


# counts ---------------------------------------------------------------------------------------------------------------


def count(site: Site, data: p.StockCountedData) -> None:
    """`stock.counted`: the balance as of the event's time was `qty`; later movements stay on top.

    A count from before the window is applied as of the window's beginning, and says so in an alert.
    """
    turn, taken = site.turn, ledger.count(site, data.qty, data.status == "held")
    if taken is not None and taken.covers > taken.at:
        evidence = {
            "counted_at": iso(taken.at), "applied_as_of": iso(taken.covers), "qty": data.qty, "status": data.status,
            "events": [turn.ref],
        }  # fmt: skip
        alerts.raise_fact(site, "late_count", evidence, turn.ref)


# reservations ---------------------------------------------------------------------------------------------------------


def keys_of_reservation(row: bytes, data: p.StockReservedData) -> list[bytes]:
    """The keys that `stock.reserved` asks for; mostly nothing is there yet."""
    return [keys.part(RESERVATION, row, data.reservation)]


def reserve(site: Site, data: p.StockReservedData) -> None:
    """`stock.reserved`: reserved again under the same id replaces the quantity (latest `time`)."""
    reservation = _reservation(site, data.reservation)
    rank = (0, site.turn.at, site.turn.identity)
    if reservation.rank is None or rank > reservation.rank:
        reservation.rank = rank
        reservation.qty = data.qty
        reservation.expires = None if data.expires is None else instant(data.expires)
    _carry_reservation(site, data.reservation, reservation)


def release_reservation(site: Site, data: p.ReservationReleasedData) -> None:
    """`reservation.released`: gives `qty` back; without `qty` the reservation is over for good."""
    reservation = _reservation(site, data.reservation)
    if data.qty is None:
        reservation.over = True
    else:
        reservation.released += data.qty
    _carry_reservation(site, data.reservation, reservation)


def _reservation(site: Site, name: str) -> Reservation:
    return site.turn.edit(keys.part(RESERVATION, site.row, name), Reservation)


def _carry_reservation(site: Site, name: str, reservation: Reservation) -> None:
    """Carry the difference in what is reserved to the row; list the reservation and its expiry."""
    before, after = reservation.counted, reservation.open(site.turn.now)
    site.stock.reserved += after - before
    reservation.counted = after
    site.list_open(due.RESERVATION, name, bool(before), bool(after))
    due_at = reservation.expires if after else None
    due.schedule(site, due.RESERVATION, name, reservation.due_at, due_at)
    reservation.due_at = due_at


def expire_reservation(site: Site, name: str) -> None:
    """Drop a reservation whose time is over."""
    _carry_reservation(site, name, _reservation(site, name))


# transfers ------------------------------------------------------------------------------------------------------------


def ship_transfer(origin: Site, destination: Site, data: p.TransferShippedData) -> None:
    """`transfer.shipped`: the quantity leaves `from` and is in transit to `to`."""
    turn = origin.turn
    record(origin, -data.qty, 0, f"transfer {data.transfer}")
    transfer = _transfer(destination, data.transfer)
    before, day = transfer.in_transit, transfer.eta
    transfer.origin = min(data.origin, transfer.origin or data.origin)
    transfer.shipped += data.qty
    transfer.shipped_at = max(turn.at, transfer.shipped_at)
    rank = (0, turn.at, turn.identity)
    if data.eta is not None and (transfer.eta_rank is None or rank > transfer.eta_rank):
        transfer.eta, transfer.eta_rank = data.eta.toordinal(), rank
    _carry_transfer(destination, data.transfer, transfer, (before, day))


def receive_transfer(site: Site, data: p.TransferReceivedData) -> None:
    """`transfer.received`: the quantity arrives at `to`."""
    record(site, data.qty, data.held, f"transfer {data.transfer}")
    transfer = _transfer(site, data.transfer)
    before = transfer.in_transit
    transfer.received += data.qty + data.held
    _carry_transfer(site, data.transfer, transfer, (before, transfer.eta))


def _transfer(site: Site, name: str) -> Transfer:
    return site.turn.edit(keys.part(TRANSFER, site.row, name), Transfer)


def _carry_transfer(site: Site, name: str, transfer: Transfer, before: tuple[int, int | None]) -> None:
    """Carry the difference in what is in transit to the row; `before` is what was in transit and its day."""
    after = transfer.in_transit
    site.stock.in_transit += after - before[0]
    supply.add(site, before[1], -before[0])
    supply.add(site, transfer.eta, after)
    supply.transit(site, before[0], after)
    site.list_open(due.TRANSFER, name, bool(before[0]), bool(after))
    due_at = _lost_at(site, transfer) if after else None
    due.schedule(site, due.TRANSFER, name, transfer.due_at, due_at)
    transfer.due_at = due_at
    if not after:
        alerts.clear_alert(site, "lost_in_transit", name)


def _lost_at(site: Site, transfer: Transfer) -> int:
    """The instant at which what is still in transit of a transfer counts as lost."""
    days = site.turn.rules.lost_in_transit_days
    if transfer.eta is None:
        return transfer.shipped_at + days * DAY
    return site.day_begins(transfer.eta + 1 + days)


def report_lost(site: Site, name: str) -> None:
    """Raise `lost_in_transit` for a transfer that is long overdue."""
    transfer = _transfer(site, name)
    transfer.due_at = None
    evidence = {
        "transfer": name, "from": transfer.origin, "shipped": transfer.shipped, "received": transfer.received,
        "missing": transfer.in_transit, "shipped_at": iso(transfer.shipped_at),
    }  # fmt: skip
    alerts.raise_alert(site, "lost_in_transit", evidence, name)


# negative stock -------------------------------------------------------------------------------------------------------


def watch_negative(site: Site) -> None:
    """Raise `negative_stock` while available stock is below 0; the evidence is the lowest balance so far."""
    turn, stock = site.turn, site.stock
    if stock.available < 0:
        if stock.negative_since is None:
            stock.negative_since = turn.now
            stock.negative_lowest = 0
        if stock.available < stock.negative_lowest:
            stock.negative_lowest = stock.available
            evidence = {"lowest": stock.available, "since": iso(stock.negative_since), "events": [turn.ref]}
            alerts.raise_alert(site, "negative_stock", evidence)
    elif stock.negative_since is not None:
        stock.negative_since = None
        alerts.clear_alert(site, "negative_stock")
