"""All rules."""

from __future__ import annotations

from tests.unit.rules import (
    alerts,
    allotments,
    calm,
    care,
    causes,
    corrections,
    directory,
    drafts,
    drifts,
    envelopes,
    figures,
    forecasts,
    kept,
    lookups,
    names,
    orders,
    signals,
    silence,
    stock,
)
from tests.unit.rules.rule import AnyRule

RULES: list[AnyRule] = [
    rule
    for module in (
        stock,
        kept,
        calm,
        care,
        orders,
        corrections,
        silence,
        signals,
        alerts,
        drafts,
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
