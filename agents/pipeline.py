"""Who sees which event, in which order: the one place where it is written."""

from collections.abc import Callable
from typing import Any

import msgspec

from agents import alerts, drift, feeds, planning, purchasing, replenishment, stock
from agents.turn import Turn
from engine.core import events as e
from engine.core.outcomes import Rejected
from engine.core.values import MAX_BALANCE, MAX_QUANTITY
from tables import keys
from tables.rows import Stock

RowStep = Callable[[Turn, bytes, Any], None]

STEPS: dict[type, tuple[RowStep, ...]] = {
    e.PolicySet: (planning.set_policy,),
    e.ForecastRevised: (planning.revise_forecast,),
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

DRAINING = frozenset({e.StockIssued, e.StockReserved, e.StockHeld})
"""Events that cannot mend a projection: it is looked at again only where they take more than was to spare."""

SCALED = ("qty", "held", "damaged", "on_hand", "on_order")


def handle(turn: Turn) -> Rejected | None:
    """Let every agent that is concerned see the event; an answer means that none of it counts."""
    kind = type(turn.event)
    if getattr(turn.data, "uom", None) is not None:
        refused = _to_base_units(turn)
        if refused:
            return refused
    steps = STEPS.get(kind)
    if steps is not None:
        return _on_row(turn, steps, kind)
    if kind is e.ClockTicked:
        _tick(turn)
        return None
    return OTHERS[kind](turn)


def _on_row(turn: Turn, steps: tuple[RowStep, ...], kind: type) -> Rejected | None:
    data: Any = turn.data
    row = keys.row(data.sku, data.location)
    for step in steps:
        step(turn, row, data)
    if kind is e.OrderPlaced and data.signal is not None:
        replenishment.ordered(turn, row, data.signal, data.order, str(data.line))
    return settle(turn, row, kind)


def settle(turn: Turn, row: bytes, kind: type) -> Rejected | None:
    """After an event of the row: its version, its alarms, its signal; cheap tests first."""
    held = turn.stock(row)
    stock.advance(turn, row, held)
    if not held.item_known:
        feeds.watch_item(turn, row)
    held.version += 1
    held.updated = turn.at
    if held.available < 0 or held.negative_since is not None:
        stock.watch_negative(turn, row, held)
    if turn.at <= held.reported_at and kind is not e.BalanceReported:
        drift.recheck(turn, row, held)
    if kind is e.GoodsReceived or kind is e.PolicySet:
        planning.watch_lead_time(turn, row)
    if kind is not e.BalanceReported:
        _replenish(turn, row, held, kind)
    return None if _fits(held) else Rejected("quantity_out_of_range", "a balance of the row would leave 64 bits")


def _replenish(turn: Turn, row: bytes, held: Stock, kind: type) -> None:
    planned = kind is e.PolicySet or kind is e.ForecastRevised
    if planned or held.signal_open or (held.reorder_at is not None and held.position <= held.reorder_at):
        replenishment.evaluate(turn, row, held)
    if kind in DRAINING:
        if held.recheck_below is not None and held.sellable < held.recheck_below:
            replenishment.look_ahead(turn, row, held)
    elif planned or held.forecast:
        replenishment.look_ahead(turn, row, held)


def _fits(held: Stock) -> bool:
    total = abs(held.available) + abs(held.held) + abs(held.reserved) + abs(held.on_order) + abs(held.in_transit)
    return total <= MAX_BALANCE


def _to_base_units(turn: Turn) -> Rejected | None:
    """Convert the event's quantities exactly into the item's base unit; a unit that is not declared is refused."""
    data: Any = turn.data
    item = turn.item(data.sku)
    factor = None if item is None else 1 if data.uom == item.base_unit else item.units.get(data.uom)
    if factor is None:
        known = "the item is not defined" if item is None else f"it declares {[item.base_unit, *item.units]}"
        return Rejected("unknown_unit", f"{data.sku} has no unit {data.uom!r}: {known}")
    changes: dict[str, Any] = {
        name: _scaled(getattr(data, name, None), factor) for name in SCALED if hasattr(data, name)
    }
    for name in ("buckets", "schedule"):
        if hasattr(data, name):
            changes[name] = [msgspec.structs.replace(part, qty=part.qty * factor) for part in getattr(data, name)]
    quantities = [value for value in changes.values() if isinstance(value, int)]
    quantities += [part.qty for name in ("buckets", "schedule") for part in changes.get(name, ())]
    if any(abs(qty) > MAX_QUANTITY for qty in quantities):
        return Rejected("quantity_out_of_range", f"in base units a quantity is beyond {MAX_QUANTITY}")
    turn.data = msgspec.structs.replace(data, uom=None, **changes)
    return None


def _scaled(qty: int | None, factor: int) -> int | None:
    return None if qty is None else qty * factor


# events of several rows, or of none -----------------------------------------------------------------------------------


def _ship_transfer(turn: Turn) -> Rejected | None:
    data: Any = turn.data
    origin, destination = keys.row(data.sku, data.origin), keys.row(data.sku, data.to)
    stock.ship_transfer(turn, origin, destination, data)
    return settle(turn, origin, e.TransferShipped) or settle(turn, destination, e.TransferShipped)


def _receive_transfer(turn: Turn) -> Rejected | None:
    data: Any = turn.data
    destination = keys.row(data.sku, data.to)
    stock.receive_transfer(turn, destination, data)
    return settle(turn, destination, e.TransferReceived)


def _answer_signal(turn: Turn) -> Rejected | None:
    data: Any = turn.data
    row = keys.row(data.sku, data.location)
    return replenishment.answer(turn, row) or settle(turn, row, type(turn.event))


def _answer_alert(turn: Turn) -> Rejected | None:
    data: Any = turn.data
    row = keys.row(data.sku, data.location)
    refused = alerts.answer(turn, row)
    return refused if refused or data.location == feeds.EVERYWHERE else settle(turn, row, type(turn.event))


def _define_item(turn: Turn) -> None:
    data: Any = turn.data
    feeds.define_item(turn, data)


def _define_location(turn: Turn) -> None:
    data: Any = turn.data
    feeds.define_location(turn, data)


def _declare_feed(turn: Turn) -> None:
    data: Any = turn.data
    feeds.declare_feed(turn, data)


def _accept_clock(turn: Turn) -> None:
    data: Any = turn.data
    feeds.accept_clock(turn, data)


OTHERS: dict[type, Callable[[Turn], Rejected | None]] = {
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


# the clock ------------------------------------------------------------------------------------------------------------


def _tick(turn: Turn) -> None:
    data: Any = turn.data
    feeds.tick(turn, data)
    for timer in turn.space.timers(turn.partition, turn.now):
        turn.put(timer, None)
        _wake(turn, timer[keys.TIMER_PREFIX_BYTES :])


def _wake(turn: Turn, row: bytes) -> None:
    """The clock has reached what a row was waiting for: look at all that time can change."""
    if row == feeds.CLOCK_ROW:
        feeds.forget_jump(turn)
        return
    held = turn.stock(row)
    held.wake_at = turn.wakes[row] = None
    stock.expire_reservations(turn, row)
    stock.check_transfers(turn, row)
    purchasing.check_orders(turn, row)
    planning.close_buckets(turn, row, held)
    planning.watch_lead_time(turn, row)
    alerts.age_facts(turn, row)
    replenishment.evaluate(turn, row, held)
    replenishment.look_ahead(turn, row, held)
