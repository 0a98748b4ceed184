"""The business figures as metrics: the sums of the whole log by location, and what is open now."""

from collections import Counter, defaultdict

from engine.bus.single import Kept
from engine.runtime.business import MEASURES
from engine.runtime.figures import figures_of
from engine.telemetry.fold import Business, Open, Sum
from tables.figures import WHOLE_LOG

DRIFT = {"drift_units": "business figure reconciliation.units"}


def _meanings() -> dict[str, str]:
    """What each sum says: the group and field of `/v1/kpis` that show it first."""
    meanings = dict(DRIFT)
    for group, measure in MEASURES.items():
        for field, name in measure.sums.items():
            meanings.setdefault(name, f"business figure {group}.{field}")
    return meanings


MEANINGS = _meanings()
"""Name of a sum -> what it says."""


def business_metrics(bus: Kept) -> Business:
    """The figures of the metrics, from the committed rows."""
    locations: dict[str, Counter[str]] = defaultdict(Counter)
    for _, (location, _), sums in figures_of(bus, WHOLE_LOG, WHOLE_LOG + 1):
        locations[location].update(sums.amounts)
    return Business(
        Open(_labelled(locations, "signals_open:"), _labelled(locations, "alerts_open:")),
        [
            Sum(name, what, {location: amounts[name] for location, amounts in locations.items()})
            for name, what in sorted(MEANINGS.items())
        ],
    )


def _labelled(locations: dict[str, Counter[str]], prefix: str) -> dict[tuple[str, str], int]:
    """Amounts by location and by what follows the prefix of a sum's name."""
    return {
        (location, name.removeprefix(prefix)): amount
        for location, amounts in locations.items()
        for name, amount in amounts.items()
        if name.startswith(prefix)
    }
