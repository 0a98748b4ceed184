"""Balances: movements, counts, reservations and transfers.

Rows: `Stock` (balances), `Entry` (the movements and counts of the window), `Reservation`, `Transfer`, and the parts of
`Documents` that list the open ones. A balance is the latest count plus the movements later than it, whatever the order
of arrival; so a count keeps its moment and movements are kept for the window.
"""

from msgspec.structs import replace

from agents import alerts
from agents.turn import Turn
from engine.core import payloads as p
from engine.core.events import type_name
from engine.core.values import DAY, HOUR, instant, iso
from tables import keys
from tables.rows import NEVER, Entry, Reservation, Stock, Transfer

KEPT_ISSUE_DAYS = 35
"""Days of issues kept where no forecast needs more."""
PRUNE_STRIDE = 24 * HOUR
"""How far the window may lag before old entries are folded: one sweep pays for a day of movements."""


# movements ------------------------------------------------------------------------------------------------------------


def move(turn: Turn, row: bytes, available: int, held: int, document: str = "") -> None:
    """Move good stock at a row: signed quantities to available and to held, at the turn's moment."""
    stock = turn.stock(row)
    at = turn.at
    advance(turn, row, stock)
    stock.moved_at = max(stock.moved_at, at)
    if at > stock.available_count_at:
        stock.available += available
    if at > stock.held_count_at:
        stock.held += held
    if at <= stock.floor_at:
        if at > stock.floor_available_count_at:
            stock.floor_available += available
        if at > stock.floor_held_count_at:
            stock.floor_held += held
        return
    key = keys.entry(row, at, keys.MOVEMENT_KIND, turn.identity)
    turn.put(key, Entry(available, held, type_name(turn.event), turn.ref, 0, document))


def advance(turn: Turn, row: bytes, stock: Stock) -> None:
    """Let the row's latest moment follow the event; fold what has left the window into the floor."""
    at = turn.at
    if stock.floor_at == NEVER:
        stock.floor_at = max(0, at - turn.rules.movement_window)
    if at <= stock.latest:
        return
    stock.latest = at
    horizon = at - turn.rules.movement_window
    if horizon - stock.floor_at > PRUNE_STRIDE:
        _fold(turn, row, stock, horizon)


def _fold(turn: Turn, row: bytes, stock: Stock, horizon: int) -> None:
    for at, key, entry in turn.entries(row, stock.floor_at) if stock.moved_at > stock.floor_at else ():
        if at > horizon:
            break
        _fold_entry(stock, at, entry)
        turn.put(key, None)
    stock.floor_at = horizon


def _fold_entry(stock: Stock, at: int, entry: Entry) -> None:
    if entry.count == 1:
        stock.floor_available, stock.floor_available_count_at = entry.available, at
    elif entry.count == 2:
        stock.floor_held, stock.floor_held_count_at = entry.held, at
    else:
        stock.floor_available += entry.available
        stock.floor_held += entry.held


def balances_as_of(turn: Turn, row: bytes, stock: Stock, at: int) -> tuple[int, int]:
    """(available, held) of a row as of a moment within the window, by what is known now."""
    if at >= stock.moved_at:
        return stock.available, stock.held
    available, held = stock.floor_available, stock.floor_held
    for moved_at, _, entry in turn.entries(row, stock.floor_at):
        if moved_at > at:
            break
        if entry.count == 1:
            available = entry.available
        elif entry.count == 2:
            held = entry.held
        else:
            available += entry.available
            held += entry.held
    return available, held


def adjust(turn: Turn, row: bytes, data: p.StockAdjustedData) -> None:
    """`stock.adjusted`: a signed correction."""
    if data.status == "held":
        move(turn, row, 0, data.qty)
    else:
        move(turn, row, data.qty, 0)


def receive(turn: Turn, row: bytes, data: p.GoodsReceivedData) -> None:
    """`goods.received`: good to available, held to held, damaged to nothing."""
    move(turn, row, data.qty, data.held, data.order or "")
    if data.damaged:
        evidence = {"receipt": data.receipt, "damaged": data.damaged, "order": data.order, "events": [turn.ref]}
        alerts.raise_fact(turn, row, "damaged_receipt", evidence, turn.ref)


def return_(turn: Turn, row: bytes, data: p.StockReturnedData) -> None:
    """`stock.returned`: to available, held or scrap."""
    available = data.qty if data.disposition == "available" else 0
    held = data.qty if data.disposition == "held" else 0
    move(turn, row, available, held)


def hold(turn: Turn, row: bytes, data: p.StockStatusData) -> None:
    """`stock.held`: available to held."""
    move(turn, row, -data.qty, data.qty)


def release(turn: Turn, row: bytes, data: p.StockStatusData) -> None:
    """`stock.released`: held to available."""
    move(turn, row, data.qty, -data.qty)


def issue(turn: Turn, row: bytes, data: p.StockIssuedData) -> None:
    """`stock.issued`: leaves available and the reservation; counts as demand of its local day."""
    move(turn, row, -data.qty, 0)
    stock = turn.stock(row)
    day = turn.local_day(row_location(row), turn.at)
    if day != stock.issue_day:
        settle_issues(turn, row, stock)
        stock.issue_day = day
    stock.issue_qty += data.qty
    if data.reservation is not None:
        reservation = _reservation(turn, row, data.reservation)
        reservation.issued += data.qty
        _settle_reservation(turn, row, data.reservation, reservation)


def settle_issues(turn: Turn, row: bytes, stock: Stock) -> None:
    """Carry the issues of the day at hand from the hot row to the plan."""
    if stock.issue_qty:
        plan = turn.plan(row)
        day = stock.issue_day
        kept = plan.issued
        if len(kept) > 2 * KEPT_ISSUE_DAYS and not plan.buckets:
            kept = {d: qty for d, qty in kept.items() if d > day - KEPT_ISSUE_DAYS}
        plan.issued = {**kept, day: kept.get(day, 0) + stock.issue_qty}
        stock.issue_qty = 0


def row_location(row: bytes) -> str:
    """The location of a row."""
    return row[row.index(0) + 1 :].decode()


# counts ---------------------------------------------------------------------------------------------------------------


def count(turn: Turn, row: bytes, data: p.StockCountedData) -> None:
    """`stock.counted`: the balance as of the event's time was `qty`; later movements stay on top."""
    stock = turn.stock(row)
    advance(turn, row, stock)
    oldest = stock.latest - turn.rules.movement_window
    at = max(turn.at, oldest)
    if at > turn.at:
        evidence = {
            "counted_at": iso(turn.at), "applied_as_of": iso(at), "qty": data.qty, "status": data.status,
            "events": [turn.ref],
        }  # fmt: skip
        alerts.raise_fact(turn, row, "late_count", evidence, turn.ref)
    _apply_count(turn, row, stock, at, data)


def _apply_count(turn: Turn, row: bytes, stock: Stock, at: int, data: p.StockCountedData) -> None:
    held = data.status == "held"
    stock.moved_at = max(stock.moved_at, at)
    rank = (at, turn.identity)
    latest = (stock.held_count_at, stock.held_count_tie) if held else (
        stock.available_count_at, stock.available_count_tie)  # fmt: skip
    if rank > latest:
        later = [entry for _, _, entry in turn.entries(row, at) if not entry.count]
        if held:
            stock.held = data.qty + sum(entry.held for entry in later)
            stock.held_count_at, stock.held_count_tie = rank
        else:
            stock.available = data.qty + sum(entry.available for entry in later)
            stock.available_count_at, stock.available_count_tie = rank
    entry = (
        Entry(0, data.qty, "stock.counted", turn.ref, 2) if held else Entry(data.qty, 0, "stock.counted", turn.ref, 1)
    )
    if at > stock.floor_at:
        turn.put(keys.entry(row, at, keys.COUNT_KIND, turn.identity), entry)
    else:
        _fold_entry(stock, at, entry)


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
    reservation: Reservation = turn.edit(keys.part(keys.RESERVATION, row, name), Reservation)
    return reservation


def _settle_reservation(turn: Turn, row: bytes, name: str, reservation: Reservation) -> None:
    stock = turn.stock(row)
    after = reservation.open(turn.now)
    stock.reserved += after - reservation.counted
    reservation.counted = after
    list_document(turn, row, "reservations", name, bool(after))
    if after and reservation.expires is not None:
        turn.wake(stock, reservation.expires)


def expire_reservations(turn: Turn, row: bytes) -> None:
    """Drop the reservations whose time is over, and ask to be woken for the next."""
    for name in turn.documents(row).reservations:
        _settle_reservation(turn, row, name, _reservation(turn, row, name))


def list_document(turn: Turn, row: bytes, field: str, name: str, is_open: bool) -> None:
    """Keep the row's list of open documents: add or drop one name."""
    documents = turn.documents(row)
    names: tuple[str, ...] = getattr(documents, field)
    if (name in names) == is_open:
        return
    documents = replace(documents)
    setattr(documents, field, (*names, name) if is_open else tuple(n for n in names if n != name))
    turn.put(keys.DOCUMENTS + row, documents)


# transfers ------------------------------------------------------------------------------------------------------------


def ship_transfer(turn: Turn, origin: bytes, destination: bytes, data: p.TransferShippedData) -> None:
    """`transfer.shipped`: leaves `from`, in transit to `to`."""
    move(turn, origin, -data.qty, 0, f"transfer {data.transfer}")
    transfer = _transfer(turn, destination, data.transfer)
    before = in_transit(transfer)
    transfer.origin = min(data.origin, transfer.origin or data.origin)
    transfer.shipped += data.qty
    if turn.at >= transfer.shipped_at:
        transfer.shipped_at = turn.at
        transfer.eta = data.eta.toordinal() if data.eta else transfer.eta
    _settle_transfer(turn, destination, data.transfer, transfer, before)


def receive_transfer(turn: Turn, destination: bytes, data: p.TransferReceivedData) -> None:
    """`transfer.received`: arrives at `to`."""
    move(turn, destination, data.qty, data.held, f"transfer {data.transfer}")
    transfer = _transfer(turn, destination, data.transfer)
    before = in_transit(transfer)
    transfer.received += data.qty + data.held
    _settle_transfer(turn, destination, data.transfer, transfer, before)


def in_transit(transfer: Transfer) -> int:
    """What of a transfer is still on its way."""
    return max(0, transfer.shipped - transfer.received)


def _transfer(turn: Turn, row: bytes, name: str) -> Transfer:
    transfer: Transfer = turn.edit(keys.part(keys.TRANSFER, row, name), Transfer)
    return transfer


def _settle_transfer(turn: Turn, row: bytes, name: str, transfer: Transfer, before: int) -> None:
    stock = turn.stock(row)
    after = in_transit(transfer)
    stock.in_transit += after - before
    list_document(turn, row, "transfers", name, bool(after))
    if after:
        turn.wake(stock, lost_at(turn, row, transfer))
    else:
        alerts.clear_alert(turn, row, "lost_in_transit", name)


def lost_at(turn: Turn, row: bytes, transfer: Transfer) -> int:
    """When what is still in transit of a transfer counts as lost."""
    if transfer.eta is None:
        return transfer.shipped_at + turn.rules.lost_in_transit_days * DAY
    return turn.day_begins(row_location(row), transfer.eta + 1 + turn.rules.lost_in_transit_days)


def check_transfers(turn: Turn, row: bytes) -> None:
    """Raise `lost_in_transit` for transfers long overdue, and ask to be woken for the next."""
    for name in turn.documents(row).transfers:
        transfer: Transfer = turn.get(keys.part(keys.TRANSFER, row, name))
        at = lost_at(turn, row, transfer)
        if at > turn.now:
            turn.wake(turn.stock(row), at)
            continue
        evidence = {
            "transfer": name, "from": transfer.origin, "shipped": transfer.shipped, "received": transfer.received,
            "missing": in_transit(transfer), "shipped_at": iso(transfer.shipped_at),
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
