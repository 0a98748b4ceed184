"""Who cares for an alert: its owner, and until when it is snoozed.

Rows: `Care` beside `AlertRow`.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import UNSET

from agents.reader import RowReader
from agents.turn import Turn
from engine.core.outputs import Alert, AlertKind
from engine.core.values import moment
from tables.alerts import CARE, AlertRow, Care
from tables.table import Key

FIGURES: Mapping[AlertKind, str] = {
    "balance_drift": "difference",
    "forecast_bias": "tracking_signal",
    "forecast_gap": "waiting",
    "late_supply": "open",
    "lead_time_drift": "deviation_days",
    "lost_in_transit": "missing",
    "negative_stock": "lowest",
    "over_receipt": "received",
    "projected_stockout": "lowest",
    "push_failed": "attempts",
    "short_ack": "missing",
}
"""The figure of the evidence that says how bad an alert is, by its size; the others do not change."""


def care_of(reader: RowReader, key: Key[AlertRow], alert: AlertRow) -> Care | None:
    """Who cares for the alert under `key`; None where nobody does."""
    care = reader.get(CARE + key[1:])
    return care if care is not None and care.alert == alert.id else None


def edit_care(turn: Turn, key: Key[AlertRow], alert: AlertRow) -> Care:
    """The care of the alert under `key`, to be changed by this turn; a new one where that of an earlier one is kept."""
    care = turn.edit(CARE + key[1:], Care)
    if care.alert != alert.id:
        care = Care(alert.id)
        turn.put(CARE + key[1:], care)
    return care


def figure_of(kind: AlertKind, evidence: Mapping[str, Any]) -> str | None:
    """The figure that says how bad an alert is; None where its kind has none."""
    name = FIGURES.get(kind)
    return None if name is None else str(evidence[name])


def end_snooze_if_worse(turn: Turn, key: Key[AlertRow], kind: AlertKind, alert: AlertRow) -> None:
    """End the snooze of an alert whose figure is larger by more than the dead band than when it was snoozed."""
    care = care_of(turn, key, alert)
    if care is None or care.snoozed_until is None or care.figure is None:
        return
    before, now = abs(Decimal(care.figure)), abs(Decimal(figure_of(kind, alert.evidence) or 0))
    if (now - before) * 100 > turn.rules.dead_band_percent * before:
        edit_care(turn, key, alert).snoozed_until = None


def show(care: Care | None, shown: Alert) -> Alert:
    """Say of a published alert who owns it, and until when it is snoozed; one that is resolved is not."""
    if care is not None:
        shown.owner = care.owner or UNSET
        if care.snoozed_until is not None and shown.status != "resolved":
            shown.snoozed_until, shown.snoozed_by = moment(care.snoozed_until), care.snoozed_by or UNSET
    return shown
