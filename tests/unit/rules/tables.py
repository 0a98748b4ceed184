"""All rules."""

from __future__ import annotations

from tests.unit.rules import (
    alerts,
    allotments,
    calm,
    causes,
    corrections,
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
        corrections,
        signals,
        alerts,
        directory,
        lookups,
        forecasts,
        drifts,
        causes,
        figures,
        names,
        envelopes,
        allotments,
    )
    for rule in module.TABLE
]
