"""The events that come in: CloudEvents 1.0 in JSON structured mode, decoded strictly into one class per `type`."""

# ruff: noqa: D101 - the class of an event is one line; `engine.core.payloads` says what it means
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, get_args

import msgspec
from msgspec import Meta

from engine.core import payloads as p
from engine.core.fields import Checked, Data, Identifier, check_each, reader_of
from engine.core.outcomes import Rejection
from engine.core.values import MAX_QUANTITY

MAX_EVENT_BYTES = 256 * 1024
"""A longer event is rejected: a record could not hold it together with the rows that it changes."""

Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset")]


class Event(Checked, tag_field="type", kw_only=True, omit_defaults=True, gc=False):
    """The CloudEvents envelope. Unknown attributes are ignored; traces continue in the outputs that an event causes."""

    specversion: Literal["1.0"]
    id: Identifier
    source: Identifier
    time: Moment
    data: Any
    datacontenttype: Literal["application/json"] | None = None
    dataschema: str | None = None
    subject: str | None = None
    recordedtime: Moment | None = None
    traceparent: str | None = None
    correlationid: str | None = None

    def __post_init__(self) -> None:
        # Not those of every struct: an id comes but once, so it need not be remembered.
        check_each((self.id, self.source))
        if self.time.year < 1970:
            raise ValueError("`time` is before 1970")

    @property
    def ref(self) -> str:
        """The name of the event in explanations: `source/id`."""
        return f"{self.source}/{self.id}"


D = TypeVar("D", bound=Data)


class EventOf(Event, Generic[D], kw_only=True):
    """An event whose `data` is a D. Each type of event is a subclass; its meaning is described at its payload."""

    data: D


# One line declares a type of event. Its decoding, schema, counter and digest follow from that line; `agents.pipeline`
# declares which agents handle it.
# fmt: off
class ItemDefined(EventOf[p.ItemDefinedData], tag="item.defined"): ...
class PolicySet(EventOf[p.PolicySetData], tag="policy.set"): ...
class ForecastRevised(EventOf[p.ForecastRevisedData], tag="forecast.revised"): ...
class OrderPlaced(EventOf[p.OrderPlacedData], tag="order.placed"): ...
class OrderChanged(EventOf[p.OrderChangedData], tag="order.changed"): ...
class OrderCancelled(EventOf[p.OrderEndedData], tag="order.cancelled"): ...
class OrderClosed(EventOf[p.OrderEndedData], tag="order.closed"): ...
class OrderAcknowledged(EventOf[p.OrderAcknowledgedData], tag="order.acknowledged"): ...
class ShipmentNotified(EventOf[p.ShipmentNotifiedData], tag="shipment.notified"): ...
class ShipmentChanged(EventOf[p.ShipmentChangedData], tag="shipment.changed"): ...
class ShipmentCancelled(EventOf[p.ShipmentChangedData], tag="shipment.cancelled"): ...
class GoodsReceived(EventOf[p.GoodsReceivedData], tag="goods.received"): ...
class ReceiptReversed(EventOf[p.ReceiptReversedData], tag="receipt.reversed"): ...
class StockAdjusted(EventOf[p.StockAdjustedData], tag="stock.adjusted"): ...
class StockCounted(EventOf[p.StockCountedData], tag="stock.counted"): ...
class StockIssued(EventOf[p.StockIssuedData], tag="stock.issued"): ...
class StockReturned(EventOf[p.StockReturnedData], tag="stock.returned"): ...
class StockReturnedToSupplier(EventOf[p.StockReturnedToSupplierData], tag="stock.returned_to_supplier"): ...
class StockHeld(EventOf[p.StockStatusData], tag="stock.held"): ...
class StockReleased(EventOf[p.StockStatusData], tag="stock.released"): ...
class StockReserved(EventOf[p.StockReservedData], tag="stock.reserved"): ...
class ReservationReleased(EventOf[p.ReservationReleasedData], tag="reservation.released"): ...
class TransferShipped(EventOf[p.TransferShippedData], tag="transfer.shipped"): ...
class TransferReceived(EventOf[p.TransferReceivedData], tag="transfer.received"): ...
class BalanceReported(EventOf[p.BalanceReportedData], tag="balance.reported"): ...
class SignalAccepted(EventOf[p.SignalAnswerData], tag="signal.accepted"): ...
class SignalRejected(EventOf[p.SignalAnswerData], tag="signal.rejected"): ...
class SignalOrdered(EventOf[p.SignalAnswerData], tag="signal.ordered"): ...
class SignalDrafted(EventOf[p.SignalDraftData], tag="signal.drafted"): ...
class SignalDraftGone(EventOf[p.SignalDraftData], tag="signal.draft_gone"): ...
class SignalPushFailed(EventOf[p.SignalPushFailedData], tag="signal.push_failed"): ...
class SignalReopened(EventOf[p.SignalReopenedData], tag="signal.reopened"): ...
class SignalSnoozed(EventOf[p.SignalSnoozedData], tag="signal.snoozed"): ...
class SignalAssigned(EventOf[p.SignalAssignedData], tag="signal.assigned"): ...
class AlertAcknowledged(EventOf[p.AlertAnswerData], tag="alert.acknowledged"): ...
class AlertResolved(EventOf[p.AlertAnswerData], tag="alert.resolved"): ...
class AlertReopened(EventOf[p.AlertAnswerData], tag="alert.reopened"): ...
class AlertSnoozed(EventOf[p.AlertSnoozedData], tag="alert.snoozed"): ...
class AlertAssigned(EventOf[p.AlertAssignedData], tag="alert.assigned"): ...
class RecordRefused(EventOf[p.RecordRefusedData], tag="record.refused"): ...
class DeadLetterReplayed(EventOf[p.DeadLetterAnswerData], tag="dead_letter.replayed"): ...
class DeadLetterDiscarded(EventOf[p.DeadLetterAnswerData], tag="dead_letter.discarded"): ...
class LocationDefined(EventOf[p.LocationDefinedData], tag="location.defined"): ...
class SupplierDefined(EventOf[p.SupplierDefinedData], tag="supplier.defined"): ...
class FeedDeclared(EventOf[p.FeedDeclaredData], tag="feed.declared"): ...
class ClockTicked(EventOf[p.ClockTickedData], tag="clock.ticked"): ...
class ClockAccepted(EventOf[p.ClockAcceptedData], tag="clock.accepted"): ...
# fmt: on

AnyEvent: Any = Union[tuple(EventOf.__subclasses__())]  # noqa: UP007 - it is made of the declarations above
"""The union of all types of events."""
EVENT_TYPES: dict[str, type[Event]] = {str(kind.__struct_config__.tag): kind for kind in EventOf.__subclasses__()}
"""Every type of event by its CloudEvents `type`."""

for _name, _kind in EVENT_TYPES.items():
    _kind.__doc__ = f"`{_name}`."  # JSON Schema shows it.
    reader_of(_kind)  # An identifier that would not be checked ends the start, not the stream.

Broadcast = LocationDefined | SupplierDefined | FeedDeclared | ClockTicked | ClockAccepted
"""Events that concern no single sku: every partition folds its own copy."""
BROADCAST_TYPES: frozenset[type] = frozenset(get_args(Broadcast))


AnswerToDeadLetter = DeadLetterReplayed | DeadLetterDiscarded
OTHER_KEYS: Mapping[type, str] = {
    RecordRefused: "source",
    DeadLetterReplayed: "dead letter",
    DeadLetterDiscarded: "dead letter",
}
"""Events that concern no sku, and what the key of their records is called."""


def key_of(event: Event) -> str:
    """The key of an event's record, by which its partition follows: its sku, unless it is of `OTHER_KEYS`.

    An event of `Broadcast` has none, for every partition folds a copy of it.
    """
    key: str = event.data.sku if type(event) not in OTHER_KEYS else _other_key(event)
    return key


def _other_key(event: Event) -> str:
    key: str = event.source if type(event) is RecordRefused else event.data.dead_letter
    return key


Reserved = ClockTicked | ClockAccepted
"""Events that only the engine itself writes."""

_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyEvent)
_data_encoder = msgspec.json.Encoder()
# A digest that is copied costs less than a new one.
_identities, _contents = blake2b(digest_size=16), blake2b(digest_size=8)
_TYPE_OF = {kind: name for name, kind in EVENT_TYPES.items()}
_TAG_OF = {kind: name.encode() for name, kind in EVENT_TYPES.items()}


def decode(raw: bytes) -> Event | Rejection:
    """Decode one event strictly; where that fails the answer is a rejection with its reason, never an exception."""
    if len(raw) > MAX_EVENT_BYTES:
        return Rejection("too_large", f"the event has {len(raw)} bytes, at most {MAX_EVENT_BYTES} are taken")
    try:
        event: Event = _decoder.decode(raw)
        return event
    except msgspec.ValidationError as error:
        return _rejection(str(error))
    except msgspec.DecodeError as error:
        return Rejection("not_json", str(error))
    except UnicodeDecodeError as error:
        return Rejection("not_utf8", str(error))
    except RecursionError:
        return Rejection("too_deep", "the JSON is nested too deeply")


def _rejection(message: str) -> Rejection:
    if "`$.type`" in message and "Invalid value" in message:
        return Rejection("unknown_type", message)
    if f"<= {MAX_QUANTITY}" in message or f">= -{MAX_QUANTITY}" in message:
        return Rejection("quantity_out_of_range", message)
    return Rejection("invalid_event", message)


def identity(event: Event) -> bytes:
    """The 16-byte digest of `source` and `id`: the idempotency key of an event."""
    digest = _identities.copy()
    digest.update(f"{event.source}\0{event.id}".encode())
    return digest.digest()


def content(event: Event, at: int) -> bytes:
    """The 8-byte digest of an event's content: type, instant and data. Other JSON of the same content has the same."""
    digest = _contents.copy()
    digest.update(b"%b %d %b" % (_TAG_OF[type(event)], at, _data_encoder.encode(event.data)))
    return digest.digest()


def type_name(event: Event) -> str:
    """The CloudEvents `type` of an event."""
    return _TYPE_OF[type(event)]


def encode(event: Event) -> bytes:
    """The event as CloudEvents JSON."""
    return _data_encoder.encode(event)
