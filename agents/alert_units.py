"""How many units an alert is about, as its evidence says."""

from collections.abc import Mapping
from typing import Any

from engine.core.outputs import AlertKind

FIGURES: Mapping[AlertKind, str] = {
    "ack_overdue": "ordered",
    "asn_overdue": "open",
    "balance_drift": "difference",
    "damaged_receipt": "damaged",
    "late_supply": "open",
    "lost_in_transit": "missing",
    "negative_stock": "lowest",
    "projected_stockout": "lowest",
    "short_ack": "missing",
}
"""The figure of the evidence that is a quantity of the item; alerts of other kinds are about no quantity."""


def units_of(kind: AlertKind, evidence: Mapping[str, Any]) -> int | None:
    """The units of the item that an alert is about, in base units, without a sign.

    Args:
        kind: the kind of the alert.
        evidence: its evidence.

    Returns:
        None where the kind has no quantity, or the evidence, of an earlier version, lacks it.
    """
    try:
        if kind == "over_receipt":
            most = max(int(evidence[name]) for name in ("received", "shipped", "acknowledged"))
            return most - int(evidence["ordered"])
        name = FIGURES.get(kind)
        return None if name is None else abs(int(evidence[name]))
    except (KeyError, TypeError, ValueError):
        return None
