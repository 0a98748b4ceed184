"""All rules."""

from __future__ import annotations

from tests.unit.rules import alerts, allotments, causes, directory, drifts, figures, forecasts, orders, signals, stock
from tests.unit.rules.rule import AnyRule

RULES: list[AnyRule] = [
    rule
    for module in (stock, orders, signals, alerts, directory, forecasts, drifts, causes, figures, allotments)
    for rule in module.TABLE
]
