"""One line for each kind of event, as it stands at a node of a trace."""

from collections.abc import Callable, Mapping
from typing import Any

from engine.core import events as e
from engine.core.outputs import Signal
from engine.core.values import day_of
from engine.trace.rows import LineNow


def sentence_of(event: e.Event) -> str:
    """What an event says, in a line; quantities in the unit that it states, else in base units."""
    say = _SAYS.get(type(event))
    return f"{event.source} says {e.type_name(event)}." if say is None else say(event.data)


def signal_sentence(signal: Signal) -> str:
    """What a signal asks for, and what became of it."""
    who = f" by {signal.by}" if signal.by and signal.status not in ("open", "withdrawn", "expired") else ""
    order = f" as {signal.order}" if signal.order else ""
    return f"Order {signal.qty} by {signal.due}{_from(signal.supplier)}: {signal.status}{who}{order}."


def line_sentence(label: str, line: LineNow | None) -> str:
    """What an order line asks for, and what is still expected of it."""
    if line is None or line.ordered is None:
        return f"Order {label} is announced, and is not placed yet."
    due = "" if line.due is None else f", due {day_of(line.due)}"
    return (
        f"{line.ordered} ordered{_from(line.supplier)}{due}: {line.received} received, {line.in_transit} in transit, "
        f"{line.on_order} on order."
    )


def span_of(event: e.ForecastRevised) -> tuple[str, str] | None:
    """The first and the last day of a forecast; None where it states no bucket."""
    buckets = event.data.buckets
    if not buckets:
        return None
    last = max(bucket.start.toordinal() + bucket.days - 1 for bucket in buckets)
    return min(bucket.start for bucket in buckets).isoformat(), day_of(last).isoformat()


def _forecast(data: Any) -> str:
    total = sum(bucket.qty for bucket in data.buckets)
    if data.mode == "replace":
        return f"Forecast {data.version} states {_units(data, total)}."
    base = f" {data.base_version}" if data.base_version else ""
    return f"Forecast {data.version} changes{base} by {_units(data, f'{total:+}')}."


def _policy(data: Any) -> str:
    kind = type(data.policy).__struct_config__.tag
    return f"The policy is {kind}{_from(data.supplier)}."


def _acknowledged(data: Any) -> str:
    promises = ", ".join(
        f"{promise.qty} {promise.status}" + (f" for {promise.due}" if promise.due else "")
        for promise in data.schedule[:MOST_PROMISES]
    )
    more = len(data.schedule) - MOST_PROMISES
    return f"The supplier answers: {promises or 'nothing'}{f' and {more} more' if more > 0 else ''}."


def _notified(data: Any) -> str:
    return f"{_units(data, data.qty)} on the way{_by(data.eta)}."


def _changed_shipment(data: Any) -> str:
    what = "" if data.qty is None else f" brings {_units(data, data.qty)}"
    return f"The shipment changes:{what or ' the same quantity'}{_by(data.eta)}."


def _received(data: Any) -> str:
    beside = [f"{qty} {name}" for name, qty in (("held", data.held), ("damaged", data.damaged)) if qty]
    return f"{_units(data, data.qty)} good received{''.join(f', {each}' for each in beside)}."


def _reversed(data: Any) -> str:
    given = [f"{qty} {name}" for name in ("qty", "held", "damaged") if (qty := getattr(data, name)) is not None]
    told = ", ".join(given).replace(" qty", " good") or "all of it"
    return f"The receipt {data.receipt} is taken back: {told}."


def _answer(verb: str) -> Callable[[Any], str]:
    def say(data: Any) -> str:
        qty = f" {data.qty}" if getattr(data, "qty", None) is not None else ""
        why = f": {data.reason}" if getattr(data, "reason", None) else ""
        return f"{data.by} {verb}{qty}{why}."

    return say


MOST_PROMISES = 4
"""A line names at most so many promises of an acknowledgement."""

_SAYS: Mapping[type, Callable[[Any], str]] = {
    e.ForecastRevised: _forecast,
    e.PolicySet: _policy,
    e.OrderAcknowledged: _acknowledged,
    e.ShipmentNotified: _notified,
    e.ShipmentChanged: _changed_shipment,
    e.ShipmentCancelled: lambda _: "The shipment is cancelled.",
    e.GoodsReceived: _received,
    e.ReceiptReversed: _reversed,
    e.SignalAccepted: _answer("accepted it"),
    e.SignalRejected: _answer("rejected it"),
    e.SignalOrdered: _answer("ordered it"),
    e.SignalReopened: _answer("reopened it"),
    e.SignalSnoozed: lambda data: f"{data.by} snoozed it until {data.until.isoformat()}.",
    e.SignalAssigned: lambda data: f"{data.by} gave it to {data.to}.",
    e.SignalDrafted: lambda data: f"{data.system} has a draft in {data.document}.",
    e.SignalDraftGone: lambda data: f"{data.system} has no draft in {data.document} any more.",
    e.StockIssued: lambda data: f"{_units(data, data.qty)} issued.",
    e.StockCounted: lambda data: f"{_units(data, data.qty)} {data.status} counted.",
    e.StockAdjusted: lambda data: f"{_units(data, f'{data.qty:+}')} {data.status} adjusted: {data.reason}.",
    e.StockReserved: lambda data: f"{_units(data, data.qty)} reserved for {data.reservation}.",
    e.StockReturned: lambda data: f"{_units(data, data.qty)} returned, {data.disposition}.",
    e.TransferShipped: lambda data: f"{_units(data, data.qty)} shipped from {data.origin} to {data.to}.",
    e.TransferReceived: lambda data: f"{_units(data, data.qty)} arrived at {data.to}.",
}
"""What is said of an event by its type; of the others their source and type."""


def _units(data: Any, qty: int | str) -> str:
    return f"{qty} {data.uom or ('unit' if str(qty).lstrip('+-') == '1' else 'units')}"


def _by(day: Any) -> str:
    return "" if day is None else f", expected {day}"


def _from(supplier: str | None) -> str:
    return f" from {supplier}" if supplier else ""
