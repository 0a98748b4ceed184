"""A short way for the two most frequent events, where they change numbers of their row and nothing else.

Two events in three are issues and balance reports, and most of them raise no alert, move no signal and wake nothing.
Each function here looks whether the event is such a one. If it is, the function leaves in the turn exactly what the
general steps would leave; if not, it changes nothing and the general steps follow. A property test folds random
histories both ways and compares every byte.
"""

from agents.ledger import FOLD_STRIDE
from agents.turn import Site
from engine.core import payloads as p
from engine.core.values import MAX_BALANCE, MAX_QUANTITY
from tables.drift import REPORTED, Reported
from tables.ledger import IS_MOVEMENT, Movement, movement_key
from tables.stock import Stock


def issue(site: Site, data: p.StockIssuedData) -> bool:
    """Take `stock.issued` where stock is left, no trigger is reached, and no day has to be closed."""
    turn, stock, qty = site.turn, site.stock, data.qty
    at, count, sellable = turn.at, stock.available_count, stock.available - stock.reserved - qty
    if data.reservation is not None or stock.available < qty or stock.signal_open or not _is_calm(stock, at):
        return False
    if at <= stock.floor_at or (count is not None and at <= count.covers):
        return False
    if stock.reorder_at is not None and sellable + stock.on_order + stock.in_transit <= stock.reorder_at:
        return False
    if stock.recheck_below is not None and sellable < stock.recheck_below:
        return False
    day = turn.calendar.day(turn.zone(data.location), at)
    if day != stock.issue_day and stock.issue_qty:
        return False
    if stock.fold_at is None or at < stock.latest:
        # Later than all others it leaves the window last, so the row need not be looked at earlier.
        fold_at = at + turn.rules.movement_window + FOLD_STRIDE
        stock.fold_at = fold_at if stock.fold_at is None else min(fold_at, stock.fold_at)
    stock.available -= qty
    stock.issue_day = day
    stock.issue_qty += qty
    if at > stock.moved_at:
        stock.moved_at = at
    _conclude(stock, at)
    movement = Movement(-qty, 0, "stock.issued", turn.ref)
    turn.writes[movement_key(site.row, at, IS_MOVEMENT, turn.identity)] = movement
    return True


def report(site: Site, data: p.BalanceReportedData) -> bool:
    """Take `balance.reported` where it is the latest, agrees with the present balances, and no alert is open."""
    turn, stock = site.turn, site.stock
    at, available, held = turn.at, stock.available, stock.held
    if available < 0 or data.on_hand != available + held or stock.alerts or not _is_calm(stock, at):
        return False
    if at < stock.moved_at or at < stock.floor_at or (data.held is not None and data.held != held):
        return False
    if data.on_order is not None and data.on_order != stock.on_order:
        return False
    if available + abs(held) > MAX_BALANCE - MAX_QUANTITY:
        return False
    stock.reported_at = at
    _conclude(stock, at)
    turn.writes[REPORTED + site.row] = Reported(
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


def _conclude(stock: Stock, at: int) -> None:
    """Set the row's version, its time and its latest moment."""
    stock.version += 1
    stock.updated = at
    if at > stock.latest:
        stock.latest = at
