"""Who sees which event, in which order: the one place where it is written."""

from collections.abc import Callable
from itertools import islice
from typing import Any

from agents import (
    alerts,
    calm,
    drift,
    due,
    feeds,
    forecast,
    items,
    lead_times,
    ledger,
    planning,
    purchasing,
    replenishment,
    stock,
)
from agents.turn import Turn
from engine.core import events as e
from engine.core.errors import BrokenInvariant
from engine.core.outcomes import Rejection
from engine.core.values import MAX_BALANCE, MAX_QUANTITY
from tables import keys
from tables.drift import REPORTED
from tables.ledger import FLOOR
from tables.stock import Stock
from tables.wakes import due_parts, due_range, wake_row
from tables.workspace import NEVER_DUE

RowStep = Callable[[Turn, bytes, Any], Rejection | None]

STEPS: dict[type, tuple[RowStep, ...]] = {
    e.PolicySet: (planning.set_policy,),
    e.ForecastRevised: (forecast.revise_forecast,),
    e.OrderPlaced: (purchasing.place,),
    e.OrderChanged: (purchasing.change,),
    e.OrderCancelled: (purchasing.end,),
    e.OrderClosed: (purchasing.end,),
    e.OrderAcknowledged: (purchasing.acknowledge,),
    e.ShipmentNotified: (purchasing.notify_shipment,),
    e.GoodsReceived: (stock.receive, purchasing.receive),
    e.StockAdjusted: (stock.adjust,),
    e.StockCounted: (stock.count,),
    e.StockIssued: (stock.issue,),
    e.StockReturned: (stock.return_,),
    e.StockHeld: (stock.hold,),
    e.StockReleased: (stock.release,),
    e.StockReserved: (stock.reserve,),
    e.ReservationReleased: (stock.release_reservation,),
    e.BalanceReported: (drift.report,),
}

ASKED: dict[type, Callable[[bytes, Any], list[bytes]]] = {
    e.OrderPlaced: purchasing.rows_of_order,
    e.ShipmentNotified: purchasing.rows_of_shipment,
}
"""What an event of a type will ask for beside its row: a batch reads all of it at once, which costs less."""

SHORT: dict[type, Callable[[Turn, bytes, Any], bool]] = {e.StockIssued: calm.issue, e.BalanceReported: calm.report}
"""The short way of an event type; it answers whether it has taken the event."""

DRAINING = frozenset({e.StockIssued, e.StockReserved, e.StockHeld})
"""Events that cannot mend a projection: it is looked at again only where they take more than was to spare."""

PAST = (REPORTED, FLOOR)
"""Tables that hold a row's balances as of the past."""

OUT_OF_RANGE = Rejection("quantity_out_of_range", "a balance of the row would leave 64 bits")

MAX_LOOKS = 250
"""How many rows and documents one tick looks at; what else is due waits for the next, so that no commit grows."""


def handle(turn: Turn) -> Rejection | None:
    """Let every agent that is concerned see the event; an answer means that none of it counts."""
    kind = type(turn.event)
    if getattr(turn.data, "uom", None) is not None:
        refused = items.to_base_units(turn)
        if refused:
            return refused
    steps = STEPS.get(kind)
    if steps is not None:
        return _on_row(turn, steps, kind)
    if kind is e.ClockTicked:
        _tick(turn)
        return None
    return OTHERS[kind](turn)


def _on_row(turn: Turn, steps: tuple[RowStep, ...], kind: type) -> Rejection | None:
    data: Any = turn.data
    row = keys.row(data.sku, data.location)
    short = SHORT.get(kind)
    if short is not None and short(turn, row, data):
        return None
    for step in steps:
        refused = step(turn, row, data)
        if refused:
            return refused
    if kind is e.OrderPlaced and data.signal is not None:
        replenishment.ordered(turn, row, data.signal, data.order, str(data.line))
    return settle(turn, row, kind)


def settle(turn: Turn, row: bytes, kind: type) -> Rejection | None:
    """After an event of the row: its version, its alarms, its signal; cheap tests first."""
    held = turn.stock(row)
    ledger.advance(turn, row, held)
    if not held.item_known:
        items.watch_item(turn, row)
    held.version += 1
    held.updated = turn.at
    if held.available < 0 or held.negative_since is not None:
        stock.watch_negative(turn, row, held)
    if turn.at <= held.reported_at and kind is not e.BalanceReported:
        drift.recheck(turn, row, held)
    if kind is e.PolicySet:
        lead_times.watch(turn, row)
    if kind is not e.BalanceReported:
        _replenish(turn, row, held, kind)
    return None if _fits(turn, row, held) else OUT_OF_RANGE


def _replenish(turn: Turn, row: bytes, held: Stock, kind: type) -> None:
    planned = kind is e.PolicySet or kind is e.ForecastRevised
    if planned or held.signal_open or (held.reorder_at is not None and held.position <= held.reorder_at):
        replenishment.evaluate(turn, row, held)
    if kind in DRAINING:
        if held.recheck_below is not None and held.sellable < held.recheck_below:
            replenishment.look_ahead(turn, row, held)
    elif planned or held.forecast:
        replenishment.look_ahead(turn, row, held)


def _fits(turn: Turn, row: bytes, held: Stock) -> bool:
    """Whether the row's balances are 64-bit integers, also those as of the past, and their difference to a report."""
    total = abs(held.available) + abs(held.held) + abs(held.reserved) + abs(held.on_order) + abs(held.in_transit)
    if total > MAX_BALANCE:
        return False
    for tag in PAST:
        balances = turn.writes.get(tag + row)
        if balances and abs(balances.available) + abs(balances.held) > MAX_BALANCE - MAX_QUANTITY:
            return False
    return True


# events of several rows, or of none -----------------------------------------------------------------------------------


def _ship_transfer(turn: Turn) -> Rejection | None:
    data: Any = turn.data
    origin, destination = keys.row(data.sku, data.origin), keys.row(data.sku, data.to)
    stock.ship_transfer(turn, origin, destination, data)
    return settle(turn, origin, e.TransferShipped) or settle(turn, destination, e.TransferShipped)


def _receive_transfer(turn: Turn) -> Rejection | None:
    data: Any = turn.data
    destination = keys.row(data.sku, data.to)
    stock.receive_transfer(turn, destination, data)
    return settle(turn, destination, e.TransferReceived)


def _answer_signal(turn: Turn) -> Rejection | None:
    data: Any = turn.data
    row = keys.row(data.sku, data.location)
    return replenishment.answer(turn, row) or settle(turn, row, type(turn.event))


def _answer_alert(turn: Turn) -> Rejection | None:
    data: Any = turn.data
    row = keys.row(data.sku, data.location)
    refused = alerts.answer(turn, row)
    return refused if refused or data.location == feeds.EVERYWHERE else settle(turn, row, type(turn.event))


def _define_item(turn: Turn) -> None:
    data: Any = turn.data
    items.define_item(turn, data)


def _define_location(turn: Turn) -> None:
    data: Any = turn.data
    feeds.define_location(turn, data)


def _declare_feed(turn: Turn) -> None:
    data: Any = turn.data
    feeds.declare_feed(turn, data)


def _accept_clock(turn: Turn) -> None:
    data: Any = turn.data
    feeds.accept_clock(turn, data)


OTHERS: dict[type, Callable[[Turn], Rejection | None]] = {
    e.TransferShipped: _ship_transfer,
    e.TransferReceived: _receive_transfer,
    e.SignalAccepted: _answer_signal,
    e.SignalRejected: _answer_signal,
    e.SignalOrdered: _answer_signal,
    e.AlertAcknowledged: _answer_alert,
    e.AlertResolved: _answer_alert,
    e.ItemDefined: _define_item,
    e.LocationDefined: _define_location,
    e.FeedDeclared: _declare_feed,
    e.ClockAccepted: _accept_clock,
}

for _name, _kind in e.EVENT_TYPES.items():
    if (_kind in STEPS) + (_kind in OTHERS) + (_kind is e.ClockTicked) != 1:
        raise BrokenInvariant(f"no agent handles `{_name}`, or two tables do: name it in STEPS or in OTHERS, in one")


# the clock ------------------------------------------------------------------------------------------------------------

LOOKS: dict[bytes, Callable[[Turn, bytes, str], None]] = {
    due.RESERVATION: stock.expire_reservation,
    due.TRANSFER: stock.report_lost,
    due.ORDER_LINE: purchasing.check_line,
    due.FACT: alerts.age,
}
"""What is done with a document of a row when its time has come."""


def _tick(turn: Turn) -> None:
    """Let the clock advance: feeds, and a portion of the rows and documents that wait for it, earliest first.

    What is left of what is due keeps its instant, so that the next tick goes on with it.
    """
    data: Any = turn.data
    feeds.tick(turn, data)
    left = MAX_LOOKS
    for key in turn.space.wakes(turn.partition, turn.now, MAX_LOOKS):
        if left <= 0:
            break
        turn.put(key, None)
        left -= 1 + _wake(turn, wake_row(key), left)


def _wake(turn: Turn, row: bytes, limit: int) -> int:
    """The clock has reached what a row was waiting for: look at all that time can change.

    Returns:
        How many documents were looked at, at most `limit`.
    """
    if row == feeds.CLOCK_ROW:
        feeds.forget_jump(turn)
        return 0
    stock_row = turn.stock(row)
    stock_row.wake_at = turn.wakes[row] = None
    found = list(islice(turn.scan(*due_range(row, turn.now)), limit))
    for key, _ in found:
        _, kind, name = due_parts(key, row)
        turn.put(key, None)
        LOOKS[kind](turn, row, name)
    following = next(turn.scan(*due_range(row, NEVER_DUE)), None)
    if following is not None:
        turn.wake(stock_row, due_parts(following[0], row)[0])
    planning.close_buckets(turn, row, stock_row)
    lead_times.watch(turn, row)
    replenishment.evaluate(turn, row, stock_row)
    replenishment.look_ahead(turn, row, stock_row)
    return len(found)
