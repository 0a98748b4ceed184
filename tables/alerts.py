"""The alerts of a row, by kind and discriminator; a second table finds one by its id."""

from typing import Any

from msgspec import Struct

from engine.core.outputs import AlertStatus, Severity
from tables.table import Table, Use


class AlertRow(Struct, array_like=True, gc=False):
    """The current or last alert of a kind (and discriminator) at a row."""

    id: str
    status: AlertStatus
    severity: Severity
    opened: int
    updated: int
    revision: int
    evidence: dict[str, Any]
    by: str | None = None
    note: str | None = None
    until: int | None = None
    """When an alert that states a fact resolves by age."""


ALERT = Table(b"a", "alerts", AlertRow, Use.BY_KEY | Use.IN_ORDER)
ALERT_NAME = Table(b"z", "alert names", bytes)
"""Row and id of an alert -> kind and discriminator, divided by NUL."""
