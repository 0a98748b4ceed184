"""What is fixed before a run: goods, rows with policy and opening stock, demand, forecasts.

Everything comes from the invoices before the first day (the warm-up), but for the demand itself.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from statistics import median

from connectors.retail.invoices import InvoiceLine
from connectors.retail.simulator.calendar import local_day
from connectors.retail.simulator.policies import PolicyKind, RowPlan, choose_policy, revise_policy
from connectors.retail.simulator.suppliers import SLOWS_DOWN, SUPPLIERS, Supplier

WAREHOUSE, WEB = "UK-WHS", "UK-WEB"
LOCATIONS = (WAREHOUSE, WEB)
MAX_FORECAST_ROWS = 300
REVISED_AFTER_DAYS = 14
_CASES = (6, 8, 10, 12, 24, 25, 36, 48)

Key = tuple[str, str]
Rows = dict[Key, RowPlan]


@dataclass(frozen=True)
class Item:
    """Goods: what a piece sells for, and how many are in a case (1: not sold by the case)."""

    sku: str
    description: str
    price: float
    case: int


@dataclass(frozen=True)
class Plan:
    """A run's fixed part. `first` to `last` are local days; lines are in time order; `revisions` of policies by day."""

    seed: str
    first: int
    last: int
    items: dict[str, Item]
    rows: Rows
    lines: list[InvoiceLine]
    forecasts: dict[Key, list[float]]
    revisions: dict[int, list[RowPlan]]

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


@dataclass(frozen=True)
class Period:
    """The days to replay, both included."""

    first: date
    last: date


def location_of(line: InvoiceLine) -> str:
    """Where a line is served: the web shop's sales carry no customer; corrections happen in the warehouse."""
    return WEB if line.kind == "sale" and not line.customer else WAREHOUSE


def build_plan(lines: Iterable[InvoiceLine], period: Period, seed: str) -> Plan:
    """Derive a plan: the lines before the period are the warm-up, those after it are not looked at."""
    first, last = period.first.toordinal(), period.last.toordinal()
    before, during = _split(lines, first, last)
    items = _items(before + during)
    demand = _Demand(before + during)
    warm_up = (local_day(before[0].at) if before else first, first)
    keys = sorted({(line.sku, location_of(line)) for line in before + during if line.kind == "sale"})
    rows = _rows(keys, items, demand, warm_up, seed)
    forecast_keys = [key for key, row in rows.items() if row.kind == "forecast"]
    forecasts = _forecasts(forecast_keys, demand, warm_up, last)
    during = [line for line in during if (line.sku, location_of(line)) in rows]
    return Plan(seed, first, last, items, rows, during, forecasts, _revisions(rows, demand, first, last))


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


def _items(lines: Iterable[InvoiceLine]) -> dict[str, Item]:
    names: dict[str, Counter[str]] = defaultdict(Counter)
    prices: dict[str, list[float]] = defaultdict(list)
    sizes: dict[str, Counter[int]] = defaultdict(Counter)
    for line in lines:
        if line.kind == "sale" and line.price > 0:
            names[line.sku][line.description] += 1
            prices[line.sku].append(line.price)
            sizes[line.sku][line.qty] += 1
    items = {}
    for sku in sorted({line.sku for line in lines}):
        name = names[sku].most_common(1)[0][0] if names[sku] else sku
        items[sku] = Item(sku, name or sku, median(prices[sku]) if prices[sku] else 1.0, _case(sizes[sku]))
    return items


def _case(sizes: Counter[int]) -> int:
    """The quantity that wholesale buyers order most, where it looks like a case."""
    for qty, count in sizes.most_common(2):
        if qty in _CASES and count >= 5:
            return qty
    return 1


class _Demand:
    """Daily demand per row, with single bulk lines cut to the row's usual size."""

    def __init__(self, lines: Iterable[InvoiceLine]) -> None:
        self.daily: dict[Key, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        sizes: dict[Key, list[int]] = defaultdict(list)
        sales = [line for line in lines if line.kind == "sale"]
        for line in sales:
            sizes[line.sku, location_of(line)].append(line.qty)
        cap = {key: sorted(found)[int(0.97 * (len(found) - 1))] for key, found in sizes.items()}
        for line in sales:
            key = (line.sku, location_of(line))
            self.daily[key][local_day(line.at)] += min(line.qty, cap[key])

    def mean_and_deviation(self, key: Key, first: int, last: int) -> tuple[float, float]:
        """Units a calendar day from day `first` to before day `last`, and their standard deviation."""
        sold = [qty for day, qty in self.daily.get(key, {}).items() if first <= day < last]
        days = max(1, last - first)
        mean = sum(sold) / days
        idle = days - len(sold)
        return mean, ((sum((qty - mean) ** 2 for qty in sold) + idle * mean * mean) / days) ** 0.5

    def between(self, key: Key, first: int, last: int) -> int:
        """Units from day `first` to before day `last`."""
        return sum(qty for day, qty in self.daily.get(key, {}).items() if first <= day < last)


def _rows(keys: list[Key], items: dict[str, Item], demand: _Demand, period: tuple[int, int], seed: str) -> Rows:
    usual = {key: demand.mean_and_deviation(key, *period) for key in keys}
    ranked = sorted(keys, key=lambda key: -usual[key][0] * items[key[0]].price)
    rank = {key: place for place, key in enumerate(ranked)}
    rows = {}
    for key in keys:
        sku, location = key
        # One supplier per sku, whatever the location.
        supplier = SUPPLIERS[Random(f"{seed}/{sku}/supplier").randrange(len(SUPPLIERS))]
        abc = "A" if rank[key] < len(keys) // 10 else "B" if rank[key] < len(keys) * 3 // 10 else "C"
        kind: PolicyKind | None = "forecast" if abc == "A" and rank[key] < MAX_FORECAST_ROWS else None
        if kind is None and "CHRISTMAS" in items[sku].description:
            kind = "none"
        row = RowPlan(sku, location, abc, supplier, items[sku].case, round(items[sku].price * 0.55, 2))
        rows[key] = choose_policy(row, usual[key], kind, Random(f"{seed}/{sku}/{location}/policy"))
    return rows


def _revisions(rows: Rows, demand: _Demand, first: int, last: int) -> dict[int, list[RowPlan]]:
    """Every second week the policies are derived again from the last ten; those that moved much are set anew."""
    revisions = {}
    current = dict(rows)
    for day in range(first + REVISED_AFTER_DAYS, last + 1, REVISED_AFTER_DAYS):
        moved = []
        for key, row in current.items():
            fresh = revise_policy(row, demand.mean_and_deviation(key, day - 70, day))
            if abs(fresh.s - row.s) > max(2, row.s // 4):
                current[key] = fresh
                moved.append(fresh)
        revisions[day] = moved
    return revisions


def _forecasts(keys: list[Key], demand: _Demand, period: tuple[int, int], last: int) -> dict[Key, list[float]]:
    """Units a day as forecast at the start of each week of the run: exponential smoothing of what was demanded."""
    forecasts = {}
    first = period[1]
    for key in keys:
        rate, rates = demand.mean_and_deviation(key, *period)[0], []
        for week in range(first, last + 1, 7):
            if week > first:
                rate += 0.3 * (demand.between(key, week - 7, week) / 7 - rate)
            rates.append(rate)
        forecasts[key] = rates
    return forecasts
