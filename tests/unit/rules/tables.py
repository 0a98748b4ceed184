"""All rules."""

from __future__ import annotations

from tests.unit.rules import (
    alerts,
    calm,
    directory,
    drifts,
    envelopes,
    figures,
    forecasts,
    kept,
    lookups,
    names,
    orders,
    signals,
    stock,
)
from tests.unit.rules.rule import AnyRule

RULES: list[AnyRule] = [
    rule
    for module in (
        stock,
        kept,
        calm,
        orders,
        signals,
        alerts,
        directory,
        lookups,
        forecasts,
        drifts,
        figures,
        names,
        envelopes,
    )
    for rule in module.TABLE
]
