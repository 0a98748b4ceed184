"""The list of what needs a decision: grouped by what one decision can answer, and ranked by value at risk."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import get_args

from msgspec import Struct
from msgspec.structs import replace

from engine.core.outputs import Alert, Signal
from engine.work.items import (
    OF_SUPPLIERS,
    GroupKind,
    Weighed,
    WorkItem,
    item_of,
    money,
    owner_of,
    units_short,
    weigh,
)
from engine.work.things import OpenThing

MOST_GROUPS = 500
"""A list has at most so many groups, the worst; `more_groups` says how many it leaves out."""
KINDS: tuple[GroupKind, ...] = get_args(GroupKind)
NOTHING = Decimal()
LATEST = date.max

TITLES: dict[GroupKind, str] = {
    "order": "Order from {supplier}",
    "late_supply": "Late or short supply from {supplier}",
    "drift": "Differences to the ERP",
    "stockout": "Projected stock-outs",
    "other": "Other alerts",
    "automatic": "Ordered without a planner, from {supplier}",
}
NO_SUPPLIER = "an unknown supplier"


class Asked(Struct, frozen=True, kw_only=True):
    """What a reader wants to see of the list; None takes all."""

    supplier: str | None = None
    location: str | None = None
    kind: GroupKind | None = None
    owner: str | None = None
    snoozed: bool = False
    """Whether what is snoozed is listed too."""
    acknowledged: bool = False
    """Whether alerts that somebody has acknowledged are listed too."""
    limit: int = 20
    """How many items of a group are shown."""

    def takes(self, weighed: Weighed) -> bool:
        """Whether a thing is in the list, unless it is snoozed or acknowledged."""
        data = weighed.thing.data
        return (
            self.supplier in (None, weighed.supplier)
            and self.location in (None, data.location)
            and self.kind in (None, weighed.group)
            and self.owner in (None, owner_of(weighed.thing))
        )


class Amount(Struct, frozen=True):
    """An amount of money as a decimal string; the currency is null where no policy names it."""

    currency: str | None
    value: str


class Group(Struct, kw_only=True):
    """What one decision can answer: an order to a supplier, a call to one, or the alerts of a kind.

    `total_value`, `value_at_risk` are decimal strings in `currency`, null where no policy states a cost. The value at
    risk of a row is counted once in the whole list: with its proposal for review, else with its late supply, its
    stock-out, its drift or its other alerts. `total_qty` adds up the quantities of an order's proposals.
    `distance_to_minimum` is how many units its proposals lack of their minimum order quantities, null where no policy
    of them has one. `total` counts the items, `more` those of them that are not shown.
    """

    kind: GroupKind
    title: str
    supplier: str | None
    currency: str | None
    total_value: str | None
    total_qty: int | None
    distance_to_minimum: int | None
    value_at_risk: str | None
    total: int
    more: int
    items: list[WorkItem]


class Work(Struct, kw_only=True):
    """What needs a decision, worst first.

    `total` counts the items of all groups that need one, `automatic` the proposals that the engine may order by itself,
    `snoozed` and `acknowledged` what would be listed too if nobody had snoozed or acknowledged it. `value_at_risk` has
    one amount for each currency. `as_of` is the engine's clock.
    """

    as_of: str
    total: int
    automatic: int
    snoozed: int
    acknowledged: int
    value_at_risk: list[Amount]
    groups: list[Group]
    more_groups: int


class _Order(Struct, frozen=True):
    """The weighed things of one group, worst first, in one currency."""

    kind: GroupKind
    supplier: str | None
    currency: str | None
    things: list[Weighed]
    at_risk: Decimal | None
    """The value at risk that it counts, each row once; None where no row of it has a cost."""


def work_of(things: Iterable[OpenThing], asked: Asked, as_of: str) -> Work:
    """The list of what needs a decision.

    Args:
        things: everything that is open.
        asked: what the reader wants to see.
        as_of: the moment of the list.
    """
    taken = [weighed for weighed in _weighed(things) if asked.takes(weighed)]
    snoozed = [weighed for weighed in taken if weighed.thing.snoozed_until is not None]
    awake = taken if asked.snoozed else [weighed for weighed in taken if weighed.thing.snoozed_until is None]
    seen = [weighed for weighed in awake if weighed.thing.data.status == "acknowledged"]
    listed = awake if asked.acknowledged else [each for each in awake if each.thing.data.status != "acknowledged"]
    groups = _groups(_counted(listed))
    return Work(
        as_of=as_of,
        total=sum(weighed.group != "automatic" for weighed in listed),
        automatic=sum(weighed.group == "automatic" for weighed in listed),
        snoozed=len(snoozed),
        acknowledged=len(seen),
        value_at_risk=_amounts(group for group in groups if group.kind != "automatic"),
        groups=[_shown(group, asked.limit) for group in groups[:MOST_GROUPS]],
        more_groups=max(0, len(groups) - MOST_GROUPS),
    )


def _weighed(things: Iterable[OpenThing]) -> Iterator[Weighed]:
    known = list(things)
    proposals = {thing.row: thing.data.id for thing in known if isinstance(thing.data, Signal)}
    short = {
        thing.row: units_short(thing.data)
        for thing in known
        if isinstance(thing.data, Alert) and thing.data.kind == "projected_stockout"
    }
    for thing in known:
        yield weigh(thing, short.get(thing.row, 0), proposals.get(thing.row))


Badness = tuple[Decimal, Decimal, str, bool, int, Decimal, date, datetime, str]
"""Where an item stands among others, the worst first.

By the value at risk that its group counts, by that of its row, class, severity, units short, value, day, age and id.
"""


def _badness(weighed: Weighed) -> Badness:
    data = weighed.thing.data
    return (
        -_share(weighed),
        -(weighed.at_risk or NOTHING),
        weighed.thing.master.abc or "D",
        not isinstance(data, Alert) or data.severity != "critical",
        -weighed.short,
        -(weighed.value or NOTHING),
        weighed.due or LATEST,
        data.opened,
        data.id,
    )


def _counted(listed: Sequence[Weighed]) -> list[Weighed]:
    """The things of a list, of which for each row those of one group count its value at risk: the first of KINDS."""
    first: dict[str, int] = {}
    for weighed in listed:
        if not _only_informs(weighed):
            place, row = KINDS.index(weighed.group), weighed.thing.row
            first[row] = min(place, first.get(row, place))
    return [
        replace(each, counts=True)
        if not _only_informs(each) and first[each.thing.row] == KINDS.index(each.group)
        else each
        for each in listed
    ]


def _only_informs(weighed: Weighed) -> bool:
    data = weighed.thing.data
    return isinstance(data, Alert) and data.severity == "info"


# groups ---------------------------------------------------------------------------------------------------------------


def _groups(listed: Sequence[Weighed]) -> list[_Order]:
    """The groups, the worst first; what the engine orders by itself comes last."""
    by_name: dict[tuple[GroupKind, str | None], list[Weighed]] = defaultdict(list)
    for weighed in sorted(listed, key=_badness):
        by_name[weighed.group, weighed.supplier if weighed.group in OF_SUPPLIERS else None].append(weighed)
    groups = [group for (kind, supplier), things in by_name.items() for group in _by_currency(kind, supplier, things)]
    return sorted(
        groups,
        key=lambda group: (
            group.kind == "automatic",
            -(group.at_risk or NOTHING),
            KINDS.index(group.kind),
            _badness(group.things[0]),
        ),
    )


def _by_currency(kind: GroupKind, supplier: str | None, things: list[Weighed]) -> Iterator[_Order]:
    """The things of a group by currency, as amounts of two are not added up; what has no cost goes with the most."""
    apart: dict[str | None, list[Weighed]] = defaultdict(list)
    for weighed in things:
        if weighed.thing.master.unit_cost is not None:
            apart[weighed.currency].append(weighed)
    most = max(apart, key=lambda currency: len(apart[currency]), default=None)
    for weighed in things:
        if weighed.thing.master.unit_cost is None:
            apart[most].append(weighed)
    for currency, members in apart.items():
        yield _Order(kind, supplier, currency, sorted(members, key=_badness), _at_risk(members))


def _at_risk(things: Iterable[Weighed]) -> Decimal | None:
    by_row: dict[str, Decimal] = {}
    for weighed in things:
        if weighed.at_risk is not None:
            by_row[weighed.thing.row] = max(by_row.get(weighed.thing.row, NOTHING), _share(weighed))
    return sum(by_row.values(), NOTHING) if by_row else None


def _share(weighed: Weighed) -> Decimal:
    return weighed.at_risk if weighed.counts and weighed.at_risk is not None else NOTHING


def _amounts(groups: Iterable[_Order]) -> list[Amount]:
    """The value at risk of groups by currency."""
    totals: dict[str | None, Decimal] = {}
    for group in groups:
        if group.at_risk is not None:
            totals[group.currency] = totals.get(group.currency, NOTHING) + group.at_risk
    return [Amount(currency, f"{totals[currency]:f}") for currency in sorted(totals, key=lambda name: name or "")]


def _shown(group: _Order, limit: int) -> Group:
    things = group.things
    values = [weighed.value for weighed in things if weighed.value is not None]
    is_order = group.kind in ("order", "automatic")
    return Group(
        kind=group.kind,
        title=TITLES[group.kind].format(supplier=group.supplier or NO_SUPPLIER),
        supplier=group.supplier,
        currency=group.currency,
        total_value=money(sum(values, NOTHING)) if values else None,
        total_qty=sum(weighed.qty or 0 for weighed in things) if is_order else None,
        distance_to_minimum=_distance(things) if is_order else None,
        value_at_risk=money(group.at_risk),
        total=len(things),
        more=max(0, len(things) - limit),
        items=[item_of(weighed) for weighed in things[:limit]],
    )


def _distance(things: Sequence[Weighed]) -> int | None:
    """How many units the proposals of an order lack of their minimum order quantities."""
    lacks = [max(0, moq - (each.qty or 0)) for each in things if (moq := each.thing.master.moq) is not None]
    return sum(lacks) if lacks else None
