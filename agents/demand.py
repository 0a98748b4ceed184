"""What is forecast and what was issued of a row, day by day.

Rows: `Bucket` (the revisions in force added up, one row for each span of days), `Issued` (one for each local day), and
of `Plan` the number of buckets. An event reads and writes only the buckets and days that it concerns, because a row may
hold years of both. A bucket whose last day is over is dropped, and nothing is added to it again.
"""

from collections.abc import Iterator

from agents.turn import Turn
from engine.core.projection import daily_demand
from tables import keys
from tables.demand import Bucket, Issued, bucket_key, bucket_range, bucket_span, issued_day, issued_key, issued_range
from tables.planning import Plan
from tables.stock import Stock

KEPT_ISSUE_DAYS = 35
"""Days of issues kept where no bucket needs more."""
LONGEST_BUCKET_DAYS = 366

Span = tuple[int, int, int]
"""(start day, days, quantity)."""


# buckets --------------------------------------------------------------------------------------------------------------


def add_buckets(turn: Turn, row: bytes, plan: Plan, buckets: list[Span], sign: int) -> None:
    """Add what a revision says to the forecast in force, or with `sign` -1 take it back."""
    for start, days, qty in buckets:
        if start + days <= plan.swept:
            continue
        key = bucket_key(row, start, days)
        bucket: Bucket = turn.edit(key, Bucket)
        if not bucket.revisions:
            plan.closes_at = min(plan.closes_at, start + days) if plan.buckets else start + days
            plan.buckets += 1
        bucket.qty += sign * qty
        bucket.revisions += sign
        if not bucket.revisions:
            turn.put(key, None)
            plan.buckets -= 1


def sweep_buckets(turn: Turn, row: bytes, plan: Plan, today: int) -> list[Span]:
    """Drop the buckets that ended before `today` and answer them."""
    plan.swept = max(plan.swept, today)
    if not plan.buckets or today < plan.closes_at:
        return []
    ended = []
    plan.closes_at = today + 1 + LONGEST_BUCKET_DAYS
    for key, bucket in turn.scan(*bucket_range(row, 0, today + LONGEST_BUCKET_DAYS)):
        start, days = bucket_span(key)
        if start >= today:
            plan.closes_at = min(plan.closes_at, start + 1)
            break
        if start + days > today:
            plan.closes_at = min(plan.closes_at, start + days)
            continue
        ended.append((start, days, bucket.qty))
        turn.put(key, None)
        plan.buckets -= 1
    return ended


def open_buckets(turn: Turn, row: bytes, today: int, until: int) -> Iterator[Span]:
    """The buckets of the forecast in force that have not ended and begin before the day `until`, in their order."""
    for key, bucket in turn.scan(*bucket_range(row, today - LONGEST_BUCKET_DAYS, until)):
        start, days = bucket_span(key)
        if start + days > today:
            yield start, days, bucket.qty


def demand_ahead(turn: Turn, row: bytes, stock: Stock, horizon: int) -> list[int]:
    """The forecast demand of a row per day, from today on for `horizon` days, less what was issued already."""
    if not turn.read_plan(row).buckets:
        return [0] * horizon
    today = turn.local_today(keys.names(row)[1])
    buckets = list(open_buckets(turn, row, today, today + horizon))
    first = min((start for start, _, _ in buckets), default=today)
    issues = issued_since(turn, row, stock, first) if first <= today else []
    return daily_demand(buckets, issues, today, horizon)


# issues ---------------------------------------------------------------------------------------------------------------


def issued_since(turn: Turn, row: bytes, stock: Stock, first: int) -> list[tuple[int, int]]:
    """(local day, quantity) of what was issued on the day `first` and later, the day at hand included."""
    issues = [(issued_day(key), issued.qty) for key, issued in turn.scan(*issued_range(row, first))]
    if stock.issue_qty and stock.issue_day >= first:
        issues.append((stock.issue_day, stock.issue_qty))
    return issues


def settle_issues(turn: Turn, row: bytes, stock: Stock) -> None:
    """Carry the issues of the day at hand from the hot row to the row of that day; drop the days nobody asks for."""
    if not stock.issue_qty:
        return
    oldest = _oldest_kept(turn, row)
    if stock.issue_day >= oldest:
        issued: Issued = turn.edit(issued_key(row, stock.issue_day), Issued)
        issued.qty += stock.issue_qty
    stock.issue_qty = 0
    for key, _ in turn.scan(*issued_range(row, 0, oldest)):
        turn.put(key, None)


def _oldest_kept(turn: Turn, row: bytes) -> int:
    """The oldest day whose issues are kept: by the clock, or the first day of a bucket that has not been closed."""
    today = turn.local_today(keys.names(row)[1])
    oldest = max(0, today - KEPT_ISSUE_DAYS)
    if turn.read_plan(row).buckets:
        first = next(turn.scan(*bucket_range(row, 0, oldest)), None)
        if first is not None:
            oldest = bucket_span(first[0])[0]
    return oldest
