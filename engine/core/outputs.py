"""The outputs: positions, signals, alerts and dead letters, as CloudEvents JSON."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType

from engine.core.events import Event
from engine.core.values import moment

SOURCE = "stockline"

Severity = Literal["info", "warning", "critical"]
AlertStatus = Literal["open", "acknowledged", "resolved"]
SignalStatus = Literal["open", "accepted", "withdrawn", "ordered", "rejected", "expired"]
Disposition = Literal["auto", "review"]

InfoAlert = Literal["late_count", "unknown_item"]
WarningAlert = Literal[
    "ack_overdue", "asn_overdue", "balance_drift", "damaged_receipt", "forecast_bias", "forecast_gap", "late_supply",
    "lead_time_drift", "lost_in_transit", "over_receipt", "short_ack",
]  # fmt: skip
CriticalAlert = Literal["clock_jump", "negative_stock", "projected_stockout", "push_failed", "stale_feed"]
AlertKind = Literal[InfoAlert, WarningAlert, CriticalAlert]
SEVERITY: Mapping[AlertKind, Severity] = {
    **dict.fromkeys(get_args(InfoAlert), "info"),
    **dict.fromkeys(get_args(WarningAlert), "warning"),
    **dict.fromkeys(get_args(CriticalAlert), "critical"),
}
"""How grave an alert is follows from its kind; a new kind is named in the list of its severity."""


class Position(Struct):
    """The published row of (sku, location). Quantities in base units; `updated` is event time."""

    # Nearly every event publishes one, so it is made of positional arguments, which takes half the time.

    sku: str
    location: str
    available: int
    held: int
    on_hand: int
    reserved: int
    sellable: int
    on_order: int
    in_transit: int
    position: int
    version: int
    updated: datetime


class ShownDraft(Struct):
    """The document of another system that announces the order of a signal."""

    system: str
    document: str
    line: str | None
    since: datetime


class Signal(Struct, kw_only=True):
    """One revision of a replenishment signal: how much, by when, why, and what became of it."""

    id: str
    sku: str
    location: str
    status: SignalStatus
    revision: int
    disposition: Disposition
    reasons: list[str]
    qty: int
    due: date
    supplier: str | None
    opened: datetime
    updated: datetime
    explanation: dict[str, Any]
    by: str | None = None
    order: str | None = None
    note: str | None = None
    draft: ShownDraft | UnsetType = UNSET
    owner: str | UnsetType = UNSET
    snoozed_until: datetime | UnsetType = UNSET
    snoozed_by: str | UnsetType = UNSET


class Alert(Struct, kw_only=True):
    """One state of an alert; it opens once, is updated while it lasts and resolves by itself."""

    id: str
    kind: AlertKind
    sku: str
    location: str
    severity: Severity
    status: AlertStatus
    opened: datetime
    updated: datetime
    evidence: dict[str, Any]
    by: str | None = None
    note: str | None = None
    owner: str | UnsetType = UNSET
    snoozed_until: datetime | UnsetType = UNSET
    snoozed_by: str | UnsetType = UNSET


class DeadLetter(Struct, kw_only=True, omit_defaults=True):
    """A refused record: its exact bytes (`raw`, or base64 where they are not UTF-8), reason and place of arrival."""

    id: str
    reason: str
    detail: str
    place: str
    arrived: datetime
    raw: str | None = None
    raw_base64: str | None = None
    event_id: str | None = None
    event_source: str | None = None


class DeadLetterAnswer(Struct, kw_only=True, omit_defaults=True):
    """What a person did about the dead letter `id`: it was taken again as `event` (`source/id`), or it is discarded."""

    id: str
    status: Literal["replayed", "discarded"]
    answered: datetime
    by: str
    event: str | None = None
    note: str | None = None


class OutputEvent(Struct, omit_defaults=True):
    """The CloudEvents envelope of everything that goes out."""

    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    subject: str
    data: Any
    traceparent: str | None = None
    correlationid: str | None = None


_encoder = msgspec.json.Encoder()


def envelope(
    kind: str,
    name: str,
    at: int,
    data: Position | Signal | Alert | DeadLetter | DeadLetterAnswer,
    cause: Event | None = None,
) -> bytes:
    """Encode an output as a CloudEvent.

    Args:
        kind: its `type`, such as `signal.opened`.
        name: its `id`, unique among the engine's outputs.
        at: its `time`, an instant.
        data: its data.
        cause: the event that caused it, whose trace and correlation it continues.
    """
    return _encoder.encode(
        OutputEvent(
            "1.0",
            name,
            SOURCE,
            kind,
            moment(at),
            _subject_of(data),
            data,
            None if cause is None else cause.traceparent,
            None if cause is None else cause.correlationid,
        )
    )


def _subject_of(data: Position | Signal | Alert | DeadLetter | DeadLetterAnswer) -> str:
    match data:
        case DeadLetter():
            return data.reason
        case DeadLetterAnswer():
            return data.id
    return f"{data.sku}@{data.location}"


def position_changed(position: Position, ref: str) -> bytes:
    """Encode a position as the CloudEvent `position.changed`; `ref` tells it from the others of its row."""
    name = f"{position.sku}@{position.location}"
    event = OutputEvent("1.0", f"{name}/{ref}", SOURCE, "position.changed", position.updated, name, position)
    return _encoder.encode(event)
