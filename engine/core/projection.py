"""The dated projection of a row, available to promise, and the consumption of a forecast.

All functions work on lists with one integer per period, the first being today.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from engine.core.values import MAX_BALANCE, ceil_div


def spread(qty: int, days: int) -> list[int]:
    """A bucket's quantity per day, evenly, earlier days taking the remainder; a negative bucket is no demand."""
    share, remainder = divmod(max(0, qty), days)
    return [share + 1] * remainder + [share] * (days - remainder)


def consume(demand: Sequence[int], issued: int) -> list[int]:
    """What is left of each day's demand after `issued` units, earliest day first."""
    left = []
    for qty in demand:
        used = min(qty, max(0, issued))
        issued -= used
        left.append(qty - used)
    return left


def daily_demand(
    buckets: Iterable[tuple[int, int, int]], issued: Iterable[tuple[int, int]], today: int, horizon: int
) -> list[int]:
    """The forecast demand of each day from `today`, for `horizon` days.

    Args:
        buckets: (start day, days, quantity).
        issued: (day, quantity) of what was issued; what was issued since a bucket's start consumes the bucket.
        today: a day ordinal.
        horizon: a number of days.
    """
    demand = [0] * horizon
    issues = list(issued)
    for start, days, qty in buckets:
        if start >= today + horizon or start + days <= today or qty <= 0:
            continue
        per_day = spread(qty, days)
        if start <= today:
            per_day = consume(per_day, sum(q for day, q in issues if day >= start))
        for i in range(max(0, today - start), min(days, today + horizon - start)):
            demand[start - today + i] += per_day[i]
    return demand


def project(opening: int, supply: Sequence[int], demand: Sequence[int]) -> list[int]:
    """The balance at the end of each period: opening + supply - demand, running.

    Opening and supply of a row fit into 64 bits; demand can lead below them, and the balance then stays at the least.
    """
    balances = list(accumulate((s - d for s, d in zip(supply, demand, strict=True)), initial=opening))[1:]
    return balances if opening > -MAX_BALANCE // 2 else [max(balance, -MAX_BALANCE) for balance in balances]


def forward_minimum(values: Sequence[int]) -> list[int]:
    """For each period the smallest value from it to the end."""
    return list(accumulate(reversed(values), min))[::-1]


def available_to_promise(opening: int, supply: Sequence[int]) -> list[int]:
    """What can still be promised per period: the forward minimum of the projection without the forecast."""
    return forward_minimum(project(opening, supply, [0] * len(supply)))


def total_over(demand: Sequence[int], days: float) -> int:
    """The demand of the first `days` days; of a broken day its share, rounded up. Days beyond the list count as 0."""
    whole = int(days)
    numerator, denominator = (days - whole).as_integer_ratio() if days != whole else (0, 1)
    share = ceil_div(demand[whole] * numerator, denominator) if whole < len(demand) else 0
    return sum(demand[:whole]) + share
