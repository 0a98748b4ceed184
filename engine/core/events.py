"""The events that come in: CloudEvents 1.0 in JSON structured mode, decoded strictly into one type per `type`."""

from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Any, Literal, Union, get_args

import msgspec
from msgspec import Meta

from engine.core import payloads as p
from engine.core.fields import Checked, Identifier, check_each, reader_of
from engine.core.outcomes import Rejection
from engine.core.values import MAX_QUANTITY

MAX_EVENT_BYTES = 256 * 1024
"""A longer event is refused: its row could not be stored beside it."""

Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset")]


class Event(Checked, tag_field="type", kw_only=True, omit_defaults=True, gc=False):
    """The envelope. Unknown attributes are ignored; the optional ones are carried along."""

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


class ItemDefined(Event, tag="item.defined", kw_only=True):
    """`item.defined`."""

    data: p.ItemDefinedData


class PolicySet(Event, tag="policy.set", kw_only=True):
    """`policy.set`."""

    data: p.PolicySetData


class ForecastRevised(Event, tag="forecast.revised", kw_only=True):
    """`forecast.revised`."""

    data: p.ForecastRevisedData


class OrderPlaced(Event, tag="order.placed", kw_only=True):
    """`order.placed`."""

    data: p.OrderPlacedData


class OrderChanged(Event, tag="order.changed", kw_only=True):
    """`order.changed`."""

    data: p.OrderChangedData


class OrderCancelled(Event, tag="order.cancelled", kw_only=True):
    """`order.cancelled`."""

    data: p.OrderEndedData


class OrderClosed(Event, tag="order.closed", kw_only=True):
    """`order.closed`."""

    data: p.OrderEndedData


class OrderAcknowledged(Event, tag="order.acknowledged", kw_only=True):
    """`order.acknowledged`."""

    data: p.OrderAcknowledgedData


class ShipmentNotified(Event, tag="shipment.notified", kw_only=True):
    """`shipment.notified`."""

    data: p.ShipmentNotifiedData


class GoodsReceived(Event, tag="goods.received", kw_only=True):
    """`goods.received`."""

    data: p.GoodsReceivedData


class StockAdjusted(Event, tag="stock.adjusted", kw_only=True):
    """`stock.adjusted`."""

    data: p.StockAdjustedData


class StockCounted(Event, tag="stock.counted", kw_only=True):
    """`stock.counted`."""

    data: p.StockCountedData


class StockIssued(Event, tag="stock.issued", kw_only=True):
    """`stock.issued`."""

    data: p.StockIssuedData


class StockReturned(Event, tag="stock.returned", kw_only=True):
    """`stock.returned`."""

    data: p.StockReturnedData


class StockHeld(Event, tag="stock.held", kw_only=True):
    """`stock.held`."""

    data: p.StockStatusData


class StockReleased(Event, tag="stock.released", kw_only=True):
    """`stock.released`."""

    data: p.StockStatusData


class StockReserved(Event, tag="stock.reserved", kw_only=True):
    """`stock.reserved`."""

    data: p.StockReservedData


class ReservationReleased(Event, tag="reservation.released", kw_only=True):
    """`reservation.released`."""

    data: p.ReservationReleasedData


class TransferShipped(Event, tag="transfer.shipped", kw_only=True):
    """`transfer.shipped`."""

    data: p.TransferShippedData


class TransferReceived(Event, tag="transfer.received", kw_only=True):
    """`transfer.received`."""

    data: p.TransferReceivedData


class BalanceReported(Event, tag="balance.reported", kw_only=True):
    """`balance.reported`."""

    data: p.BalanceReportedData


class SignalAccepted(Event, tag="signal.accepted", kw_only=True):
    """`signal.accepted`."""

    data: p.SignalAnswerData


class SignalRejected(Event, tag="signal.rejected", kw_only=True):
    """`signal.rejected`."""

    data: p.SignalAnswerData


class SignalOrdered(Event, tag="signal.ordered", kw_only=True):
    """`signal.ordered`."""

    data: p.SignalAnswerData


class AlertAcknowledged(Event, tag="alert.acknowledged", kw_only=True):
    """`alert.acknowledged`."""

    data: p.AlertAnswerData


class AlertResolved(Event, tag="alert.resolved", kw_only=True):
    """`alert.resolved`."""

    data: p.AlertAnswerData


class LocationDefined(Event, tag="location.defined", kw_only=True):
    """`location.defined`."""

    data: p.LocationDefinedData


class FeedDeclared(Event, tag="feed.declared", kw_only=True):
    """`feed.declared`."""

    data: p.FeedDeclaredData


class ClockTicked(Event, tag="clock.ticked", kw_only=True):
    """`clock.ticked`."""

    data: p.ClockTickedData


class ClockAccepted(Event, tag="clock.accepted", kw_only=True):
    """`clock.accepted`."""

    data: p.ClockAcceptedData


AnyEvent: Any = Union[tuple(Event.__subclasses__())]  # noqa: UP007 - it is made of the declarations above

EVENT_TYPES: dict[str, type[Event]] = {str(kind.__struct_config__.tag): kind for kind in Event.__subclasses__()}
"""Every type that is declared above, by its name."""

for _kind in EVENT_TYPES.values():
    reader_of(_kind)  # An identifier that would not be checked ends the start, not the stream.

Broadcast = LocationDefined | FeedDeclared | ClockTicked | ClockAccepted
"""Events that go to every partition."""
BROADCAST_TYPES: frozenset[type] = frozenset(get_args(Broadcast))

Reserved = ClockTicked | ClockAccepted
"""Events that the engine itself writes."""

_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyEvent)
_data_encoder = msgspec.json.Encoder()
# A digest that is copied costs less than a new one.
_identities, _contents = blake2b(digest_size=16), blake2b(digest_size=8)
_TYPE_OF = {kind: name for name, kind in EVENT_TYPES.items()}
_TAG_OF = {kind: name.encode() for name, kind in EVENT_TYPES.items()}


def decode(raw: bytes) -> Event | Rejection:
    """Decode one event strictly; what cannot be decoded is a rejection with its reason, never an exception."""
    if len(raw) > MAX_EVENT_BYTES:
        return Rejection("too_large", f"the event has {len(raw)} bytes, at most {MAX_EVENT_BYTES} are taken")
    try:
        event: Event = _decoder.decode(raw)
        return event
    except msgspec.ValidationError as error:
        return _refusal(str(error))
    except msgspec.DecodeError as error:
        return Rejection("not_json", str(error))
    except UnicodeDecodeError as error:
        return Rejection("not_utf8", str(error))
    except RecursionError:
        return Rejection("too_deep", "the JSON is nested too deeply")


def _refusal(message: str) -> Rejection:
    if "`$.type`" in message and "Invalid value" in message:
        return Rejection("unknown_type", message)
    if f"<= {MAX_QUANTITY}" in message or f">= -{MAX_QUANTITY}" in message:
        return Rejection("quantity_out_of_range", message)
    return Rejection("invalid_event", message)


def identity(event: Event) -> bytes:
    """The 16-byte digest of `source` and `id`, which name an event for ever."""
    digest = _identities.copy()
    digest.update(f"{event.source}\0{event.id}".encode())
    return digest.digest()


def content(event: Event, at: int) -> bytes:
    """The 8-byte digest of what an event says: type, instant and data, however they were written."""
    digest = _contents.copy()
    digest.update(b"%b %d %b" % (_TAG_OF[type(event)], at, _data_encoder.encode(event.data)))
    return digest.digest()


def type_name(event: Event) -> str:
    """The CloudEvents `type` of an event."""
    return _TYPE_OF[type(event)]


def encode(event: Event) -> bytes:
    """The event as CloudEvents JSON."""
    return _data_encoder.encode(event)
