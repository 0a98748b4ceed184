"""Policies, and what was observed of demand and lead times against what was planned.

Rows: of `Plan` the policy, the errors of the buckets that have ended, and the lead times.
"""

from agents import alerts
from agents.demand import issued_since, sweep_buckets
from agents.stock import row_location
from agents.turn import Turn
from engine.core import payloads as p
from engine.core.policy import tracking_signal
from engine.core.statistics import deviation_per_day, mean_and_deviation, poisson_deviation, standard_error
from engine.core.values import DAY
from tables import keys
from tables.rows import Plan, Stock

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


def watch_lead_time(turn: Turn, row: bytes) -> None:
    """Compare the lead times of completed lines, and the age of those still open and late, with the policy's."""
    plan = turn.read_plan(row)
    policy = plan.policy
    if policy is None or policy.lead_time_days is None:
        return
    samples = [*plan.lead_times, *open_ages(turn, row, policy.lead_time_days)]
    mean, deviation = mean_and_deviation(samples)
    needed = turn.rules.lead_time_samples
    drift = mean - policy.lead_time_days
    limit = max(turn.rules.lead_time_drift_days, 2 * standard_error(deviation, len(samples)))
    if len(samples) >= needed and abs(drift) > limit:
        evidence = {
            "policy_days": f"{policy.lead_time_days:g}", "observed_days": f"{mean:.1f}",
            "deviation_days": f"{deviation:.1f}", "samples": len(samples),
            "open_and_late": len(samples) - len(plan.lead_times), "supplier": policy.supplier,
        }  # fmt: skip
        alerts.raise_alert(turn, row, "lead_time_drift", evidence)
    else:
        alerts.clear_alert(turn, row, "lead_time_drift")


def open_ages(turn: Turn, row: bytes, expected_days: float) -> list[int]:
    """The age in days of open lines older than expected: leaving them out would flatter the supplier."""
    ages = []
    for name in turn.documents(row).orders:
        for line in turn.get(keys.part(keys.ORDER, row, name)).lines.values():
            if line.placed_at is not None and not line.sampled and not line.ended:
                age = (turn.now - line.placed_at) // DAY
                if age > expected_days:
                    ages.append(age)
    return ages
