"""A short way for the two most frequent events, where they change numbers of their row and nothing else.

Two events in three are issues and balance reports, and most of them raise no alert, move no signal and wake nothing.
Each function here looks whether the event is such a one. If it is, the function leaves in the turn exactly what the
general steps would leave; if not, it leaves nothing and the general steps follow. A property test folds random
histories both ways and compares every byte.
"""

from msgspec.structs import replace

from agents.ledger import FOLD_STRIDE
from agents.turn import Turn
from engine.core import payloads as p
from engine.core.values import MAX_BALANCE, MAX_QUANTITY
from tables.drift import REPORTED, Reported
from tables.ledger import IS_MOVEMENT, Movement, movement_key
from tables.stock import STOCK, Stock


def issue(turn: Turn, row: bytes, data: p.StockIssuedData) -> bool:
    """Take `stock.issued` where stock is left, no trigger is reached, and no day has to be closed."""
    stock, at, qty = turn.get(STOCK + row), turn.at, data.qty
    if stock is None or data.reservation is not None or not _is_calm(stock, at):
        return False
    count, sellable = stock.available_count, stock.available - stock.reserved - qty
    if stock.available < qty or stock.signal_open or at <= stock.floor_at or (count is not None and at <= count.covers):
        return False
    if stock.reorder_at is not None and sellable + stock.on_order + stock.in_transit <= stock.reorder_at:
        return False
    if stock.recheck_below is not None and sellable < stock.recheck_below:
        return False
    day = turn.local_day(data.location, at)
    if day != stock.issue_day and stock.issue_qty:
        return False
    after = _advanced(turn, row, stock)
    after.available -= qty
    after.issue_day = day
    after.issue_qty += qty
    if at > stock.moved_at:
        after.moved_at = at
    if stock.fold_at is None or at < stock.latest:
        # Later than all others it leaves the window last, so the row need not be looked at earlier.
        fold_at = at + turn.rules.movement_window + FOLD_STRIDE
        after.fold_at = fold_at if stock.fold_at is None else min(fold_at, stock.fold_at)
    movement = Movement(-qty, 0, "stock.issued", turn.ref)
    turn.writes[movement_key(row, at, IS_MOVEMENT, turn.identity)] = movement
    return True


def report(turn: Turn, row: bytes, data: p.BalanceReportedData) -> bool:
    """Take `balance.reported` where it is the latest, agrees with the present balances, and no alert is open."""
    stock, at = turn.get(STOCK + row), turn.at
    if stock is None or stock.alerts or not _is_calm(stock, at) or at < stock.moved_at or at < stock.floor_at:
        return False
    available, held = stock.available, stock.held
    if available < 0 or data.on_hand != available + held or (data.held is not None and data.held != held):
        return False
    if data.on_order is not None and data.on_order != stock.on_order:
        return False
    if available + abs(held) > MAX_BALANCE - MAX_QUANTITY:
        return False
    old = turn.get(REPORTED + row)
    if old is not None and at <= old.at:
        return False
    _advanced(turn, row, stock).reported_at = at
    turn.writes[REPORTED + row] = Reported(
        available, held, stock.available_count, stock.held_count,
        at=at, identity=turn.identity, ref=turn.ref, on_hand=data.on_hand, on_hold=data.held, on_order=data.on_order,
    )  # fmt: skip
    return True


def _is_calm(stock: Stock, at: int) -> bool:
    """Whether the steps after an event at the instant `at` find nothing to do: no item, report, fold or alert."""
    return (
        stock.item_known
        and stock.negative_since is None
        and at > stock.reported_at
        and (stock.fold_at is None or at < stock.fold_at or at <= stock.latest)
    )


def _advanced(turn: Turn, row: bytes, stock: Stock) -> Stock:
    """The stock row after the event, to be changed: its version, its time and its latest moment are set."""
    after = replace(stock)
    after.version += 1
    after.updated = turn.at
    if turn.at > stock.latest:
        after.latest = turn.at
    turn.writes[STOCK + row] = after
    turn.touched[row] = after
    turn.wakes[row] = stock.wake_at
    return after
