"""The alerts of a row, by kind and discriminator; other tables find one by its id, and say who cares for it."""

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
    counted: bool = False
    """Whether the business figures count it as open; those of the version before are not."""


class Care(Struct, array_like=True, gc=False):
    """Who owns an alert, and until when it is snoozed. It lies beside the alert, as most alerts have none."""

    alert: str = ""
    """The alert that it is of; that of an earlier one of the same kind counts no more."""
    owner: str | None = None
    snoozed_until: int | None = None
    snoozed_by: str | None = None
    figure: str | None = None
    """The figure that says how bad the alert was when it was snoozed."""


ALERT = Table(b"a", "alerts", AlertRow, Use.BY_KEY | Use.IN_ORDER)
ALERT_NAME = Table(b"z", "alert names", bytes)
"""Row and id of an alert -> kind and discriminator, divided by NUL."""
CARE = Table(b"c", "care of alerts", Care)
"""Under the key of the alert, but for the tag."""
