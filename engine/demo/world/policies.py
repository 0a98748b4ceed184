"""The replenishment policy and opening stock of a row, from its demand in the warm-up."""

from dataclasses import dataclass, replace
from math import ceil, sqrt
from random import Random
from typing import Literal

from engine.demo.world.suppliers import Supplier

PolicyKind = Literal["min_max", "reorder_point", "forecast", "none"]
_SAFETY_FACTOR = {"A": 2.05, "B": 1.88, "C": 1.64}
_COVER_DAYS = {"A": 10, "B": 18, "C": 30}
_AUTO_VALUE = {"A": 200, "B": 90, "C": 45}


@dataclass(frozen=True)
class RowPlan:
    """The plan of a row: policy (trigger `s`, target `S`, lot `lot`, all in base units), supplier and opening stock.

    `unit_cost` is in GBP a base unit, `auto_value` the value in GBP up to which a signal needs no planner.
    """

    sku: str
    location: str
    abc: str
    supplier: Supplier
    case: int
    unit_cost: float
    kind: PolicyKind = "none"
    s: int = 0
    S: int = 0
    lot: int = 1
    safety_stock: int = 0
    review_days: int = 7
    auto_value: int = 0
    opening: int = 0

    @property
    def key(self) -> str:
        """The row's name in random seeds."""
        return f"{self.sku}/{self.location}"

    @property
    def multiple(self) -> int:
        """The quantity that orders are a multiple of: the case."""
        return self.case

    def policy_data(self) -> dict[str, object]:
        """The data of the row's `policy.set`."""
        policy: dict[str, object] = {"kind": self.kind}
        if self.kind == "min_max":
            policy.update(min=self.s, max=self.S)
        elif self.kind == "reorder_point":
            policy.update(point=self.s, qty=self.lot)
        data: dict[str, object] = {
            "sku": self.sku,
            "location": self.location,
            "policy": policy,
            "supplier": self.supplier.name,
            "lead_time_days": self.supplier.lead_days,
            "lead_time_std_days": self.supplier.lead_std_days,
            "multiple": self.multiple,
            "auto": {"max_value": self.auto_value},
            "unit_cost": f"{self.unit_cost:.2f}",
            "currency": "GBP",
        }
        if self.kind == "forecast":
            data.update(review_days=self.review_days, safety_stock=self.safety_stock)
        return data


def choose_policy(row: RowPlan, demand: tuple[float, float], kind: PolicyKind | None, draw: Random) -> RowPlan:
    """Complete a row from its mean demand a day and deviation; without a kind, one of the two plain ones is drawn."""
    drawn: PolicyKind = "min_max" if draw.random() < 0.5 else "reorder_point"
    chosen = revise_policy(replace(row, kind=kind or drawn, auto_value=_AUTO_VALUE[row.abc]), demand)
    return replace(chosen, opening=draw.randint(chosen.s, chosen.S))


def revise_policy(row: RowPlan, demand: tuple[float, float]) -> RowPlan:
    """The row's policy for another mean demand a day and deviation."""
    mean, deviation = demand
    lead, lead_std = row.supplier.lead_days, row.supplier.lead_std_days
    safety = ceil(_SAFETY_FACTOR[row.abc] * sqrt((lead + 1) * deviation**2 + mean**2 * lead_std**2))
    cover = _COVER_DAYS[row.abc]
    # Goods without a history start with a small stock and a small lot.
    lot = _up(max(ceil(mean * cover), 1 if mean else 6), row.case)
    s = ceil(mean * lead) + safety if mean else 3
    return replace(row, s=s, S=s + lot, lot=lot, safety_stock=safety, review_days=cover)


def _up(qty: int, multiple: int) -> int:
    return -(-qty // multiple) * multiple
