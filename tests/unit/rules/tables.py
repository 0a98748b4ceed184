"""All rules."""

from __future__ import annotations

from tests.unit.rules import alerts, calm, directory, drifts, figures, forecasts, kept, lookups, orders, signals, stock
from tests.unit.rules.rule import AnyRule

RULES: list[AnyRule] = [
    rule
    for module in (stock, kept, calm, orders, signals, alerts, directory, lookups, forecasts, drifts, figures)
    for rule in module.TABLE
]
