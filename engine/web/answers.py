"""The bodies and answers that exist only on HTTP, and the one way to write a JSON answer."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from engine.access.principal import Means, Role
from engine.core.fields import Checked, Name, Quantity, Text
from engine.core.outputs import Alert, DeadLetter, Disposition, Position, Signal, SignalStatus
from engine.core.payloads import PolicySetData
from engine.web.processes import ListedProcess

Index = Annotated[int, Meta(ge=0, description="the item's place in the body, from 0; blank lines are not counted")]

Duplicates = Annotated[
    int,
    Meta(ge=0, description="how many of the accepted were known before; absent on Kafka, where only the fold tells"),
]


class RefusedItem(Struct):
    """An event of a submission that was rejected and became a dead letter."""

    index: Index
    id: str | None
    reason: str
    detail: str


class Taken(Struct):
    """What became of the events of a body; the accepted ones are durable."""

    accepted: int
    refused: list[RefusedItem]
    duplicates: Duplicates | UnsetType = UNSET


class SignalAnswer(Checked, forbid_unknown_fields=True, omit_defaults=True):
    """The answer of a person or a system to a signal; `qty`, in base units, replaces the proposed quantity."""

    by: Name
    qty: Quantity | None = None
    reason: Text | None = None


class ListedPosition(Position, kw_only=True):
    """A row of the list of positions: beside the position what is known of its item, policy, signal and alerts.

    `stockout_date` is that of the open alert `projected_stockout`; `value` is `on_hand` times `unit_cost`,
    `days_of_cover` is how long `sellable` lasts at the mean of `forecast_28_days`, the forecast of the next 28 days.
    """

    description: str | None
    abc: str | None
    base_unit: str | None
    policy: str | None
    supplier: str | None
    unit_cost: Decimal | None
    currency: str | None
    lead_time_days: float | None
    s: int | None
    S: int | None
    forecast_28_days: int | None
    days_of_cover: float | None
    value: Decimal | None
    signal_id: str | None
    signal_status: SignalStatus | None
    signal_disposition: Disposition | None
    signal_qty: int | None
    signal_due: date | None
    open_alerts: int
    stockout_date: date | None


class ListedSignal(Signal, kw_only=True):
    """A signal in the list: beside what is published what is known today of its item and the policy of its row.

    `value` is `qty` times `unit_cost`, in `currency`.
    """

    description: str | UnsetType = UNSET
    unit_cost: Decimal | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    value: Decimal | UnsetType = UNSET


class ListedAlert(Alert, kw_only=True):
    """An alert in the list, with the same; `qty` is how many units its evidence is about, without a sign."""

    qty: int | UnsetType = UNSET
    description: str | UnsetType = UNSET
    unit_cost: Decimal | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    value: Decimal | UnsetType = UNSET


class StockAsOf(Struct, kw_only=True):
    """The stock of a row as of a moment, by all events that are known now, also those that came later.

    `kept_since` is the earliest moment that can be asked for; null where every movement of the row is kept.
    """

    sku: str
    location: str
    as_of: str
    available: int
    held: int
    on_hand: int
    kept_since: str | None


class OrderLine(Struct, kw_only=True):
    """A line of a purchase order; quantities in base units. It is open as long as anything is expected.

    `acknowledged` is what the supplier has confirmed, null without an answer; `promised` the ordered quantity without
    what was rejected; `next_promised` the earliest day on which something is expected, `overdue_days` for how long.
    """

    order: str
    line: str
    supplier: str | None
    sku: str
    location: str
    status: Literal["open", "closed"]
    ordered: int | None
    due: date | None
    acknowledged: int | None
    promised: int
    next_promised: date | None
    received: int
    on_order: int
    in_transit: int
    overdue_days: int | None
    description: str | None


class AlertAnswer(Checked, forbid_unknown_fields=True, omit_defaults=True):
    """The answer of a person or a system to an alert."""

    by: Name
    note: Text | None = None


class SignalReopening(Checked, forbid_unknown_fields=True, omit_defaults=True):
    """The statement that an acceptance or a rejection counts no more."""

    by: Name
    reason: Text | None = None


class Snooze(Checked, forbid_unknown_fields=True, omit_defaults=True):
    """Until when nobody need look at a signal or an alert; a moment that is past ends its snooze."""

    until: Annotated[datetime, Meta(tz=True)]
    by: Name
    note: Text | None = None


class Assignment(Checked, forbid_unknown_fields=True, omit_defaults=True):
    """Who owns a signal or an alert from now on."""

    to: Name
    by: Name
    note: Text | None = None


class PolicySetting(Checked, forbid_unknown_fields=True):
    """The policy of a row, and who sets it."""

    by: Name
    policy: PolicySetData


AnyAnswer = SignalAnswer | AlertAnswer | SignalReopening | Snooze | Assignment
"""The body of an answer to a signal or an alert."""


class ClockAnswer(Struct, forbid_unknown_fields=True):
    """The statement of a person that the clock of a machine is right."""

    by: Name


class Me(Struct):
    """Who calls.

    `source` is that of the events of an adapter or a supplier, null for all others; `login` is how it was proven;
    `expires` is in seconds of the Unix epoch, null for never; `insecure` is true where the engine listens beyond its
    machine and asks nobody for a login, which a page says in a banner.
    """

    name: str | None
    roles: list[Role]
    source: str | None
    supplier: str | None
    login: Means
    expires: float | None
    insecure: bool


class Replaying(Checked, forbid_unknown_fields=True, omit_defaults=True):
    """A dead letter is to be taken again; `event` is what to take in its place, its cause mended."""

    by: Name | None = None
    note: Text | None = None
    event: dict[str, Any] | None = None


class Discarding(Checked, forbid_unknown_fields=True, omit_defaults=True):
    """A dead letter needs nothing more, for the reason that the note says."""

    note: Text
    by: Name | None = None


class ReplayingMany(Checked, forbid_unknown_fields=True, omit_defaults=True):
    """The open dead letters of a reason and a source are to be taken again, or only tried."""

    reason: Text | None = None
    source: Text | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    dry_run: bool = False
    by: Name | None = None
    note: Text | None = None


class NotReplayed(Struct):
    """A dead letter that is refused again."""

    id: str
    reason: str
    detail: str


class Replayed(Struct):
    """What became of many dead letters; `more` says whether others are open beyond the limit."""

    dry_run: bool
    found: int
    accepted: int
    refused: list[NotReplayed]
    more: bool


class ShownLetter(DeadLetter, kw_only=True, omit_defaults=True):
    """A dead letter with what somebody did about it."""

    status: Annotated[Literal["open", "replayed", "discarded"], Meta(description="open until somebody answers it")]
    answered: datetime | None = None
    by: str | None = None
    note: str | None = None
    replayed_as: str | None = None


class Sync(Struct):
    """How many events are accepted, how many applied and how many wait; `log` is the log's id, at every address."""

    accepted: int
    applied: int
    lag: int
    log: str


class Running(Struct, omit_defaults=True):
    """What a process runs with: its version, its settings, and the rules by which the log is folded, where it has them.

    The rules are those of the log: whatever a worker is told, it folds by them or ends. `processes` has this one first,
    and with it those of its cluster; a worker does not know them.
    """

    version: str
    # msgspec describes no values of any kind but Any.
    settings: Mapping[str, Any]
    rules: Mapping[str, Any] | None = None
    processes: list[ListedProcess] | None = None


class Health(Struct):
    """The state of the process: `ok`, `waiting`, `stopping` or `failed`, and the reason."""

    status: str
    detail: str | None = None


_encoder = msgspec.json.Encoder()


def as_json(value: object, status: int = 200) -> web.Response:
    """A JSON answer of what msgspec can encode: its structs, plain values, or `Raw` bytes."""
    return web.Response(status=status, body=_encoder.encode(value), content_type="application/json")


def raw_json(value: Raw | bytes, status: int = 200) -> web.Response:
    """A JSON answer from bytes that are JSON already."""
    return web.Response(status=status, body=bytes(value), content_type="application/json")
