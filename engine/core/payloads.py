"""The `data` of every event type: decoding, JSON Schema and AsyncAPI follow from these classes.

Quantities are integer counts of the item's base unit, or of `uom` where it is given. An event with an unknown field is
rejected.
"""

from base64 import b64decode
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, Struct, field

from engine.core.fields import (
    Count,
    Currency,
    Data,
    Days,
    Detail,
    Identifier,
    LineNumber,
    LocationOrAll,
    Money,
    Moved,
    Name,
    Quantity,
    Reference,
    Revision,
    RowData,
    Signed,
    SkuData,
    Status,
    Text,
    WholeDays,
)
from engine.core.outcomes import RecordReason
from engine.core.values import MAX_QUANTITY

MOST_DECIMALS = 40


class ItemDefinedData(SkuData, kw_only=True):
    """The item master of a sku; the latest `time` wins."""

    base_unit: Name
    units: dict[Name, Quantity] = field(default_factory=dict)
    description: Text | None = None
    abc: Literal["A", "B", "C"] | None = None
    substitutes: Annotated[list[Name], Meta(max_length=100)] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.units.get(self.base_unit, 1) != 1:
            raise ValueError("the base unit's factor is 1")


class MinMax(Struct, tag_field="kind", tag="min_max", forbid_unknown_fields=True, gc=False):
    """Order up to `max` when the position is at or below `min`."""

    min: Count
    max: Count

    def __post_init__(self) -> None:
        if self.max < self.min:
            raise ValueError("`max` is below `min`")


class ReorderPoint(Struct, tag_field="kind", tag="reorder_point", forbid_unknown_fields=True, gc=False):
    """Order lots of `qty` when the position is at or below `point`."""

    point: Count
    qty: Quantity


class ForecastPolicy(Struct, tag_field="kind", tag="forecast", forbid_unknown_fields=True, gc=False):
    """Order up to the demand over lead time and review period, plus safety stock."""


class NoPolicy(Struct, tag_field="kind", tag="none", forbid_unknown_fields=True, gc=False):
    """No replenishment signals."""


Policy = MinMax | ReorderPoint | ForecastPolicy | NoPolicy


class AutoLimits(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What may be ordered without a planner; `max_value` needs a `unit_cost`."""

    max_qty: Count | None = None
    max_value: Money | None = None


class PolicySetData(RowData, kw_only=True):
    """The replenishment policy of a row; the latest `time` wins."""

    policy: Policy
    supplier: Name | None = None
    lead_time_days: Days | None = None
    lead_time_std_days: Days | None = None
    ack_days: WholeDays | None = None
    asn_days: WholeDays | None = None
    review_days: Days | None = None
    moq: Count | None = None
    multiple: Quantity | None = None
    max_qty: Quantity | None = None
    safety_stock: Count | None = None
    service_level: Annotated[float, Meta(gt=0, lt=1)] | None = None
    auto: AutoLimits | None = None
    unit_cost: Money | None = None
    currency: Currency | None = None
    unit_margin: Money | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_money(self.unit_cost, self.unit_margin, self.auto.max_value if self.auto else None)


def _check_money(*amounts: Decimal | None) -> None:
    """Check amounts of money, of which some may be absent; raises ValueError for one that cannot be."""
    if not all(amount is None or _is_money(amount) for amount in amounts):
        raise ValueError("an amount of money is not negative, at most 10^12, and has at most 40 decimals")


def _is_money(amount: Decimal) -> bool:
    """Whether an amount can be written out: 1E-999999999 is a short number, and a text of a gigabyte."""
    decimals = amount.as_tuple().exponent
    return isinstance(decimals, int) and decimals >= -MOST_DECIMALS and 0 <= amount <= MAX_QUANTITY


class Bucket(Struct, forbid_unknown_fields=True, gc=False):
    """`qty` units of demand over `days` days from `start`, spread evenly, earlier days taking the remainder."""

    start: date
    days: Annotated[int, Meta(ge=1, le=366)]
    qty: Signed


class ForecastRevisedData(Moved, kw_only=True):
    """A forecast: `replace` states it whole, `delta` amends the version `base_version` by signed quantities."""

    version: Reference
    mode: Literal["replace", "delta"]
    base_version: Reference | None = None
    buckets: Annotated[list[Bucket], Meta(max_length=1000)]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode == "replace" and any(bucket.qty < 0 for bucket in self.buckets):
            raise ValueError("a bucket of mode `replace` is not negative")


class LineData(Moved, kw_only=True):
    """A payload that concerns a line of a purchase order."""

    order: Reference
    line: LineNumber


class OrderPlacedData(LineData, kw_only=True):
    """A purchase order line; the highest `revision` wins, then the latest `time`."""

    supplier: Name
    qty: Quantity
    due: date
    revision: Revision = 0
    signal: Reference | None = None


class OrderChangedData(LineData, kw_only=True):
    """A change of quantity or date of a purchase order line."""

    qty: Count | None = None
    due: date | None = None
    revision: Revision = 0


class OrderEndedData(LineData, kw_only=True):
    """Nothing more is expected on the line."""

    revision: Revision = 0


class Promise(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One entry of a supplier's acknowledgement."""

    status: Literal["accepted", "changed", "backordered", "rejected", "pending"]
    qty: Count
    due: date | None = None


class OrderAcknowledgedData(LineData, kw_only=True):
    """What the supplier promises; it replaces earlier acknowledgements of the line."""

    schedule: Annotated[list[Promise], Meta(max_length=104)]


class ShipmentNotifiedData(LineData, kw_only=True):
    """An advance shipping notice: moves open quantity of the line to in transit."""

    shipment: Reference
    qty: Quantity
    eta: date | None = None


class ShipmentChangedData(LineData, kw_only=True):
    """What a shipment brings to the line in place of what its notice said, or that it brings nothing any more.

    The highest (`revision`, `time`) wins, and the notice has revision 0. `qty` and `eta` of a cancellation say what is
    cancelled and change nothing.
    """

    shipment: Reference
    qty: Count | None = None
    eta: date | None = None
    revision: Revision = 0


class GoodsReceivedData(Moved, kw_only=True):
    """A receipt: `qty` good to available, `held` to held, `damaged` to nothing; all three reduce what is owed."""

    receipt: Reference
    qty: Count
    held: Count = 0
    damaged: Count = 0
    order: Reference | None = None
    line: LineNumber | None = None
    shipment: Reference | None = None
    closes_line: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.qty or self.held or self.damaged):
            raise ValueError("a receipt has at least one of qty, held and damaged above 0")


class ReceiptReversedData(Moved, kw_only=True):
    """Takes back a receipt: so much of it as `qty`, `held` and `damaged` say, or all of it where none of them is given.

    `order`, `line` and `shipment` say which of several receipts under one number are meant.
    """

    receipt: Reference
    qty: Count | None = None
    held: Count | None = None
    damaged: Count | None = None
    order: Reference | None = None
    line: LineNumber | None = None
    shipment: Reference | None = None
    reopens_line: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [qty for qty in (self.qty, self.held, self.damaged) if qty is not None]
        if given and not any(given):
            raise ValueError("a reversal with quantities has at least one of qty, held and damaged above 0")


class StockAdjustedData(Moved, kw_only=True):
    """A correction of available or held stock by a signed quantity."""

    qty: Signed
    status: Status = "available"
    reason: Text

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.qty:
            raise ValueError("an adjustment is not 0")


class StockCountedData(Moved, kw_only=True):
    """The balance as of `time` was `qty`; later movements stay on top."""

    qty: Count
    status: Status = "available"


class StockIssuedData(Moved, kw_only=True):
    """Leaves available (and the reservation); consumes forecast."""

    qty: Quantity
    reservation: Reference | None = None
    order: Reference | None = None


class StockReturnedData(Moved, kw_only=True):
    """A customer's return."""

    qty: Quantity
    disposition: Literal["available", "held", "scrap"]


class StockReturnedToSupplierData(Moved, kw_only=True):
    """Goods go back to the supplier: they leave available or held stock, and the line's received stays as it is."""

    qty: Quantity
    status: Status = "available"
    order: Reference | None = None
    line: LineNumber | None = None
    reason: Text | None = None


class StockStatusData(Moved, kw_only=True):
    """Available to held, or held to available."""

    qty: Quantity
    reason: Text | None = None


class StockReservedData(Moved, kw_only=True):
    """A soft reservation; reserved again under the same id replaces the quantity (latest `time`)."""

    reservation: Reference
    qty: Quantity
    expires: Annotated[datetime, Meta(tz=True)] | None = None


class ReservationReleasedData(Moved, kw_only=True):
    """Gives `qty` back; without `qty` the reservation is over for good."""

    reservation: Reference
    qty: Quantity | None = None


class TransferShippedData(SkuData, kw_only=True):
    """Leaves `from`, in transit to `to`."""

    transfer: Reference
    origin: Name = field(name="from")
    to: Name
    qty: Quantity
    eta: date | None = None
    uom: Name | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.origin == self.to:
            raise ValueError("a transfer has two different locations")


class TransferReceivedData(SkuData, kw_only=True):
    """Arrives at `to`."""

    transfer: Reference
    to: Name
    qty: Count
    held: Count = 0
    uom: Name | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.qty or self.held):
            raise ValueError("a receipt of a transfer has at least one of qty and held above 0")


class BalanceReportedData(Moved, kw_only=True):
    """What the ERP believes as of `time`: compared, never applied."""

    on_hand: Signed
    held: Signed | None = None
    on_order: Signed | None = None


class SignalAnswerData(RowData, kw_only=True):
    """The answer to a replenishment signal; `qty` is what was accepted or ordered in place of the proposal."""

    signal: Reference
    by: Name
    qty: Quantity | None = None
    order: Reference | None = None
    line: LineNumber | None = None
    reason: Text | None = None


class SignalDraftData(RowData, kw_only=True):
    """A document of another system announces the order of a signal, or does so no longer."""

    signal: Reference
    system: Name
    document: Reference
    line: LineNumber | None = None


class SignalPushFailedData(RowData, kw_only=True):
    """A connector has given up telling another system of a signal, or of what became of it."""

    signal: Reference
    system: Name
    attempts: Annotated[int, Meta(ge=1, le=10**9)]
    detail: Detail


class SignalReopenedData(RowData, kw_only=True):
    """Undoes an acceptance or a rejection that was not ordered yet."""

    signal: Reference
    by: Name
    reason: Text | None = None


class SignalSnoozedData(RowData, kw_only=True):
    """Nobody need look at the signal until then, or until it asks for more; an `until` that is past ends it."""

    signal: Reference
    until: Annotated[datetime, Meta(tz=True)]
    by: Name
    note: Text | None = None


class SignalAssignedData(RowData, kw_only=True):
    """Who owns the signal."""

    signal: Reference
    to: Name
    by: Name
    note: Text | None = None


class AlertAnswerData(Data, kw_only=True):
    """The answer to an alert. Alerts about a feed have the feed as sku and `*` as location."""

    sku: Identifier
    location: LocationOrAll
    alert: Reference
    by: Name
    note: Text | None = None


class AlertSnoozedData(AlertAnswerData, kw_only=True):
    """Nobody need look at the alert until then, or until it gets worse; an `until` that is past ends it."""

    until: Annotated[datetime, Meta(tz=True)]


class AlertAssignedData(AlertAnswerData, kw_only=True):
    """Who owns the alert."""

    to: Name


class DeadLetterAnswerData(Data, kw_only=True):
    """What a person did about a dead letter: it was taken again, as `event` (`source/id`), or it is discarded."""

    dead_letter: Reference
    by: Name
    event: Annotated[str, Meta(min_length=1, max_length=600)] | None = None
    note: Text | None = None


class RecordRefusedData(Data, kw_only=True):
    """A connector could not translate a record of another system, or could not deliver a notification to it.

    The record is carried as text or as base64. One that is too long for an event is named by its length and SHA-256.
    """

    connector: Name
    reason: RecordReason
    detail: Detail
    place: Annotated[str, Meta(max_length=500)]
    record: str | None = None
    record_base64: str | None = None
    record_bytes: Annotated[int, Meta(ge=0, le=MAX_QUANTITY)] | None = None
    record_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.record is not None and self.record_base64 is not None:
            raise ValueError("a record is carried as `record` or as `record_base64`, not as both")
        if (self.record_bytes is None) != (self.record_sha256 is None):
            raise ValueError("`record_bytes` and `record_sha256` come together")
        if self.record is None and self.record_base64 is None and self.record_bytes is None:
            raise ValueError("a record is carried, or named by `record_bytes` and `record_sha256`")
        if self.record_base64 is not None:
            b64decode(self.record_base64, validate=True)


class LocationDefinedData(Data, kw_only=True):
    """A location; days are its local days."""

    location: Name
    time_zone: str = "UTC"
    name: Text | None = None
    working_days: Annotated[list[Annotated[int, Meta(ge=1, le=7)]], Meta(max_length=7)] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("`time_zone` is not a time zone of the IANA database") from None


class SupplierDefinedData(Data, kw_only=True):
    """What an order to a supplier must come to, and what its truck holds; the latest `time` wins, as a whole.

    A truck holds `truck_units` of `truck_uom`, such as 33 pallets: base units of several items cannot be added up, and
    how many of them one such unit has is what each item declares among its `units`.
    """

    supplier: Name
    minimum_value: Money | None = None
    currency: Currency | None = None
    truck_units: Quantity | None = None
    truck_uom: Name | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_money(self.minimum_value)
        if self.currency is not None and self.minimum_value is None:
            raise ValueError("`currency` is that of `minimum_value`, which is absent")
        if (self.truck_units is None) != (self.truck_uom is None):
            raise ValueError("`truck_units` and `truck_uom` come together")


class FeedDeclaredData(Data, kw_only=True):
    """The feed is stale when nothing has arrived from it for the interval."""

    feed: Identifier
    interval_seconds: Annotated[int, Meta(ge=1, le=10**8)]
    locations: Annotated[list[Name], Meta(max_length=1000)] | None = None


class ClockAcceptedData(Data, kw_only=True):
    """The machine's clock had jumped ahead by so much and showed `at`; `by` says that it is right."""

    at: Annotated[datetime, Meta(tz=True)]
    jumped_seconds: Annotated[int, Meta(ge=0, le=10**11)]
    by: Name


class ClockTickedData(Data, kw_only=True):
    """Time passes; `feeds` names the last arrival of every declared feed."""

    feeds: dict[str, Annotated[datetime, Meta(tz=True)]] = field(default_factory=dict)
