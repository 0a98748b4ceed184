"""What a row needs: its trigger and target by policy.

Rows: of `Plan` the policy. The trigger s is the position at which goods are ordered, the target S the position that the
order brings back. `ceiling` is the greatest trigger of the next seven days: a row whose position is above it cannot
reach its trigger by the passing of time alone, so it needs no daily check.
"""

from itertools import accumulate

from msgspec import Struct

from agents import due
from agents.demand import demand_ahead
from agents.drift_forecast import daily_deviation
from agents.reader import RowView, once
from agents.turn import Site
from engine.core import payloads as p
from engine.core import policy as arithmetic
from engine.core.policy import OrderQuantity
from engine.core.projection import total_over
from engine.core.statistics import mean_and_deviation, per_day
from engine.core.values import HOUR

LOOK_AHEAD_DAYS = 7

FORMULAS: dict[type, str] = {
    p.MinMax: "position <= min; order max - position, at least moq, up to the next multiple, at most max_qty",
    p.ReorderPoint: "position <= point; order the smallest number of lots that lifts the position above the point",
    p.ForecastPolicy: "position <= demand over lead time + safety stock; "
    "order demand over lead time and review + safety stock - position",
}
"""What an explanation says of `_min_max`, `_reorder_point` and `_forecast`."""

SAFETY_FORMULA = "z * sqrt(L * sd^2 + d^2 * sL^2)"
"""What an explanation says of `_safety_stock`."""


class LeadTime(Struct, frozen=True):
    """Lead time and review period of a row in days, and where the lead time comes from."""

    days: float
    deviation: float
    review: float
    source: str

    @property
    def whole(self) -> int:
        """The lead time in whole days, rounded up."""
        return arithmetic.whole_units(self.days)

    @property
    def protection(self) -> int:
        """Lead time and review period in whole days, rounded up, at least 1."""
        return max(1, arithmetic.whole_units(self.days + self.review))


class Safety(Struct, frozen=True):
    """The safety stock of a row in units and, unless the policy states it, the figures per day that it follows from."""

    stock: int
    level: float | None = None
    """The service level, a share of cycles; None where the policy states the safety stock itself."""
    mean: float = 0
    deviation: float = 0
    source: str = ""
    """Where the deviation comes from."""


class ForecastDemand(Struct, frozen=True):
    """What a forecast policy rests on, in units."""

    over_lead_time: int
    over_protection: int
    """Over lead time and review period."""
    safety: Safety


class Need(Struct, frozen=True):
    """What a row's policy asks for now: trigger `s`, target `S` (None for whole lots) and the quantity to order."""

    policy: p.PolicySetData
    lead_time: LeadTime
    s: int
    S: int | None
    ceiling: int
    """The greatest trigger of the next seven days."""
    quantity: OrderQuantity
    demand: ForecastDemand | None = None
    """Of a forecast policy what it rests on."""


def set_policy(site: Site, data: p.PolicySetData) -> None:
    """`policy.set`: the latest `time` wins."""
    plan = site.edit_plan()
    rank = (0, site.turn.at, site.turn.identity)
    if plan.policy_rank is None or rank > plan.policy_rank:
        if site.stock.on_order and _answer_days(plan.policy) != _answer_days(data):
            # At the next full hour, so that policies that change again and again let all lines be looked at once.
            now = site.turn.now
            due.schedule(site, due.OPEN_LINES, "", None, now + -now % HOUR)
        plan.policy, plan.policy_rank = data, rank


def _answer_days(policy: p.PolicySetData | None) -> tuple[int | None, int | None]:
    """How many days the supplier has to acknowledge an order, and how many before it is due a shipment is announced."""
    return (None, None) if policy is None else (policy.ack_days, policy.asn_days)


@once
def need_of(view: RowView) -> Need | None:
    """What the policy of a row asks for now; None without a policy."""
    policy = view.plan.policy
    if policy is None or isinstance(policy.policy, p.NoPolicy):
        return None
    lead_time = _lead_time(view, policy)
    if isinstance(policy.policy, p.MinMax):
        return _min_max(view, policy, policy.policy, lead_time)
    if isinstance(policy.policy, p.ReorderPoint):
        return _reorder_point(view, policy, policy.policy, lead_time)
    return _forecast(view, policy, lead_time)


def _min_max(view: RowView, policy: p.PolicySetData, levels: p.MinMax, lead_time: LeadTime) -> Need:
    quantity = _order(view, policy, levels.min, levels.max - view.stock.position)
    return Need(policy, lead_time, levels.min, levels.max, levels.min, quantity)


def _reorder_point(view: RowView, policy: p.PolicySetData, levels: p.ReorderPoint, lead_time: LeadTime) -> Need:
    lots = arithmetic.reorder_quantity(view.stock.position, levels.point, levels.qty)
    return Need(policy, lead_time, levels.point, None, levels.point, _order(view, policy, levels.point, lots))


def _forecast(view: RowView, policy: p.PolicySetData, lead_time: LeadTime) -> Need:
    protection = lead_time.days + lead_time.review
    demand = demand_ahead(view, lead_time.protection + LOOK_AHEAD_DAYS + 1)
    over_lead_time, over_protection = total_over(demand, lead_time.days), total_over(demand, protection)
    safety = _safety_stock(view, policy, lead_time, per_day(over_protection, protection))
    s, target = over_lead_time + safety.stock, over_protection + safety.stock
    quantity = _order(view, policy, s, target - view.stock.position)
    ceiling = _ceiling(view, policy, lead_time, demand)
    return Need(
        policy, lead_time, s, target, ceiling, quantity, ForecastDemand(over_lead_time, over_protection, safety)
    )


def _lead_time(view: RowView, policy: p.PolicySetData) -> LeadTime:
    """The lead time that a policy states, else the one learned from receipts, else the default."""
    rules, observed = view.reader.rules, view.plan.lead_times
    learned = len(observed) >= rules.lead_time_samples
    mean, deviation = mean_and_deviation(observed) if learned else (rules.default_lead_time_days, 0)
    stated = policy.lead_time_days is not None
    source = "policy" if stated else f"{len(observed)} receipts" if learned else "default"
    return LeadTime(
        policy.lead_time_days if policy.lead_time_days is not None else mean,
        policy.lead_time_std_days if policy.lead_time_std_days is not None else deviation,
        policy.review_days or 0,
        source,
    )


def _order(view: RowView, policy: p.PolicySetData, s: int, raw: int) -> OrderQuantity:
    """What to order if `raw` is wanted, under the constraints of the policy; nothing above the trigger."""
    if view.stock.position > s:
        return arithmetic.NO_ORDER
    return arithmetic.constrained(raw, moq=policy.moq or 0, multiple=policy.multiple or 1, max_qty=policy.max_qty)


def _safety_stock(view: RowView, policy: p.PolicySetData, lead_time: LeadTime, mean: float) -> Safety:
    if policy.safety_stock is not None:
        return Safety(policy.safety_stock)
    level = policy.service_level or view.reader.rules.default_service_level
    deviation, source = daily_deviation(view, mean)
    stock = arithmetic.safety_stock(level, mean, deviation, lead_time.days, lead_time.deviation)
    return Safety(max(0, arithmetic.whole_units(stock)), level, mean, deviation, source)


def _ceiling(view: RowView, policy: p.PolicySetData, lead_time: LeadTime, demand: list[int]) -> int:
    """The greatest trigger on any of the days ahead: above it no passing of time alone can trigger."""
    running = [0, *accumulate(demand)]
    span = lead_time.protection
    greatest = max(running[day + span] - running[day] for day in range(LOOK_AHEAD_DAYS + 1))
    mean = per_day(greatest, lead_time.days + lead_time.review)
    return greatest + _safety_stock(view, policy, lead_time, mean).stock
