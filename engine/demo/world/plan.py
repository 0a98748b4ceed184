"""The plan of a run, fixed before it begins: items, rows with policy and opening stock, demand, forecasts.

What is planned for a day is derived from the invoices before that day; only the demand itself is the day's own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from random import Random

from connectors.retail.invoices import InvoiceLine
from engine.demo.world.calendar import at_local, local_day
from engine.demo.world.history import Demand, Item, Key, items_of, location_of
from engine.demo.world.policies import PolicyKind, RowPlan, choose_policy, revise_policy
from engine.demo.world.suppliers import SLOWS_DOWN, SUPPLIERS, Supplier

MAX_FORECAST_ROWS = 300
LISTED_EVERY_DAYS = 7
REVISED_AFTER_DAYS = 14
LOOKS_BACK_DAYS = 70
LEFT_DAYS = 2
"""For so long before the last day is over nobody reviews signals."""

Rows = dict[Key, RowPlan]


@dataclass(frozen=True)
class Listing:
    """The items that come into the range on a day, and their rows with opening stock."""

    items: dict[str, Item]
    rows: Rows


@dataclass(frozen=True)
class Plan:
    """A run's fixed part. `first` to `last` are local days; lines are in time order; `revisions` of policies by day.

    `items` and `rows` are the range on the first day; `listings` add to it by day. A line is served once its row is
    in the range.
    """

    seed: str
    first: int
    last: int
    items: dict[str, Item]
    rows: Rows
    listings: dict[int, Listing]
    lines: list[InvoiceLine]
    forecasts: dict[Key, list[float]]
    revisions: dict[int, list[RowPlan]]

    @property
    def planner_leaves(self) -> int:
        """The instant from which the planner is away: what is to be reviewed then is left to whoever opens the page."""
        return at_local(self.last - LEFT_DAYS, 12)

    @property
    def suppliers(self) -> dict[str, Supplier]:
        """The suppliers by name; one slows down in the middle of the run."""
        middle = (self.first + self.last) // 2
        return {
            supplier.name: replace(supplier, slower_by=5, slower_from=middle)
            if supplier.name == SLOWS_DOWN
            else supplier
            for supplier in SUPPLIERS
        }

    @property
    def size(self) -> tuple[int, int]:
        """The numbers of skus and of rows in the range on the last day."""
        listings = self.listings.values()
        skus = len(self.items) + sum(len(listing.items) for listing in listings)
        return skus, len(self.rows) + sum(len(listing.rows) for listing in listings)


@dataclass(frozen=True)
class Period:
    """The days to replay, both included."""

    first: date
    last: date


def build_plan(lines: Iterable[InvoiceLine], period: Period, seed: str) -> Plan:
    """Derive a plan from lines in time order: those before the period are the warm-up, those after it are not read."""
    first, last = period.first.toordinal(), period.last.toordinal()
    before, during = _split(lines, first, last)
    items = items_of(before)
    demand = Demand(chain(before, during))
    warm_up = (local_day(before[0].at) if before else first, first)
    rows = _rows(items, demand, warm_up, seed)
    forecast_keys = [key for key, row in rows.items() if row.kind == "forecast"]
    forecasts = _forecasts(forecast_keys, demand, warm_up, last)
    plan = Plan(seed, first, last, items, rows, {}, during, forecasts, {})
    plan = replace(plan, listings=_listings(plan, demand))
    return replace(plan, lines=_served(plan), revisions=_revisions(plan, demand))


def _split(lines: Iterable[InvoiceLine], first: int, last: int) -> tuple[list[InvoiceLine], list[InvoiceLine]]:
    before: list[InvoiceLine] = []
    during: list[InvoiceLine] = []
    for line in lines:
        if line.kind not in ("sale", "return", "adjustment"):
            continue
        day = local_day(line.at)
        if day > last:
            break
        (before if day < first else during).append(line)
    return before, during


def _rows(items: dict[str, Item], demand: Demand, period: tuple[int, int], seed: str) -> Rows:
    keys = demand.sold_before(period[1])
    usual = {key: demand.mean_and_deviation(key, *period) for key in keys}
    ranked = sorted(keys, key=lambda key: -usual[key][0] * items[key[0]].price)
    rank = {key: place for place, key in enumerate(ranked)}
    rows = {}
    for key in keys:
        abc = "A" if rank[key] < len(keys) // 10 else "B" if rank[key] < len(keys) * 3 // 10 else "C"
        kind: PolicyKind | None = "forecast" if abc == "A" and rank[key] < MAX_FORECAST_ROWS else None
        rows[key] = _row(items[key[0]], key[1], usual[key], (abc, kind), seed)
    return rows


def _row(
    item: Item, location: str, usual: tuple[float, float], rating: tuple[str, PolicyKind | None], seed: str
) -> RowPlan:
    """A row with its policy; `usual` is its mean demand a day and deviation, `rating` its ABC class and policy kind."""
    abc, kind = rating
    # One supplier per sku, whatever the location.
    supplier = SUPPLIERS[Random(f"{seed}/{item.sku}/supplier").randrange(len(SUPPLIERS))]
    if kind is None and "CHRISTMAS" in item.description:
        kind = "none"
    row = RowPlan(item.sku, location, abc, supplier, item.case, round(item.price * 0.55, 2))
    return choose_policy(row, usual, kind, Random(f"{seed}/{item.sku}/{location}/policy"))


def _listings(plan: Plan, demand: Demand) -> dict[int, Listing]:
    """The listings by day: every week the items that were first sold in it come into the range.

    Sales of an item before its listing are not replayed, since nobody could have planned for them.
    """
    unknown = [line for line in plan.lines if line.sku not in plan.items]
    items, listed, listings = dict(plan.items), set(plan.rows), {}
    for day in range(plan.first + LISTED_EVERY_DAYS, plan.last + 1, LISTED_EVERY_DAYS):
        keys = [key for key in demand.sold_before(day) if key not in listed]
        skus = {sku for sku, _ in keys if sku not in items}
        new = items_of(line for line in unknown if line.sku in skus and local_day(line.at) < day)
        items |= new
        rows = {}
        for key in keys:
            usual = demand.mean_and_deviation(key, day - LOOKS_BACK_DAYS, day)
            rows[key] = _row(items[key[0]], key[1], usual, ("C", None), plan.seed)
        listed.update(keys)
        listings[day] = Listing(new, rows)
    return listings


def _served(plan: Plan) -> list[InvoiceLine]:
    """The lines whose row is in the range on their day."""
    since = dict.fromkeys(plan.rows, plan.first)
    for day, listing in plan.listings.items():
        since |= dict.fromkeys(listing.rows, day)
    never = plan.last + 1
    return [line for line in plan.lines if local_day(line.at) >= since.get((line.sku, location_of(line)), never)]


def _revisions(plan: Plan, demand: Demand) -> dict[int, list[RowPlan]]:
    """The revised policies by day: every second week they are derived from the last ten weeks.

    A policy is revised if its trigger moves by more than a quarter and by more than two units.
    """
    revisions = {}
    current = dict(plan.rows)
    for day in range(plan.first + REVISED_AFTER_DAYS, plan.last + 1, REVISED_AFTER_DAYS):
        for listed, listing in plan.listings.items():
            if day - REVISED_AFTER_DAYS < listed <= day:
                current |= listing.rows
        moved = []
        for key, row in current.items():
            fresh = revise_policy(row, demand.mean_and_deviation(key, day - LOOKS_BACK_DAYS, day))
            if abs(fresh.s - row.s) > max(2, row.s // 4):
                current[key] = fresh
                moved.append(fresh)
        revisions[day] = moved
    return revisions


def _forecasts(keys: list[Key], demand: Demand, period: tuple[int, int], last: int) -> dict[Key, list[float]]:
    """The forecast in units a day at the start of each week of the run: exponential smoothing of the demand."""
    forecasts = {}
    first = period[1]
    for key in keys:
        rate, rates = demand.mean_and_deviation(key, *period)[0], []
        for week in range(first, last + 1, 7):
            if week > first:
                rate += 0.3 * (demand.since(key, week - 7, week) / 7 - rate)
            rates.append(rate)
        forecasts[key] = rates
    return forecasts
