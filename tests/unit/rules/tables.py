"""All rules."""

from __future__ import annotations

from tests.unit.rules import alerts, directory, drifts, envelopes, figures, forecasts, names, orders, signals, stock
from tests.unit.rules.rule import AnyRule

RULES: list[AnyRule] = [
    rule
    for module in (stock, orders, signals, alerts, directory, forecasts, drifts, figures, names, envelopes)
    for rule in module.TABLE
]
