"""Drift of the forecast: what was issued in the buckets that have ended, against what they said.

Rows: of `Plan` the errors of the last buckets that have ended.
"""

from agents import alerts
from agents.demand import issued_since, sweep_buckets
from agents.reader import RowView
from agents.turn import Site
from engine.core.policy import tracking_signal
from engine.core.statistics import deviation_per_day, poisson_deviation

MAX_CLOSED_BUCKETS = 26


def close_buckets(site: Site) -> None:
    """Compare the buckets that have ended with what was issued; watch the bias of the forecast."""
    if not site.plan.buckets or site.today < site.plan.closes_at:
        return
    plan = site.edit_plan()
    ended = [(start, days, qty) for start, days, qty in sweep_buckets(site, plan) if start >= plan.closed_until]
    if not ended:
        return
    issues = issued_since(site, ended[0][0])
    for start, days, qty in ended:
        issued = sum(q for day, q in issues if start <= day < start + days)
        plan.errors = [*plan.errors, (max(0, qty), issued, days)][-MAX_CLOSED_BUCKETS:]
    plan.closed_until = max(start + days for start, days, _ in ended)
    _watch_bias(site)


def _watch_bias(site: Site) -> None:
    plan, rules = site.plan, site.turn.rules
    errors = [forecast - issued for forecast, issued, _ in plan.errors]
    signal = tracking_signal(errors)
    if len(errors) >= rules.tracking_points and abs(signal) > rules.tracking_limit:
        evidence = {
            "tracking_signal": f"{signal:.2f}", "limit": rules.tracking_limit, "periods": len(errors),
            "forecast": sum(e[0] for e in plan.errors), "issued": sum(e[1] for e in plan.errors),
            "direction": "over" if signal > 0 else "under",
        }  # fmt: skip
        alerts.raise_alert(site, "forecast_bias", evidence)
    else:
        alerts.clear_alert(site, "forecast_bias")


def daily_deviation(view: RowView, mean: float) -> tuple[float, str]:
    """The standard deviation of demand per day, and where it comes from.

    From the errors of closed buckets once there are enough; until then demand is taken to be Poisson.
    """
    errors = view.plan.errors
    if len(errors) >= view.reader.rules.tracking_points:
        return deviation_per_day(errors), "observed forecast errors"
    return poisson_deviation(mean), "Poisson until enough periods are observed"
