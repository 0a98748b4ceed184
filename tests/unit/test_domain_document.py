"""docs/domain.md says what the engine computes: its worked orders, its constants, its causes of drift."""

from __future__ import annotations

import re

import pytest

from agents import drift_causes
from engine.core import policy
from engine.core.rules import Rules
from tests.unit.documents import rows, section, text_of

TEXT = text_of("domain.md")
FORMULAS = section(TEXT, "Formulas")
RULES = Rules()

ORDERS = [row for row in rows(FORMULAS) if len(row) == 6]


@pytest.mark.parametrize("row", ORDERS, ids=lambda row: "-".join(row[:5]))
def test_a_worked_order_is_what_the_engine_orders(row: list[str]) -> None:
    position, s, target, moq, multiple = map(int, row[:5])
    order = policy.constrained(target - position if position <= s else 0, moq=moq, multiple=multiple)
    assert str(order.qty) == re.split(r"\D", row[5])[0]
    assert order.binding is None or "`" not in row[5] or f"`{order.binding}`" in row[5]


def test_the_worked_safety_stock_is_what_the_engine_keeps() -> None:
    deviation, safety = policy.lead_time_deviation(100, 20, 9, 2), policy.safety_stock(0.95, 100, 20, 9, 2)
    steady = policy.safety_stock(0.95, 100, 20, 9, 0)
    for figure in (f"{deviation:.1f}", f"{safety:.1f}", f"{100 * 9 + safety:,.1f}", f"{steady:.1f}"):
        assert figure in FORMULAS


def test_every_cause_of_a_drift_is_told() -> None:
    told = [cause.strip("`") for cause, *_ in rows(section(TEXT, "Drift"))]
    assert sorted(told) == sorted([*drift_causes.SCORES, "unknown"])


@pytest.mark.parametrize(
    "sentence",
    [
        f"else {RULES.default_lead_time_days} days",
        f"beyond {RULES.tracking_limit}, from {RULES.tracking_points} closed buckets on",
        f"beyond {RULES.lead_time_drift_days} days",
        f"for {RULES.negative_grace_hours} hours a proposal is for review",
        f"no signal for {RULES.unknown_stock_grace_hours} hours",
        f"Within {RULES.dead_band_percent} % and a day",
        f"waits {RULES.ordered_grace_hours} hours for `order.placed`",
        f"within {RULES.cut_off_minutes} minutes",
        f"from {RULES.lead_time_samples} samples on",
    ],
)
def test_the_limits_that_are_told_are_those_of_the_rules(sentence: str) -> None:
    assert sentence in " ".join(TEXT.split())
