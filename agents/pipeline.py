"""Which agents see which event, in which order: the one place where it is written."""

from collections.abc import Callable

from msgspec import Struct

from agents import (
    alert_answers,
    alerts,
    calm,
    clock,
    directory,
    drift,
    feeds,
    forecast,
    ledger,
    need,
    purchasing,
    receipts,
    replenishment,
    shipments,
    signal_answers,
    stock,
)
from agents.consequences import after_change, after_drain, after_forecast, after_policy
from agents.turn import Site, Turn
from engine.core import events as e
from engine.core import payloads as p
from engine.core.errors import BrokenInvariant
from engine.core.fields import EVERYWHERE
from engine.core.outcomes import Rejection
from engine.core.values import MAX_BALANCE, MAX_QUANTITY
from tables import keys
from tables.drift import REPORTED
from tables.ledger import FLOOR
from tables.stock import STOCK

# the handling of each event type --------------------------------------------------------------------------------------


def _rows_of_transfer(data: p.TransferShippedData) -> tuple[bytes, ...]:
    return keys.row(data.sku, data.origin), keys.row(data.sku, data.to)


def _row_of_destination(data: p.TransferReceivedData) -> tuple[bytes, ...]:
    return (keys.row(data.sku, data.to),)


class Handling(Struct, frozen=True):
    """How an event that changes rows is handled."""

    steps: tuple[Callable[..., Rejection | None], ...]
    """The agents that see it, in their order: each takes a site for each of `rows` and the event's data."""
    after: Callable[[Site], None] | None = after_change
    """What follows for each of the rows; None where nothing does."""
    quantities: tuple[str, ...] = ()
    """The fields that `uom` scales."""
    rows: Callable[..., tuple[bytes, ...]] | None = None
    """The rows that the event changes, by its data; None is the one row of its sku and location."""
    documents: Callable[..., list[bytes]] | None = None
    """The keys of the documents of its row that the event will read."""
    calm: Callable[..., bool] | None = None
    """A short way for events of one row: it answers whether it has taken the event."""


QTY = ("qty",)
UNITS = ("qty", "held", "damaged")

HANDLING: dict[type, Handling] = {
    e.PolicySet: Handling((need.set_policy,), after_policy),
    e.ForecastRevised: Handling((forecast.revise_forecast,), after_forecast, ("buckets",)),
    e.OrderPlaced: Handling(
        (purchasing.place, replenishment.order_placed), quantities=QTY, documents=purchasing.keys_of_order
    ),
    e.OrderChanged: Handling((purchasing.change,), quantities=QTY),
    e.OrderCancelled: Handling((purchasing.end,)),
    e.OrderClosed: Handling((purchasing.end,)),
    e.OrderAcknowledged: Handling((purchasing.acknowledge,), quantities=("schedule",)),
    e.ShipmentNotified: Handling((shipments.notify,), quantities=QTY, documents=shipments.keys_of_shipment),
    e.ShipmentChanged: Handling((shipments.change,), quantities=QTY, documents=shipments.keys_of_shipment),
    e.ShipmentCancelled: Handling((shipments.change,), quantities=QTY, documents=shipments.keys_of_shipment),
    e.GoodsReceived: Handling((stock.receive, receipts.receive), quantities=UNITS, documents=receipts.keys_of_receipt),
    e.ReceiptReversed: Handling((receipts.reverse,), quantities=UNITS, documents=receipts.keys_of_receipt),
    e.StockAdjusted: Handling((stock.adjust,), quantities=QTY),
    e.StockCounted: Handling((stock.count,), quantities=QTY),
    e.StockIssued: Handling((stock.issue,), after_drain, QTY, calm=calm.issue),
    e.StockReturned: Handling((stock.return_,), quantities=QTY),
    e.StockReturnedToSupplier: Handling((stock.return_to_supplier,), after_drain, QTY),
    e.StockHeld: Handling((stock.hold,), after_drain, QTY),
    e.StockReleased: Handling((stock.release,), quantities=QTY),
    e.StockReserved: Handling((stock.reserve,), after_drain, QTY, documents=stock.keys_of_reservation),
    e.ReservationReleased: Handling((stock.release_reservation,), quantities=QTY),
    e.TransferShipped: Handling((stock.ship_transfer,), quantities=QTY, rows=_rows_of_transfer),
    e.TransferReceived: Handling((stock.receive_transfer,), quantities=("qty", "held"), rows=_row_of_destination),
    e.BalanceReported: Handling((drift.report,), None, ("on_hand", "held", "on_order"), calm=calm.report),
    e.SignalAccepted: Handling((signal_answers.answer,)),
    e.SignalRejected: Handling((signal_answers.answer,)),
    e.SignalOrdered: Handling((signal_answers.answer,)),
    e.SignalDrafted: Handling((signal_answers.draft,)),
    e.SignalDraftGone: Handling((signal_answers.draft,)),
    e.SignalPushFailed: Handling((signal_answers.push_failed,)),
    e.SignalReopened: Handling((signal_answers.reopen,)),
    e.SignalSnoozed: Handling((signal_answers.snooze,)),
    e.SignalAssigned: Handling((signal_answers.assign,)),
}
"""Of each event type that changes rows."""

ALERT_ANSWERS: dict[type, Callable[..., Rejection | None]] = {
    e.AlertAcknowledged: alerts.answer,
    e.AlertResolved: alerts.answer,
    e.AlertReopened: alerts.answer,
    e.AlertSnoozed: alert_answers.snooze,
    e.AlertAssigned: alert_answers.assign,
}
"""The agent that sees an answer to an alert, which may be about a row or about a feed."""


def _answer_alert(turn: Turn, data: p.AlertAnswerData) -> Rejection | None:
    answer = ALERT_ANSWERS[type(turn.event)]
    if data.location == EVERYWHERE:
        return answer(feeds.FeedSubject(turn, data.sku), data)
    return _handle_rows(turn, Handling((answer,)))


def _leave_to_the_fold(_turn: Turn, _data: p.RecordRefusedData | p.DeadLetterAnswerData) -> None:
    """`record.refused` and the answers to dead letters change no row: the fold publishes what they say."""


OUT_OF_RANGE = Rejection("quantity_out_of_range", "a balance of the row would leave 64 bits")

PAST = (REPORTED, FLOOR)
"""Tables that hold a row's balances as of the past."""


def handle(turn: Turn) -> Rejection | None:
    """Let every agent that is concerned see the event; a rejection means that none of it counts."""
    kind = type(turn.event)
    handling = HANDLING.get(kind)
    if handling is None:
        return OTHERS[kind](turn, turn.event.data)
    return _handle_rows(turn, handling)


def asked_by(event: e.Event) -> list[bytes]:
    """The keys that an event will ask for: a batch reads those of all its events at once, which costs less."""
    handling = HANDLING.get(type(event))
    if handling is None:
        return []
    data = event.data
    if handling.rows is not None:
        return [STOCK + row for row in handling.rows(data)]
    row = keys.row(data.sku, data.location)
    return [STOCK + row] if handling.documents is None else [STOCK + row, *handling.documents(row, data)]


def _handle_rows(turn: Turn, handling: Handling) -> Rejection | None:
    data = turn.event.data
    uom = getattr(data, "uom", None)
    if uom is not None:
        data = directory.in_base_units(turn, data, uom, handling.quantities)
        if isinstance(data, Rejection):
            return data
    if handling.rows is None:
        sites = [turn.site(keys.row(data.sku, data.location))]
        if handling.calm is not None and handling.calm(sites[0], data):
            return None
    else:
        sites = [turn.site(row) for row in handling.rows(data)]
    for step in handling.steps:
        rejection = step(*sites, data)
        if rejection is not None:
            return rejection
    for site in sites:
        _conclude(site, handling)
        if not _fits(site):
            return OUT_OF_RANGE
    return None


def _conclude(site: Site, handling: Handling) -> None:
    """After the agents of an event: the row's version, its watches, its signal."""
    at, stock_row = site.turn.at, site.stock
    if at > stock_row.latest:
        ledger.advance(site)
    if not stock_row.item_known:
        directory.watch_item(site)
    stock_row.version += 1
    stock_row.updated = at
    if stock_row.available < 0 or stock_row.negative_since is not None:
        stock.watch_negative(site)
    if handling.after is not None:
        if at <= stock_row.reported_at:
            drift.recheck(site)
        handling.after(site)


def _fits(site: Site) -> bool:
    """Whether the row's balances are 64-bit integers, also those as of the past, and their difference to a report."""
    row = site.stock
    total = abs(row.available) + abs(row.held) + abs(row.reserved) + abs(row.on_order) + abs(row.in_transit)
    if total > MAX_BALANCE:
        return False
    for tag in PAST:
        balances = site.turn.writes.get(tag + site.row)
        if balances and abs(balances.available) + abs(balances.held) > MAX_BALANCE - MAX_QUANTITY:
            return False
    return True


OTHERS: dict[type, Callable[..., Rejection | None]] = {
    **dict.fromkeys(ALERT_ANSWERS, _answer_alert),
    e.RecordRefused: _leave_to_the_fold,
    e.DeadLetterReplayed: _leave_to_the_fold,
    e.DeadLetterDiscarded: _leave_to_the_fold,
    e.ItemDefined: directory.define_item,
    e.LocationDefined: directory.define_location,
    e.SupplierDefined: directory.define_supplier,
    e.FeedDeclared: feeds.declare_feed,
    e.ClockAccepted: feeds.accept_clock,
    e.ClockTicked: clock.tick,
}
"""Of each event type that changes no row, or not always."""

for _name, _kind in e.EVENT_TYPES.items():
    if (_kind in HANDLING) == (_kind in OTHERS):
        raise BrokenInvariant(f"no agent handles `{_name}`, or two tables do: name it in HANDLING or in OTHERS, in one")
