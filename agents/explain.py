"""Why a signal says what it says: a sentence, the figures that it rests on, and the events that moved it."""

from collections.abc import Iterator, Mapping
from typing import Any

from agents.need import FORMULAS, SAFETY_FORMULA, ForecastDemand, LeadTime, Need, Safety
from agents.proposal import Proposal
from agents.turn import Site
from engine.core import payloads as p
from engine.core.policy import broken_constraints, z_value
from engine.core.values import MAX_QUANTITY, day_of, iso
from tables.stock import Stock

Term = dict[str, object]
"""One figure: `term` (its name), `value`, `unit` and `source`."""

BINDING = {
    "moq": "raised to the minimum order quantity {moq}",
    "multiple": "rounded up to a multiple of {multiple}",
    "max_qty": "cut to the maximum {max_qty}",
    "quantity_limit": f"cut to {MAX_QUANTITY}, the most that one order can say",
}
"""How the sentence names the constraint that has changed the quantity."""

BROKEN = {
    "moq": "{qty} is below the minimum order quantity {moq}",
    "multiple": "{qty} is no multiple of {multiple}",
    "max_qty": "{qty} is above the maximum {max_qty}",
}
"""How a note names a constraint that the quantity of an answer breaks."""


def with_notes(explanation: dict[str, object], policy: p.PolicySetData | None, qty: int) -> dict[str, object]:
    """The explanation, with a note for each constraint of the policy that the quantity of an answer breaks."""
    told = {name: value for name, value in explanation.items() if name != "notes"}
    if policy is None:
        return told
    broken = broken_constraints(qty, moq=policy.moq or 0, multiple=policy.multiple or 1, max_qty=policy.max_qty)
    notes = [BROKEN[name].format(qty=qty, **_limits(policy)) for name in broken]
    return {**told, "notes": notes} if notes else told


def proposed_qty(explanation: Mapping[str, Any]) -> int | None:
    """The quantity that the engine proposed with this explanation; None where it does not say."""
    terms = explanation.get("terms", ())
    return next((int(term["value"]) for term in terms if term["term"] == "quantity"), None)


def _limits(policy: p.PolicySetData) -> dict[str, int | None]:
    return {"moq": policy.moq, "multiple": policy.multiple, "max_qty": policy.max_qty}


def explain(site: Site, need: Need, proposal: Proposal, events: list[str]) -> dict[str, object]:
    """The explanation that goes out with a signal and is shown as it is by page, API and command line."""
    policy = need.policy
    return {
        "sentence": _sentence(site, need, proposal),
        "formula": FORMULAS[type(policy.policy)],
        "terms": [*_balances(site.stock), *terms_of(need), *_constraints(need, proposal)],
        "binding": need.quantity.binding,
        "overshoots_target": need.S is not None and site.stock.position + proposal.qty > need.S,
        "known_at": iso(site.turn.now),
        "cause": site.turn.ref,
        "events": events,
    }


def _sentence(site: Site, need: Need, proposal: Proposal) -> str:
    stock, qty = site.stock, need.quantity
    supplier = f" from {proposal.supplier}" if proposal.supplier else ""
    target = f"up to {need.S}" if need.S is not None else "in whole lots"
    binding = f", {BINDING[qty.binding].format(**_limits(need.policy))}: {qty.qty}" if qty.binding else ""
    return (
        f"Order {proposal.qty} of {site.sku} for {site.location}{supplier}, needed by "
        f"{day_of(proposal.due).isoformat()}: "
        f"the position {stock.position} (sellable {stock.sellable} + on order {stock.on_order} + in transit "
        f"{stock.in_transit}) is at or below {need.s}; {target} takes {qty.raw}{binding}."
    )


# figures --------------------------------------------------------------------------------------------------------------


def _term(name: str, value: object, unit: str, source: str) -> Term:
    return {"term": name, "value": value, "unit": unit, "source": source}


def terms_of(need: Need) -> list[Term]:
    """The figures from which the policy's trigger and target follow."""
    levels = need.policy.policy
    if isinstance(levels, p.MinMax):
        return [_term("min", levels.min, "units", "policy"), _term("max", levels.max, "units", "policy")]
    if isinstance(levels, p.ReorderPoint):
        return [_term("reorder point", levels.point, "units", "policy"), _term("lot", levels.qty, "units", "policy")]
    return [] if need.demand is None else list(_forecast_terms(need.demand, need.lead_time))


def _forecast_terms(demand: ForecastDemand, lead_time: LeadTime) -> Iterator[Term]:
    yield _term("demand over lead time", demand.over_lead_time, "units", "forecast")
    yield _term("demand over lead time and review", demand.over_protection, "units", "forecast")
    yield from _safety_terms(demand.safety, lead_time)


def _safety_terms(safety: Safety, lead_time: LeadTime) -> Iterator[Term]:
    if safety.level is None:
        yield _term("safety stock", safety.stock, "units", "policy")
        return
    yield _term("safety stock", safety.stock, "units", SAFETY_FORMULA)
    yield _term("service level", f"{safety.level:g}", "share of cycles", "policy")
    yield _term("z", f"{z_value(safety.level):.4f}", "", "service level")
    yield _term("d", f"{safety.mean:.3f}", "units a day", "forecast")
    yield _term("sd", f"{safety.deviation:.3f}", "units a day", safety.source)
    yield _term("sL", f"{lead_time.deviation:g}", "days", lead_time.source)


def _balances(stock: Stock) -> Iterator[Term]:
    yield _term("available", stock.available, "units", "row")
    yield _term("reserved", -stock.reserved, "units", "row")
    yield _term("on order", stock.on_order, "units", "row")
    yield _term("in transit", stock.in_transit, "units", "row")
    yield _term("position", stock.position, "units", "row")


def _constraints(need: Need, proposal: Proposal) -> Iterator[Term]:
    policy, lead_time = need.policy, need.lead_time
    yield _term("trigger s", need.s, "units", "formula")
    if need.S is not None:
        yield _term("target S", need.S, "units", "formula")
    yield _term("lead time L", f"{lead_time.days:g}", "days", lead_time.source)
    yield _term("review R", f"{lead_time.review:g}", "days", "policy")
    yield _term("wanted", need.quantity.raw, "units", "S - position, or lots")
    for name, limit in _limits(policy).items():
        if limit is not None:
            yield _term(name, limit, "units", "policy")
    yield _term("quantity", proposal.qty, "units", need.quantity.binding or "wanted")
    yield from _value(proposal, policy)


def _value(proposal: Proposal, policy: p.PolicySetData) -> Iterator[Term]:
    """What the order would cost beside what the engine may spend by itself; only where the policy limits the value."""
    limit = None if policy.auto is None else policy.auto.max_value
    if limit is None or policy.unit_cost is None:
        return
    currency = policy.currency or ""
    yield _term("unit cost", f"{policy.unit_cost:f}", currency, "policy")
    yield _term("value", f"{policy.unit_cost * proposal.qty:f}", currency, "quantity * unit cost")
    yield _term("value limit", f"{limit:f}", currency, "policy")
