"""One thing that needs a decision: what it is about, how much is short, and what that is worth."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal

from msgspec import UNSET, Struct

from agents.alert_units import units_of
from engine.core.outputs import Alert, AlertKind, AlertStatus, Disposition, Severity, Signal, SignalStatus
from engine.core.values import row_key
from engine.work.sentences import sentence_of

GroupKind = Literal["order", "late_supply", "stockout", "drift", "other", "automatic"]
"""What the things of a group ask for, the most urgent first among groups that are equally bad.

`automatic` are proposals that the engine may order by itself.
"""

GROUP_OF: Mapping[AlertKind, GroupKind] = {
    "late_supply": "late_supply",
    "ack_overdue": "late_supply",
    "asn_overdue": "late_supply",
    "short_ack": "late_supply",
    "balance_drift": "drift",
    "projected_stockout": "stockout",
}
"""The group of an alert by its kind; those that are not named are `other`."""

OF_SUPPLIERS: frozenset[GroupKind] = frozenset({"order", "automatic", "late_supply"})
"""The kinds of groups that are made by supplier, as one call or one order answers all of their things."""

_DUE: Mapping[AlertKind, str] = {
    "ack_overdue": "expected",
    "asn_overdue": "expected",
    "late_supply": "due",
    "projected_stockout": "date",
}
"""The day in an alert's evidence by which something was or is due."""


Kind = Literal["replenishment", AlertKind]


Badness = tuple[Decimal, Decimal, str, bool, int, Decimal, date, datetime, str]
"""Where an item stands among others, the worst first.

By the value at risk that its group counts, by that of its row, class, severity, units short, value, day, age and id.
"""


class WorkItem(Struct, kw_only=True):
    """A signal or an alert that needs a decision.

    `qty` in base units, without a sign; `value` is `qty` at unit cost, `value_at_risk` the `units_short` of the row at
    unit margin or else cost, both as decimal strings in `currency`, and null where the policy of the row states none.
    `proposal` of an alert is the open signal of its row, which would answer it. `reasons` of a drift are its causes.
    """

    type: Literal["signal", "alert"]
    id: str
    kind: Kind
    sku: str
    location: str
    description: str | None
    abc: str | None
    supplier: str | None
    sentence: str
    qty: int | None
    due: date | None
    units_short: int
    unit_cost: str | None
    unit_margin: str | None
    currency: str | None
    value: str | None
    value_at_risk: str | None
    status: SignalStatus | AlertStatus
    severity: Severity | None
    disposition: Disposition | None
    revision: int | None
    reasons: list[str]
    opened: datetime
    updated: datetime
    snoozed_until: datetime | None
    owner: str | None
    line: str | None
    proposal: str | None


class Master(Struct, frozen=True):
    """The master data of a row that a decision about it needs; None for what nobody has stated."""

    description: str | None = None
    abc: str | None = None
    supplier: str | None = None
    unit_cost: Decimal | None = None
    currency: str | None = None
    moq: int | None = None
    unit_margin: Decimal | None = None
    base_unit: str | None = None
    units: Mapping[str, int] = MappingProxyType({})
    """How many base units each other unit of the item has."""

    def size_of(self, unit: str) -> int | None:
        """How many base units a unit of the item has; None where the item does not declare it."""
        return 1 if unit == self.base_unit else self.units.get(unit)

    @property
    def lost_by_unit(self) -> Decimal | None:
        """What a unit that is missing loses: its margin, or its cost where the policy states no margin."""
        return self.unit_cost if self.unit_margin is None else self.unit_margin


class OpenThing(Struct, frozen=True, gc=False):
    """A signal that is open, or an alert that is not resolved, with the master data of its row and what follows.

    `row` is the name of its row; that of a feed has the feed where the sku is. `qty` is in base units.
    """

    data: Signal | Alert
    master: Master
    row: str
    group: GroupKind
    supplier: str | None
    owner: str | None
    snoozed_until: datetime | None
    qty: int | None
    due: date | None
    value: Decimal | None

    @property
    def currency(self) -> str | None:
        """The currency of its amounts; None where it has none, or nobody has said."""
        return self.master.currency if self.has_amounts else None

    @property
    def has_amounts(self) -> bool:
        """Whether the policy of its row states what a unit costs or earns."""
        return self.master.unit_cost is not None or self.master.unit_margin is not None


class Ranked(Struct, frozen=True, gc=False):
    """A thing of a list: what of its row is short and what that is worth, and whether its group counts that.

    Of several groups that have things of one row only one counts the row's value at risk. `proposal` is the id of the
    open signal of the row. `badness` is lower the worse it is.
    """

    thing: OpenThing
    short: int
    at_risk: Decimal | None
    counts: bool
    proposal: str | None
    badness: Badness


def units_short(stockout: Alert | None) -> int:
    """How far the projection of a row falls below 0 within lead time and review period; 0 where it does not.

    It is the figure by which the engine opened `projected_stockout`, so that no second formula can disagree with it.
    """
    return 0 if stockout is None else max(0, -int(stockout.evidence["lowest"]))


def open_thing(data: Signal | Alert, master: Master) -> OpenThing:
    """A signal or alert with what follows from it and from the master data of its row."""
    qty, due = (data.qty, data.due) if isinstance(data, Signal) else (units_of(data.kind, data.evidence), _due(data))
    said = data.supplier if isinstance(data, Signal) else data.evidence.get("supplier")
    return OpenThing(
        data,
        master,
        row_key(data.sku, data.location),
        _group(data),
        said or master.supplier,
        None if data.owner is UNSET else data.owner,
        None if data.snoozed_until is UNSET else data.snoozed_until,
        qty,
        due,
        None if master.unit_cost is None or qty is None else master.unit_cost * qty,
    )


def _group(data: Signal | Alert) -> GroupKind:
    if isinstance(data, Signal):
        return "order" if data.disposition == "review" else "automatic"
    return GROUP_OF.get(data.kind, "other")


def item_of(ranked: Ranked) -> WorkItem:
    """What is shown of a thing of a list."""
    thing = ranked.thing
    data, master = thing.data, thing.master
    return WorkItem(
        id=data.id,
        sku=data.sku,
        location=data.location,
        description=master.description,
        abc=master.abc,
        supplier=thing.supplier,
        qty=thing.qty,
        due=thing.due,
        units_short=ranked.short,
        unit_cost=money(master.unit_cost),
        unit_margin=money(master.unit_margin),
        currency=thing.currency,
        value=money(thing.value),
        value_at_risk=money(ranked.at_risk),
        status=data.status,
        opened=data.opened,
        updated=data.updated,
        snoozed_until=thing.snoozed_until,
        owner=thing.owner,
        proposal=ranked.proposal,
        **(_of_signal(data) if isinstance(data, Signal) else _of_alert(data)),
    )


def money(amount: Decimal | None) -> str | None:
    """An amount as a decimal string without an exponent."""
    return None if amount is None else f"{amount:f}"


def _of_signal(signal: Signal) -> dict[str, Any]:
    return {
        "type": "signal", "kind": "replenishment", "sentence": signal.explanation["sentence"], "severity": None,
        "disposition": signal.disposition, "revision": signal.revision, "reasons": signal.reasons, "line": None,
    }  # fmt: skip


def _of_alert(alert: Alert) -> dict[str, Any]:
    return {
        "type": "alert", "kind": alert.kind, "sentence": sentence_of(alert), "severity": alert.severity,
        "disposition": None, "revision": None, "reasons": _causes(alert), "line": alert.evidence.get("line"),
    }  # fmt: skip


def _due(alert: Alert) -> date | None:
    name = _DUE.get(alert.kind)
    day = None if name is None else alert.evidence.get(name)
    return None if day is None else date.fromisoformat(day)


def _causes(alert: Alert) -> list[str]:
    """The causes that a drift names, the likeliest first."""
    return list(dict.fromkeys(cause["cause"] for cause in alert.evidence.get("causes", ())))
