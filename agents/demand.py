"""What is forecast and what was issued of a row, day by day.

Rows: `Bucket` (the revisions in force added up, one row for each span of days), `Issued` (one for each local day), and
of `Plan` the number of buckets. An event reads and writes only the buckets and days that it concerns, because a row may
hold years of both. A bucket whose last day is over is dropped, and nothing is added to it again.
"""

from collections.abc import Iterator

from agents.reader import RowView
from agents.turn import Site
from engine.core.projection import daily_demand
from tables.demand import Bucket, Issued, bucket_key, bucket_range, bucket_span, issued_day, issued_key, issued_range
from tables.planning import Plan

KEPT_ISSUE_DAYS = 35
"""How many days of issues are kept, unless a bucket that has not been closed needs more."""
LONGEST_BUCKET_DAYS = 366

Span = tuple[int, int, int]
"""(start day, days, quantity)."""


# buckets --------------------------------------------------------------------------------------------------------------


def add_buckets(site: Site, plan: Plan, buckets: list[Span], sign: int) -> None:
    """Add the buckets of a revision to the forecast in force, or with `sign` -1 take them off."""
    for start, days, qty in buckets:
        if start + days <= plan.swept:
            continue
        key = bucket_key(site.row, start, days)
        bucket = site.turn.edit(key, Bucket)
        if not bucket.revisions:
            plan.closes_at = min(plan.closes_at, start + days) if plan.buckets else start + days
            plan.buckets += 1
        bucket.qty += sign * qty
        bucket.revisions += sign
        if not bucket.revisions:
            site.turn.put(key, None)
            plan.buckets -= 1


def sweep_buckets(site: Site, plan: Plan) -> list[Span]:
    """Drop the buckets that ended before today; returns them."""
    today = site.today
    plan.swept = max(plan.swept, today)
    if not plan.buckets or today < plan.closes_at:
        return []
    ended = []
    plan.closes_at = today + 1 + LONGEST_BUCKET_DAYS
    for key, bucket in site.turn.scan(*bucket_range(site.row, 0, today + LONGEST_BUCKET_DAYS)):
        start, days = bucket_span(key)
        if start >= today:
            plan.closes_at = min(plan.closes_at, start + 1)
            break
        if start + days > today:
            plan.closes_at = min(plan.closes_at, start + days)
            continue
        ended.append((start, days, bucket.qty))
        site.turn.put(key, None)
        plan.buckets -= 1
    return ended


def open_buckets(view: RowView, until: int) -> Iterator[Span]:
    """The buckets of the forecast in force that have not ended and begin before the day `until`, in their order."""
    today = view.today
    for key, bucket in view.reader.scan(*bucket_range(view.row, today - LONGEST_BUCKET_DAYS, until)):
        start, days = bucket_span(key)
        if start + days > today:
            yield start, days, bucket.qty


def demand_ahead(view: RowView, horizon: int) -> list[int]:
    """The forecast demand of a row per day, from today on for `horizon` days, less what was issued already.

    The view keeps the longest answer: demand of a shorter horizon is its beginning.
    """
    if len(view.demand) < horizon:
        view.demand = _demand_ahead(view, horizon)
    return list(view.demand[:horizon])


def _demand_ahead(view: RowView, horizon: int) -> list[int]:
    if not view.plan.buckets:
        return [0] * horizon
    today = view.today
    buckets = list(open_buckets(view, today + horizon))
    first = min((start for start, _, _ in buckets), default=today)
    issues = issued_since(view, first) if first <= today else []
    return daily_demand(buckets, issues, today, horizon)


# issues ---------------------------------------------------------------------------------------------------------------


def issued_since(view: RowView, first: int) -> list[tuple[int, int]]:
    """(local day, quantity) of what was issued on the day `first` and later, the day at hand included."""
    issues = [(issued_day(key), issued.qty) for key, issued in view.reader.scan(*issued_range(view.row, first))]
    stock = view.stock
    if stock.issue_qty and stock.issue_day >= first:
        issues.append((stock.issue_day, stock.issue_qty))
    return issues


def close_issue_day(site: Site) -> None:
    """Carry the issues of the day at hand from the stock row to the row of that day; drop the days that are too old."""
    stock = site.stock
    if not stock.issue_qty:
        return
    oldest = _oldest_kept(site)
    if stock.issue_day >= oldest:
        site.turn.edit(issued_key(site.row, stock.issue_day), Issued).qty += stock.issue_qty
    stock.issue_qty = 0
    for key, _ in site.turn.scan(*issued_range(site.row, 0, oldest)):
        site.turn.put(key, None)


def _oldest_kept(site: Site) -> int:
    """The oldest day whose issues are kept: by the clock, or the first day of a bucket that has not been closed."""
    oldest = max(0, site.today - KEPT_ISSUE_DAYS)
    if site.plan.buckets:
        first = next(site.turn.scan(*bucket_range(site.row, 0, oldest)), None)
        if first is not None:
            oldest = bucket_span(first[0])[0]
    return oldest
