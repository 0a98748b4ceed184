"""Forecast versions, their consumption, and what was observed of demand against them.

Rows: `Plan`. The forecast in force is the latest `replace` by time with every delta that reaches it by its base
version; a delta whose base is not known leaves a gap, and says so.
"""

from agents import alerts
from agents.stock import KEPT_ISSUE_DAYS, row_location, settle_issues
from agents.turn import Turn
from engine.core import payloads as p
from engine.core.policy import tracking_signal
from engine.core.projection import daily_demand
from engine.core.statistics import deviation_per_day, poisson_deviation
from engine.core.values import day_of
from tables.rows import Plan, Revision, Stock

MAX_VERSIONS = 64
MAX_CLOSED_BUCKETS = 26


def set_policy(turn: Turn, row: bytes, data: p.PolicySetData) -> None:
    """`policy.set`: the latest `time` wins."""
    plan = turn.plan(row)
    rank = (0, turn.at, turn.identity)
    if plan.policy_rank is None or rank > plan.policy_rank:
        plan.policy, plan.policy_rank = data, rank


def revise_forecast(turn: Turn, row: bytes, data: p.ForecastRevisedData) -> None:
    """`forecast.revised`: replace the forecast, or amend the version that the delta names."""
    stock = turn.stock(row)
    close_buckets(turn, row, stock)
    plan = turn.plan(row)
    if plan.base is None and not plan.deltas:
        plan.closed_until = turn.local_day(row_location(row), turn.at)
    buckets = [(b.start.toordinal(), b.days, b.qty) for b in data.buckets]
    revision = Revision(data.version, data.base_version, (0, turn.at, turn.identity), buckets)
    if data.mode == "delta":
        plan.deltas = [*plan.deltas, revision]
    elif plan.base is None or revision.rank > plan.base.rank:
        plan.base = revision
    plan.known_versions = [*(v for v in plan.known_versions if v != data.version), data.version][-MAX_VERSIONS:]
    gaps = _apply_deltas(plan)
    plan.complete = not gaps
    if gaps:
        evidence = {
            "missing": sorted({gap.base_version or "" for gap in gaps}),
            "deltas": [gap.version for gap in gaps],
            "events": [turn.ref],
        }
        alerts.raise_alert(turn, row, "forecast_gap", evidence)
    else:
        alerts.clear_alert(turn, row, "forecast_gap")


def _apply_deltas(plan: Plan) -> list[Revision]:
    """Put the forecast in force together; answer the deltas whose base is missing, drop those that are superseded."""
    base = plan.base
    reached: set[str | None] = {None} if base is None else {None, base.version}
    known = set(plan.known_versions)
    applied: list[Revision] = []
    waiting = sorted(plan.deltas, key=lambda revision: revision.rank)
    if base is not None:
        waiting = [d for d in waiting if d.base_version is not None or d.rank > base.rank]
    while fresh := [delta for delta in waiting if delta.base_version in reached]:
        applied += fresh
        reached.update(delta.version for delta in fresh)
        waiting = [delta for delta in waiting if delta not in fresh]
    gaps = [d for d in waiting if _is_gap(d, plan, known)]
    kept = [d for d in waiting if d in gaps or base is None or d.rank > base.rank]
    plan.deltas = sorted([*applied, *kept], key=lambda revision: revision.rank)
    plan.buckets = _merge([*([base] if base else []), *applied])
    return gaps


def _is_gap(delta: Revision, plan: Plan, known: set[str]) -> bool:
    if plan.base is not None and delta.rank < plan.base.rank:
        return False
    unresolved = {d.version for d in plan.deltas}
    return delta.base_version not in known or delta.base_version in unresolved


def _merge(revisions: list[Revision]) -> list[tuple[int, int, int]]:
    total: dict[tuple[int, int], int] = {}
    for revision in revisions:
        for start, days, qty in revision.buckets:
            total[start, days] = total.get((start, days), 0) + qty
    return [(start, days, qty) for (start, days), qty in sorted(total.items())]


# observed demand ------------------------------------------------------------------------------------------------------


def issued_by_day(plan: Plan, stock: Stock) -> dict[int, int]:
    """Issued quantity by local day, the day at hand included."""
    if not stock.issue_qty:
        return plan.issued
    return {**plan.issued, stock.issue_day: plan.issued.get(stock.issue_day, 0) + stock.issue_qty}


def close_buckets(turn: Turn, row: bytes, stock: Stock) -> None:
    """Compare the buckets that have ended with what was issued; watch the bias of the forecast."""
    plan = turn.read_plan(row)
    today = turn.local_today(row_location(row))
    ended = [b for b in plan.buckets if plan.closed_until < b[0] + b[1] <= today and b[0] >= plan.closed_until]
    if not ended:
        return
    settle_issues(turn, row, stock)
    plan = turn.plan(row)
    for start, days, qty in ended:
        issued = sum(q for day, q in plan.issued.items() if start <= day < start + days)
        plan.errors = [*plan.errors, (max(0, qty), issued, days)][-MAX_CLOSED_BUCKETS:]
    plan.closed_until = max(start + days for start, days, _ in ended)
    running = min((b[0] for b in plan.buckets if b[0] + b[1] > today), default=today)
    oldest = min(today - KEPT_ISSUE_DAYS, running)
    plan.issued = {day: q for day, q in plan.issued.items() if day >= oldest}
    _watch_bias(turn, row, plan)


def _watch_bias(turn: Turn, row: bytes, plan: Plan) -> None:
    errors = [forecast - issued for forecast, issued, _ in plan.errors]
    signal = tracking_signal(errors)
    if len(errors) >= turn.rules.tracking_points and abs(signal) > turn.rules.tracking_limit:
        evidence = {
            "tracking_signal": f"{signal:.2f}", "limit": turn.rules.tracking_limit, "periods": len(errors),
            "forecast": sum(e[0] for e in plan.errors), "issued": sum(e[1] for e in plan.errors),
            "direction": "over" if signal > 0 else "under",
        }  # fmt: skip
        alerts.raise_alert(turn, row, "forecast_bias", evidence)
    else:
        alerts.clear_alert(turn, row, "forecast_bias")


def demand_ahead(plan: Plan, stock: Stock, today: int, horizon: int) -> list[int]:
    """The forecast demand of a row per day from today, after consumption."""
    return daily_demand(plan.buckets, issued_by_day(plan, stock).items(), today, horizon)


def daily_deviation(turn: Turn, plan: Plan, mean: float) -> tuple[float, str]:
    """The standard deviation of demand per day, and where it comes from.

    From the errors of closed buckets once there are enough; until then demand is taken to be Poisson.
    """
    if len(plan.errors) >= turn.rules.tracking_points:
        return deviation_per_day(plan.errors), "observed forecast errors"
    return poisson_deviation(mean), "Poisson until enough periods are observed"


def forecast_view(plan: Plan) -> dict[str, object]:
    """The forecast in force, for people."""
    return {
        "version": plan.base.version if plan.base else None,
        "deltas": [delta.version for delta in plan.deltas],
        "complete": plan.complete,
        "buckets": [
            {"start": day_of(start).isoformat(), "days": days, "qty": qty} for start, days, qty in plan.buckets
        ],
    }
