"""Policies, and what was observed of demand and lead times against what was planned.

Rows: of `Plan` the policy, the errors of the buckets that have ended, and the lead times.
"""

from agents import alerts
from agents.demand import issued_since, sweep_buckets
from agents.stock import row_location
from agents.turn import Turn
from engine.core import payloads as p
from engine.core.policy import tracking_signal
from engine.core.statistics import deviation_per_day, poisson_deviation
from tables.planning import Plan
from tables.stock import Stock

MAX_CLOSED_BUCKETS = 26


def set_policy(turn: Turn, row: bytes, data: p.PolicySetData) -> None:
    """`policy.set`: the latest `time` wins."""
    plan = turn.plan(row)
    rank = (0, turn.at, turn.identity)
    if plan.policy_rank is None or rank > plan.policy_rank:
        plan.policy, plan.policy_rank = data, rank


# observed demand ------------------------------------------------------------------------------------------------------


def close_buckets(turn: Turn, row: bytes, stock: Stock) -> None:
    """Compare the buckets that have ended with what was issued; watch the bias of the forecast."""
    today = turn.local_today(row_location(row))
    known = turn.read_plan(row)
    if not known.buckets or today < known.closes_at:
        return
    plan = turn.plan(row)
    ended = [
        (start, days, qty) for start, days, qty in sweep_buckets(turn, row, plan, today) if start >= plan.closed_until
    ]
    if not ended:
        return
    issues = issued_since(turn, row, stock, ended[0][0])
    for start, days, qty in ended:
        issued = sum(q for day, q in issues if start <= day < start + days)
        plan.errors = [*plan.errors, (max(0, qty), issued, days)][-MAX_CLOSED_BUCKETS:]
    plan.closed_until = max(start + days for start, days, _ in ended)
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


def daily_deviation(turn: Turn, plan: Plan, mean: float) -> tuple[float, str]:
    """The standard deviation of demand per day, and where it comes from.

    From the errors of closed buckets once there are enough; until then demand is taken to be Poisson.
    """
    if len(plan.errors) >= turn.rules.tracking_points:
        return deviation_per_day(plan.errors), "observed forecast errors"
    return poisson_deviation(mean), "Poisson until enough periods are observed"
