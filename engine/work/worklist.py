"""The list of what needs a decision: grouped by what one decision can answer, and ranked by value at risk."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import get_args

from msgspec import Struct

from engine.core.outputs import Alert, Signal
from engine.work.items import (
    OF_SUPPLIERS,
    Badness,
    GroupKind,
    OpenThing,
    Ranked,
    WorkItem,
    item_of,
    money,
    units_short,
)
from engine.work.minimums import Minimum, Suppliers, Truck, minimum_of, truck_of, units_below
from tables.directory import Supplier

MOST_GROUPS = 100
"""A list has at most so many groups, the worst; `more_groups` says how many it leaves out."""
KINDS: tuple[GroupKind, ...] = get_args(GroupKind)
NOTHING = Decimal()
LATEST = date.max

_PLACES = {kind: place for place, kind in enumerate(KINDS)}

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

    def takes(self, thing: OpenThing) -> bool:
        """Whether a thing is in the list, unless it is snoozed or acknowledged."""
        return (
            self.supplier in (None, thing.supplier)
            and self.location in (None, thing.data.location)
            and self.kind in (None, thing.group)
            and self.owner in (None, thing.owner)
        )


class Amount(Struct, frozen=True):
    """An amount of money as a decimal string; the currency is null where no policy names it."""

    currency: str | None
    value: str


class Group(Struct, kw_only=True):
    """What one decision can answer: an order to a supplier, a call to one, or the alerts of a kind.

    `total_value`, `value_at_risk` are decimal strings in `currency`, null where no policy states a cost. The value at
    risk of a row is counted once in the whole list: with its proposal for review, else with its late supply, its
    stock-out, its drift or its other alerts. `total_qty` adds up the quantities of an order's proposals, `uncosted`
    counts those without a unit cost, which are not in the total. `distance_to_minimum` is how many units they lack of
    their minimum order quantities, null where no policy of them has one; `minimum` and `truck` are those of its
    supplier, null where none is stated. `total` counts the items, `more` those of them that are not shown.
    """

    kind: GroupKind
    title: str
    supplier: str | None
    currency: str | None
    total_value: str | None
    total_qty: int | None
    uncosted: int | None
    distance_to_minimum: int | None
    minimum: Minimum | None
    truck: Truck | None
    value_at_risk: str | None
    total: int
    more: int
    items: list[WorkItem]


class Work(Struct, kw_only=True):
    """What needs a decision, worst first.

    `total` counts the items of all groups that need one, `automatic` the proposals that the engine may order by itself,
    `snoozed` and `acknowledged` what would be listed too if nobody had snoozed or acknowledged it. `value_at_risk` has
    one amount for each currency. `as_of` is the engine's clock at the newest commit that the answer holds for certain,
    null before the first; `lag_seconds` is for how long that clock had gone on beyond it.
    """

    as_of: datetime | None
    lag_seconds: float
    total: int
    automatic: int
    snoozed: int
    acknowledged: int
    value_at_risk: list[Amount]
    groups: list[Group]
    more_groups: int


class _Order(Struct, frozen=True):
    """The things of one group, worst first, in one currency."""

    kind: GroupKind
    supplier: str | None
    currency: str | None
    things: list[Ranked]
    at_risk: Decimal | None
    """The value at risk that it counts, each row once; None where no row of it has a cost."""


def work_of(
    things: Iterable[OpenThing], asked: Asked, suppliers_of: Suppliers, as_of: datetime | None, lag_seconds: float
) -> Work:
    """The list of what needs a decision.

    Args:
        things: everything that is open.
        asked: what the reader wants to see.
        suppliers_of: gives what is known of suppliers.
        as_of: the engine's clock at the newest commit that the things hold for certain.
        lag_seconds: for how long that clock had gone on beyond it.
    """
    known = list(things)
    taken = [thing for thing in known if asked.takes(thing)]
    awake = [thing for thing in taken if thing.snoozed_until is None]
    chosen = taken if asked.snoozed else awake
    listed = [thing for thing in chosen if asked.acknowledged or thing.data.status != "acknowledged"]
    groups = _groups(_ranked(listed, known))
    automatic = sum(thing.group == "automatic" for thing in listed)
    return Work(
        as_of=as_of,
        lag_seconds=lag_seconds,
        total=len(listed) - automatic,
        automatic=automatic,
        snoozed=len(taken) - len(awake),
        acknowledged=sum(thing.data.status == "acknowledged" for thing in chosen),
        value_at_risk=_amounts(group for group in groups if group.kind != "automatic"),
        groups=list(_listed(groups[:MOST_GROUPS], suppliers_of, asked.limit)),
        more_groups=max(0, len(groups) - MOST_GROUPS),
    )


# ranks ----------------------------------------------------------------------------------------------------------------


def _ranked(listed: Sequence[OpenThing], known: Iterable[OpenThing]) -> list[Ranked]:
    """The things of a list, the worst first."""
    proposals, short = {}, {}
    for thing in known:
        if isinstance(thing.data, Signal):
            proposals[thing.row] = thing.data.id
        elif thing.data.kind == "projected_stockout":
            short[thing.row] = units_short(thing.data)
    counting = _counting(listed)
    ranked = []
    for thing in listed:
        row, lost = thing.row, thing.master.lost_by_unit
        units = short.get(row, 0)
        at_risk = None if lost is None else lost * units
        counts = counting.get(row) == thing.group and not _only_informs(thing)
        badness = _badness(thing, units, at_risk, counts)
        ranked.append(Ranked(thing, units, at_risk, counts, proposals.get(row), badness))
    ranked.sort(key=attrgetter("badness"))
    return ranked


def _counting(listed: Iterable[OpenThing]) -> dict[str, GroupKind]:
    """By row the group that counts its value at risk: the first of KINDS that has something of it."""
    first: dict[str, GroupKind] = {}
    for thing in listed:
        known = first.get(thing.row)
        if not _only_informs(thing) and (known is None or _PLACES[thing.group] < _PLACES[known]):
            first[thing.row] = thing.group
    return first


def _only_informs(thing: OpenThing) -> bool:
    return isinstance(thing.data, Alert) and thing.data.severity == "info"


def _badness(thing: OpenThing, short: int, at_risk: Decimal | None, counts: bool) -> Badness:
    data, lost = thing.data, -at_risk if at_risk else NOTHING
    return (
        lost if counts else NOTHING,
        lost,
        thing.master.abc or "D",
        not isinstance(data, Alert) or data.severity != "critical",
        -short,
        -thing.value if thing.value else NOTHING,
        thing.due or LATEST,
        data.opened,
        data.id,
    )


# groups ---------------------------------------------------------------------------------------------------------------


def _groups(ranked: Iterable[Ranked]) -> list[_Order]:
    """The groups of what is ranked, the worst first; what the engine orders by itself comes last."""
    by_name: dict[tuple[GroupKind, str | None], list[Ranked]] = defaultdict(list)
    for each in ranked:
        kind = each.thing.group
        by_name[kind, each.thing.supplier if kind in OF_SUPPLIERS else None].append(each)
    groups = [group for (kind, supplier), things in by_name.items() for group in _by_currency(kind, supplier, things)]
    return sorted(groups, key=_badness_of)


def _badness_of(group: _Order) -> tuple[bool, Decimal, int, Badness]:
    lost = -(group.at_risk or NOTHING)
    return group.kind == "automatic", lost, _PLACES[group.kind], group.things[0].badness


def _by_currency(kind: GroupKind, supplier: str | None, things: list[Ranked]) -> Iterator[_Order]:
    """The things of a group by currency, as amounts of two are not added up; what has no cost goes with the most."""
    counts = Counter(each.thing.currency for each in things if each.thing.has_amounts)
    most = max(counts, key=lambda currency: counts[currency], default=None)
    apart: dict[str | None, list[Ranked]] = defaultdict(list)
    for each in things:
        apart[each.thing.currency if each.thing.has_amounts else most].append(each)
    for currency, members in apart.items():
        yield _Order(kind, supplier, currency, members, _at_risk(members))


def _at_risk(things: Iterable[Ranked]) -> Decimal | None:
    costed = [each for each in things if each.at_risk is not None]
    by_row = {each.thing.row: each.at_risk or NOTHING for each in costed if each.counts}
    return sum(by_row.values(), NOTHING) if costed else None


def _amounts(groups: Iterable[_Order]) -> list[Amount]:
    """The value at risk of groups by currency."""
    totals: dict[str | None, Decimal] = {}
    for group in groups:
        if group.at_risk is not None:
            totals[group.currency] = totals.get(group.currency, NOTHING) + group.at_risk
    return [Amount(currency, f"{totals[currency]:f}") for currency in sorted(totals, key=lambda name: name or "")]


def _listed(groups: Sequence[_Order], suppliers_of: Suppliers, limit: int) -> Iterator[Group]:
    suppliers = suppliers_of({group.supplier for group in groups if group.supplier is not None})
    for group in groups:
        yield _shown(group, suppliers.get(group.supplier or ""), limit)


def _shown(group: _Order, supplier: Supplier | None, limit: int) -> Group:
    things = [ranked.thing for ranked in group.things]
    values = [thing.value for thing in things if thing.value is not None]
    is_order = group.kind in ("order", "automatic")
    stated = supplier if is_order else None
    return Group(
        kind=group.kind,
        title=TITLES[group.kind].format(supplier=group.supplier or NO_SUPPLIER),
        supplier=group.supplier,
        currency=group.currency,
        total_value=money(sum(values, NOTHING)) if values else None,
        total_qty=sum(thing.qty or 0 for thing in things) if is_order else None,
        uncosted=len(things) - len(values) if is_order else None,
        distance_to_minimum=units_below(things) if is_order else None,
        minimum=None if stated is None else minimum_of(stated, group.currency, things),
        truck=None if stated is None else truck_of(stated, things),
        value_at_risk=money(group.at_risk),
        total=len(things),
        more=max(0, len(things) - limit),
        items=[item_of(ranked) for ranked in group.things[:limit]],
    )
