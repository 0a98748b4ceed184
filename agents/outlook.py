"""What a row will need: its trigger and target by policy, and its dated projection.

Reads `Plan`, `Stock` and the open supply; owns no row. The trigger is looked at for some days ahead, so that a row
which cannot reach it by the passing of time alone is left in peace until then.
"""

from itertools import accumulate
from typing import Any

from msgspec import Struct

from agents import supply
from agents.demand import demand_ahead
from agents.planning import daily_deviation
from agents.stock import row_location
from agents.turn import Turn
from engine.core import payloads as p
from engine.core import policy as arithmetic
from engine.core.policy import OrderQuantity
from engine.core.projection import available_to_promise, project, total_over
from engine.core.statistics import mean_and_deviation, per_day
from engine.core.values import day_of
from tables.planning import Plan
from tables.stock import Stock

LOOK_AHEAD_DAYS = 7

Term = dict[str, Any]


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


class Need(Struct, frozen=True):
    """What a row's policy asks for. `ceiling` is the greatest trigger of the days ahead."""

    policy: p.PolicySetData
    s: int
    S: int | None
    ceiling: int
    quantity: OrderQuantity
    lead_time: LeadTime
    terms: list[Term]


def lead_time_of(turn: Turn, plan: Plan, policy: p.PolicySetData) -> LeadTime:
    """The lead time that a policy states, else the one learned from receipts, else the default."""
    learned = len(plan.lead_times) >= turn.rules.lead_time_samples
    mean, deviation = mean_and_deviation(plan.lead_times) if learned else (turn.rules.default_lead_time_days, 0)
    stated = policy.lead_time_days is not None
    source = "policy" if stated else f"{len(plan.lead_times)} receipts" if learned else "default"
    return LeadTime(
        policy.lead_time_days if policy.lead_time_days is not None else mean,
        policy.lead_time_std_days if policy.lead_time_std_days is not None else deviation,
        policy.review_days or 0,
        source,
    )


def need_of(turn: Turn, row: bytes, stock: Stock, plan: Plan) -> Need | None:
    """What the policy of a row asks for now, or None where it asks for nothing."""
    policy = plan.policy
    if policy is None or isinstance(policy.policy, p.NoPolicy):
        return None
    lead_time = lead_time_of(turn, plan, policy)
    kind = policy.policy
    if isinstance(kind, p.MinMax):
        quantity = _order(stock.position, kind.min, kind.max - stock.position, policy)
        terms = [_term("min", kind.min, "policy"), _term("max", kind.max, "policy")]
        return Need(policy, kind.min, kind.max, kind.min, quantity, lead_time, terms)
    if isinstance(kind, p.ReorderPoint):
        lots = arithmetic.reorder_quantity(stock.position, kind.point, kind.qty)
        terms = [_term("reorder point", kind.point, "policy"), _term("lot", kind.qty, "policy")]
        return Need(
            policy, kind.point, None, kind.point, _order(stock.position, kind.point, lots, policy), lead_time, terms
        )
    return _forecast_need(turn, row, stock, plan, policy, lead_time)


def _order(position: int, s: int, raw: int, policy: p.PolicySetData) -> OrderQuantity:
    if position > s:
        return arithmetic.NO_ORDER
    return arithmetic.constrained(raw, moq=policy.moq or 0, multiple=policy.multiple or 1, max_qty=policy.max_qty)


def _forecast_need(
    turn: Turn, row: bytes, stock: Stock, plan: Plan, policy: p.PolicySetData, lead_time: LeadTime
) -> Need:
    demand = demand_ahead(turn, row, stock, lead_time.protection + LOOK_AHEAD_DAYS + 1)
    over_lead_time = total_over(demand, lead_time.days)
    over_protection = total_over(demand, lead_time.days + lead_time.review)
    mean = per_day(over_protection, lead_time.days + lead_time.review)
    safety, terms = _safety_stock(turn, plan, policy, lead_time, mean)
    s, target = over_lead_time + safety, over_protection + safety
    terms = [
        _term("demand over lead time", over_lead_time, "forecast"),
        _term("demand over lead time and review", over_protection, "forecast"),
        *terms,
    ]
    quantity = _order(stock.position, s, target - stock.position, policy)
    return Need(policy, s, target, _ceiling(turn, plan, policy, lead_time, demand), quantity, lead_time, terms)


def _safety_stock(
    turn: Turn, plan: Plan, policy: p.PolicySetData, lead_time: LeadTime, mean: float
) -> tuple[int, list[Term]]:
    if policy.safety_stock is not None:
        return policy.safety_stock, [_term("safety stock", policy.safety_stock, "policy")]
    level = policy.service_level or turn.rules.default_service_level
    deviation, source = daily_deviation(turn, plan, mean)
    stock = arithmetic.safety_stock(level, mean, deviation, lead_time.days, lead_time.deviation)
    safety = max(0, arithmetic.whole_units(stock))
    return safety, [
        _term("safety stock", safety, "z * sqrt(L * sd^2 + d^2 * sL^2)"),
        {"term": "service level", "value": f"{level:g}", "unit": "share of cycles", "source": "policy"},
        {"term": "z", "value": f"{arithmetic.z_value(level):.4f}", "unit": "", "source": "service level"},
        {"term": "d", "value": f"{mean:.3f}", "unit": "units a day", "source": "forecast"},
        {"term": "sd", "value": f"{deviation:.3f}", "unit": "units a day", "source": source},
        {"term": "sL", "value": f"{lead_time.deviation:g}", "unit": "days", "source": lead_time.source},
    ]


def _ceiling(turn: Turn, plan: Plan, policy: p.PolicySetData, lead_time: LeadTime, demand: list[int]) -> int:
    """The greatest trigger on any of the days ahead: above it no passing of time alone can trigger."""
    running = [0, *accumulate(demand)]
    span = lead_time.protection
    windows = [running[day + span] - running[day] for day in range(LOOK_AHEAD_DAYS + 1)]
    greatest = max(windows)
    safety, _ = _safety_stock(turn, plan, policy, lead_time, per_day(greatest, lead_time.days + lead_time.review))
    return greatest + safety


def _term(name: str, value: int, source: str) -> Term:
    return {"term": name, "value": value, "unit": "units", "source": source}


class Projection(Struct, frozen=True):
    """The dated projection of a row; one entry per day from `today`."""

    today: int
    supply: list[int]
    demand: list[int]
    projected: list[int]
    atp: list[int]
    overdue: int
    """What of the supply was due before today."""

    def first_below(self, level: int) -> int | None:
        """The first day on which the projected balance is below `level`."""
        for offset, balance in enumerate(self.projected):
            if balance < level:
                return self.today + offset
        return None


def projection_of(turn: Turn, row: bytes, stock: Stock, plan: Plan, days: int) -> Projection:
    """The projection of a row for a number of days."""
    today = turn.local_today(row_location(row))
    ahead = supply.ahead(turn, row, today, days)
    incoming = ahead.days
    if days > 1:
        incoming[1] += ahead.overdue
    demand = demand_ahead(turn, row, stock, days)
    projected = project(stock.sellable, incoming, demand)
    atp = available_to_promise(stock.sellable, incoming)
    return Projection(today, incoming, demand, projected, atp, ahead.overdue)


def projection_view(projection: Projection) -> list[dict[str, Any]]:
    """The projection as the contract shows it, one object per day."""
    columns = zip(projection.supply, projection.demand, projection.projected, projection.atp, strict=True)
    return [
        {
            "date": day_of(projection.today + offset).isoformat(),
            "supply": supply,
            "demand": demand,
            "projected": projected,
            "atp": atp,
            **({"overdue": projection.overdue} if offset == 1 and projection.overdue else {}),
        }
        for offset, (supply, demand, projected, atp) in enumerate(columns)
    ]
