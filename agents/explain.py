"""Why a signal says what it says: a sentence, the ledger of its terms, and the events that moved it."""

from typing import TYPE_CHECKING, Any

from agents.outlook import Need
from agents.turn import Turn
from engine.core import payloads as p
from engine.core.policy import broken_constraints
from engine.core.values import MAX_QUANTITY, day_of, iso
from tables import keys
from tables.stock import Stock

if TYPE_CHECKING:
    from agents.replenishment import Proposal

BINDING = {
    "moq": "raised to the minimum order quantity {moq}",
    "multiple": "rounded up to a multiple of {multiple}",
    "max_qty": "cut to the maximum {max_qty}",
    "quantity_limit": f"cut to {MAX_QUANTITY}, the most that one order can say",
}


BROKEN = {
    "moq": "{qty} is below the minimum order quantity {moq}",
    "multiple": "{qty} is no multiple of {multiple}",
    "max_qty": "{qty} is above the maximum {max_qty}",
}


def with_notes(explanation: dict[str, Any], policy: p.PolicySetData | None, qty: int) -> dict[str, Any]:
    """The explanation, with a note for each constraint of the policy that the quantity of an answer breaks."""
    told = {name: value for name, value in explanation.items() if name != "notes"}
    if policy is None:
        return told
    broken = broken_constraints(qty, moq=policy.moq or 0, multiple=policy.multiple or 1, max_qty=policy.max_qty)
    notes = [BROKEN[name].format(qty=qty, **_limits(policy)) for name in broken]
    return {**told, "notes": notes} if notes else told


def _limits(policy: p.PolicySetData) -> dict[str, int | None]:
    return {"moq": policy.moq, "multiple": policy.multiple, "max_qty": policy.max_qty}


def explain(
    turn: Turn, row: bytes, stock: Stock, need: Need, proposal: "Proposal", events: list[str]
) -> dict[str, Any]:
    """The explanation that goes out with a signal and is shown as it is by page, API and command line."""
    policy = need.policy
    return {
        "sentence": _sentence(row, stock, need, proposal, policy),
        "formula": _FORMULAS[type(policy.policy)],
        "terms": [*_balances(stock), *need.terms, *_constraints(need, proposal, policy)],
        "binding": need.quantity.binding,
        "overshoots_target": need.S is not None and stock.position + proposal.qty > need.S,
        "known_at": iso(turn.now),
        "cause": turn.ref,
        "events": events,
    }


_FORMULAS: dict[type, str] = {
    p.MinMax: "position <= min; order max - position, at least moq, up to the next multiple, at most max_qty",
    p.ReorderPoint: "position <= point; order the smallest number of lots that lifts the position above the point",
    p.ForecastPolicy: "position <= demand over lead time + safety stock; "
    "order demand over lead time and review + safety stock - position",
}


def _sentence(row: bytes, stock: Stock, need: Need, proposal: "Proposal", policy: p.PolicySetData) -> str:
    sku, location = keys.names(row)
    supplier = f" from {proposal.supplier}" if proposal.supplier else ""
    target = f"up to {need.S}" if need.S is not None else "in whole lots"
    qty = need.quantity
    binding = f", {BINDING[qty.binding].format(**_limits(policy))}: {qty.qty}" if qty.binding else ""
    return (
        f"Order {proposal.qty} of {sku} for {location}{supplier}, needed by {day_of(proposal.due).isoformat()}: "
        f"the position {stock.position} (sellable {stock.sellable} + on order {stock.on_order} + in transit "
        f"{stock.in_transit}) is at or below {need.s}; {target} takes {qty.raw}{binding}."
    )


def _balances(stock: Stock) -> list[dict[str, Any]]:
    values = {
        "available": stock.available,
        "reserved": -stock.reserved,
        "on order": stock.on_order,
        "in transit": stock.in_transit,
        "position": stock.position,
    }
    return [{"term": term, "value": value, "unit": "units", "source": "row"} for term, value in values.items()]


def _constraints(need: Need, proposal: "Proposal", policy: p.PolicySetData) -> list[dict[str, Any]]:
    lead = need.lead_time
    return [
        {"term": "trigger s", "value": need.s, "unit": "units", "source": "formula"},
        *([{"term": "target S", "value": need.S, "unit": "units", "source": "formula"}] if need.S is not None else []),
        {"term": "lead time L", "value": f"{lead.days:g}", "unit": "days", "source": lead.source},
        {"term": "review R", "value": f"{lead.review:g}", "unit": "days", "source": "policy"},
        {"term": "wanted", "value": need.quantity.raw, "unit": "units", "source": "S - position, or lots"},
        *(
            {"term": k, "value": v, "unit": "units", "source": "policy"}
            for k, v in _limits(policy).items()
            if v is not None
        ),
        {"term": "quantity", "value": proposal.qty, "unit": "units", "source": need.quantity.binding or "wanted"},
        *_value(proposal, policy),
    ]


def _value(proposal: "Proposal", policy: p.PolicySetData) -> list[dict[str, Any]]:
    """What the order would cost beside what the engine may spend by itself; only where the policy limits the value."""
    limit = None if policy.auto is None else policy.auto.max_value
    if limit is None or policy.unit_cost is None:
        return []
    amounts = {"unit cost": policy.unit_cost, "value": policy.unit_cost * proposal.qty, "value limit": limit}
    sources = {"value": "quantity * unit cost"}
    return [
        {"term": name, "value": f"{amount:f}", "unit": policy.currency or "", "source": sources.get(name, "policy")}
        for name, amount in amounts.items()
    ]
