"""Goods and demand as the invoices show them up to a day: a planner does not know what comes after."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from connectors.retail.invoices import InvoiceLine
from engine.demo.world.calendar import local_day

WAREHOUSE, WEB = "UK-WHS", "UK-WEB"
LOCATIONS = (WAREHOUSE, WEB)
_CASES = (6, 8, 10, 12, 24, 25, 36, 48)

Key = tuple[str, str]


@dataclass(frozen=True)
class Item:
    """An item: its price in GBP a piece, and the pieces in a case (1 if it is not sold by the case)."""

    sku: str
    description: str
    price: float
    case: int


def location_of(line: InvoiceLine) -> str:
    """The location that serves a line: sales without a customer are the web shop's, all else the warehouse's."""
    return WEB if line.kind == "sale" and not line.customer else WAREHOUSE


def items_of(lines: Iterable[InvoiceLine]) -> dict[str, Item]:
    """The items of some lines, with the most frequent description, the median price and the case."""
    names: dict[str, Counter[str]] = defaultdict(Counter)
    prices: dict[str, list[float]] = defaultdict(list)
    sizes: dict[str, Counter[int]] = defaultdict(Counter)
    skus = set()
    for line in lines:
        skus.add(line.sku)
        if line.kind == "sale" and line.price > 0:
            names[line.sku][line.description] += 1
            prices[line.sku].append(line.price)
            sizes[line.sku][line.qty] += 1
    items = {}
    for sku in sorted(skus):
        name = names[sku].most_common(1)[0][0] if names[sku] else sku
        items[sku] = Item(sku, name or sku, median(prices[sku]) if prices[sku] else 1.0, _case(sizes[sku]))
    return items


def _case(sizes: Counter[int]) -> int:
    """The quantity that buyers order most, if it is a usual size of a case; else 1."""
    for qty, count in sizes.most_common(2):
        if qty in _CASES and count >= 5:
            return qty
    return 1


class Demand:
    """The sales of each row, from lines in time order. A figure as of a day uses only the lines before it."""

    def __init__(self, lines: Iterable[InvoiceLine]) -> None:
        self._sold: dict[Key, list[tuple[int, int]]] = defaultdict(list)
        for line in lines:
            if line.kind == "sale":
                self._sold[line.sku, location_of(line)].append((local_day(line.at), line.qty))

    def sold_before(self, day: int) -> list[Key]:
        """The rows with a sale before `day`, in order."""
        return sorted(key for key, sold in self._sold.items() if sold[0][0] < day)

    def mean_and_deviation(self, key: Key, first: int, day: int) -> tuple[float, float]:
        """As of `day`: units a calendar day from day `first` on, and their standard deviation."""
        sold = self._daily(key, first, day)
        days = max(1, day - first)
        mean = sum(sold) / days
        idle = days - len(sold)
        return mean, ((sum((qty - mean) ** 2 for qty in sold) + idle * mean * mean) / days) ** 0.5

    def since(self, key: Key, first: int, day: int) -> int:
        """As of `day`: units from day `first` on."""
        return sum(self._daily(key, first, day))

    def _daily(self, key: Key, first: int, day: int) -> list[int]:
        """The units of each day with a sale, with single bulk lines cut to what was the row's usual size by `day`."""
        sold = self._sold.get(key, [])
        known = sold[: bisect_left(sold, (day,))]
        if not known:
            return []
        usual = sorted(qty for _, qty in known)[int(0.97 * (len(known) - 1))]
        daily: Counter[int] = Counter()
        for at, qty in known[bisect_left(known, (first,)) :]:
            daily[at] += min(qty, usual)
        return list(daily.values())
