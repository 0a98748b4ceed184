"""What a replenishment signal would say now: how much, by when, and whether a planner has to look at it."""

from msgspec import Struct

from agents.need import LOOK_AHEAD_DAYS, Need
from agents.projection import days_ahead
from agents.turn import Site
from engine.core.outputs import Disposition
from engine.core.payloads import PolicySetData
from engine.core.values import HOUR


class Proposal(Struct, frozen=True):
    """A signal's quantity in base units, the day (ordinal) by which it is needed, and what speaks for a review."""

    qty: int
    due: int
    reasons: list[str]
    supplier: str | None

    @property
    def disposition(self) -> Disposition:
        """Whether the engine may order by itself."""
        return "review" if self.reasons else "auto"


def propose(site: Site, need: Need, opened: int) -> Proposal:
    """What a signal of a row says that was opened at the instant `opened`."""
    reasons = _doubts(site, need.policy, need.quantity.qty)
    return Proposal(need.quantity.qty, _due(site, need, opened), reasons, need.policy.supplier)


def _due(site: Site, need: Need, opened: int) -> int:
    """The day by which the goods are needed, not before they can be there."""
    earliest = site.local_day(opened) + need.lead_time.whole
    if not site.plan.buckets:
        return earliest
    days = min(site.turn.rules.horizon_days, need.lead_time.protection + LOOK_AHEAD_DAYS)
    needed = days_ahead(site).first_below_zero(days)
    return max(earliest, needed or earliest)


def _doubts(site: Site, policy: PolicySetData, qty: int) -> list[str]:
    """Why a planner has to look at it; nothing where the engine may order by itself."""
    turn, stock = site.turn, site.stock
    reasons = _over_limits(policy, qty)
    if not stock.stock_known:
        reasons.append("stock_unknown")
    if not site.plan.complete:
        reasons.append("forecast_incomplete")
    reasons += [f"stale_feed:{name}" for name in turn.feeds.stale_at(site.location)]
    grace = turn.rules.negative_grace_hours * HOUR
    if stock.negative_since is not None and turn.now - stock.negative_since < grace:
        reasons.append("negative_stock")
    return reasons


def _over_limits(policy: PolicySetData, qty: int) -> list[str]:
    """What of an order goes beyond the limits within which the policy lets the engine order by itself."""
    limits = policy.auto
    if limits is None or (limits.max_qty is None and limits.max_value is None):
        return ["no_auto_limits"]
    reasons = []
    if limits.max_qty is not None and qty > limits.max_qty:
        reasons.append("quantity_over_limit")
    if limits.max_value is not None:
        if policy.unit_cost is None:
            reasons.append("unit_cost_unknown")
        elif policy.unit_cost * qty > limits.max_value:
            reasons.append("value_over_limit")
    return reasons
