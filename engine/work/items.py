"""One thing that needs a decision: what it is about, how much is short, and what that is worth."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from msgspec import UNSET, Struct

from engine.core.outputs import Alert, AlertKind, AlertStatus, Disposition, Severity, Signal, SignalStatus
from engine.work.sentences import sentence_of
from engine.work.things import OpenThing

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

_QTY: Mapping[AlertKind, str] = {
    "ack_overdue": "ordered",
    "asn_overdue": "open",
    "balance_drift": "difference",
    "damaged_receipt": "damaged",
    "late_supply": "open",
    "lost_in_transit": "missing",
    "negative_stock": "lowest",
    "projected_stockout": "lowest",
    "short_ack": "missing",
}
"""The figure of an alert's evidence that is a quantity of the item."""

_DUE: Mapping[AlertKind, str] = {
    "ack_overdue": "expected",
    "asn_overdue": "expected",
    "late_supply": "due",
    "projected_stockout": "date",
}
"""The day in an alert's evidence by which something was or is due."""


Kind = Literal["replenishment", AlertKind]


class WorkItem(Struct, kw_only=True):
    """A signal or an alert that needs a decision.

    `qty` in base units, without a sign; `value` is `qty` at unit cost, `value_at_risk` the `units_short` of the row at
    unit cost, both as decimal strings in `currency`, and null where the policy of the row states no cost. `proposal` of
    an alert is the open signal of its row, which would be its answer. `reasons` of a drift are its causes.
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


class Weighed(Struct, frozen=True):
    """An open thing with what it weighs: the units short of its row, and what they and its quantity are worth.

    `proposal` is the id of the open signal of its row. `counts` says whether the value at risk of its row is counted in
    its group: of several groups that have things of one row only one counts it.
    """

    thing: OpenThing
    group: GroupKind
    supplier: str | None
    short: int
    qty: int | None
    value: Decimal | None
    at_risk: Decimal | None
    due: date | None
    proposal: str | None
    counts: bool = False

    @property
    def currency(self) -> str | None:
        """The currency of its amounts; None where it has none, or nobody has said."""
        return None if self.thing.master.unit_cost is None else self.thing.master.currency


def units_short(stockout: Alert | None) -> int:
    """How far the projection of a row falls below 0 within lead time and review period; 0 where it does not.

    It is the figure by which the engine opened `projected_stockout`, so that no second formula can disagree with it.
    """
    return 0 if stockout is None else max(0, -int(stockout.evidence["lowest"]))


def group_of(thing: OpenThing) -> GroupKind:
    """The kind of group to which an open thing belongs."""
    data = thing.data
    if isinstance(data, Signal):
        return "order" if data.disposition == "review" else "automatic"
    return GROUP_OF.get(data.kind, "other")


def supplier_of(thing: OpenThing) -> str | None:
    """Who delivers what a thing is about: as the thing says, else as the policy of its row does."""
    data = thing.data
    said = data.supplier if isinstance(data, Signal) else data.evidence.get("supplier")
    return said or thing.master.supplier


def weigh(thing: OpenThing, short: int, proposal: str | None) -> Weighed:
    """An open thing with what it weighs.

    Args:
        thing: the signal or alert.
        short: the units short of its row.
        proposal: the id of the open signal of its row.
    """
    data, cost = thing.data, thing.master.unit_cost
    qty, due = (data.qty, data.due) if isinstance(data, Signal) else (_qty(data), _due(data))
    return Weighed(
        thing,
        group_of(thing),
        supplier_of(thing),
        short,
        qty,
        None if cost is None or qty is None else cost * qty,
        None if cost is None else cost * short,
        due,
        proposal,
    )


def item_of(weighed: Weighed) -> WorkItem:
    """What is shown of a thing that was weighed."""
    thing = weighed.thing
    data, master = thing.data, thing.master
    return WorkItem(
        id=data.id,
        sku=data.sku,
        location=data.location,
        description=master.description,
        abc=master.abc,
        supplier=weighed.supplier,
        qty=weighed.qty,
        due=weighed.due,
        units_short=weighed.short,
        unit_cost=money(master.unit_cost),
        currency=weighed.currency,
        value=money(weighed.value),
        value_at_risk=money(weighed.at_risk),
        status=data.status,
        opened=data.opened,
        updated=data.updated,
        snoozed_until=thing.snoozed_until,
        owner=owner_of(thing),
        proposal=weighed.proposal,
        **(_of_signal(data) if isinstance(data, Signal) else _of_alert(data)),
    )


def money(amount: Decimal | None) -> str | None:
    """An amount as a decimal string without an exponent."""
    return None if amount is None else f"{amount:f}"


def owner_of(thing: OpenThing) -> str | None:
    """Who owns an alert; None where nobody does, and of a signal."""
    data = thing.data
    return None if isinstance(data, Signal) or data.owner is UNSET else data.owner


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


def _qty(alert: Alert) -> int | None:
    if alert.kind == "over_receipt":
        return max(int(alert.evidence[name]) for name in ("received", "shipped", "acknowledged")) - int(
            alert.evidence["ordered"]
        )
    name = _QTY.get(alert.kind)
    return None if name is None else abs(int(alert.evidence[name]))


def _due(alert: Alert) -> date | None:
    name = _DUE.get(alert.kind)
    day = None if name is None else alert.evidence.get(name)
    return None if day is None else date.fromisoformat(day)


def _causes(alert: Alert) -> list[str]:
    """The causes that a drift names, the likeliest first."""
    return list(dict.fromkeys(cause["cause"] for cause in alert.evidence.get("causes", ())))
