"""The life of an alert: it opens once, is updated while it lasts, and resolves by itself when its cause is gone.

Rows: `Alert`, one per row, kind and discriminator (an order line, a transfer, a feed).
"""

from typing import Any, cast, get_args

from msgspec.structs import replace

from agents import due
from agents.turn import Turn
from engine.core.errors import BrokenInvariant
from engine.core.events import AlertAcknowledged, AlertResolved
from engine.core.outcomes import Rejection
from engine.core.outputs import Alert, AlertKind, Severity
from engine.core.values import DAY, moment, stable_id
from tables import keys
from tables.alerts import ALERT, ALERT_NAME, AlertRow
from tables.table import Key

SEVERITY: dict[AlertKind, Severity] = {
    "balance_drift": "warning",
    "forecast_bias": "warning",
    "lead_time_drift": "warning",
    "negative_stock": "critical",
    "projected_stockout": "critical",
    "late_supply": "warning",
    "short_ack": "warning",
    "over_receipt": "warning",
    "damaged_receipt": "warning",
    "forecast_gap": "warning",
    "late_count": "info",
    "stale_feed": "critical",
    "lost_in_transit": "warning",
    "unknown_item": "info",
    "clock_jump": "critical",
}

if SEVERITY.keys() != set(get_args(AlertKind)):
    raise BrokenInvariant(f"AlertKind and SEVERITY differ in {SEVERITY.keys() ^ set(get_args(AlertKind))}")

EVERYWHERE = b"\0*"
"""How the row of a feed's alert ends: no location has this name."""

LIFE = {
    ("open", AlertAcknowledged): "acknowledged",
    ("open", AlertResolved): "resolved",
    ("acknowledged", AlertResolved): "resolved",
}
"""(status, answer) -> status; an absent pair is refused."""


def raise_alert(turn: Turn, row: bytes, kind: AlertKind, evidence: dict[str, Any], discriminator: str = "") -> None:
    """Open the alert, or update it where its evidence has changed."""
    key = keys.part(ALERT, row, kind, discriminator)
    old: AlertRow | None = turn.get(key)
    if old is None or old.status == "resolved":
        sku, location = keys.names(row)
        name = stable_id("alert", sku, location, kind, discriminator, turn.ref)
        alert = AlertRow(name, "open", SEVERITY[kind], turn.now, turn.now, 1, evidence)
        turn.put(keys.part(ALERT_NAME, row, name), keys.parts_of(key, row))
        if old is not None:
            turn.put(keys.part(ALERT_NAME, row, old.id), None)
        _tally(turn, row, 1)
        _publish(turn, row, key, alert, kind, "alert.opened")
    elif old.evidence != evidence:
        alert = replace(old)
        alert.evidence = evidence
        _publish_next(turn, row, key, alert, kind, "alert.updated")


def clear_alert(turn: Turn, row: bytes, kind: AlertKind, discriminator: str = "") -> None:
    """Resolve the alert where it is open; its evidence stays as it was last."""
    if not row.endswith(EVERYWHERE) and not turn.stock(row).alerts:
        return
    key = keys.part(ALERT, row, kind, discriminator)
    old: AlertRow | None = turn.get(key)
    if old is not None and old.status != "resolved":
        _resolve(turn, row, key, old, kind)


def _resolve(turn: Turn, row: bytes, key: Key[AlertRow], old: AlertRow, kind: AlertKind) -> None:
    alert = replace(old)
    alert.status = "resolved"
    _tally(turn, row, -1)
    _publish_next(turn, row, key, alert, kind, "alert.resolved")


def _tally(turn: Turn, row: bytes, change: int) -> None:
    """Keep the row's number of open alerts, by which most events need not look; a feed has no row."""
    if not row.endswith(EVERYWHERE):
        turn.stock(row).alerts += change


def raise_fact(turn: Turn, row: bytes, kind: AlertKind, evidence: dict[str, Any], discriminator: str) -> None:
    """Open an alert that states a fact: nothing takes it back, so it resolves by age."""
    raise_alert(turn, row, kind, evidence, discriminator)
    key = keys.part(ALERT, row, kind, discriminator)
    alert: AlertRow = turn.edit(key, AlertRow)
    old, alert.until = alert.until, turn.now + turn.rules.fact_alert_days * DAY
    due.schedule(turn, row, turn.stock(row), due.FACT, f"{kind}\0{discriminator}", old, alert.until)


def age(turn: Turn, row: bytes, name: str) -> None:
    """Resolve a fact whose time is over; `name` is its kind, NUL and its discriminator."""
    said, _, discriminator = name.partition("\0")
    kind = cast(AlertKind, said)
    alert = turn.require(keys.part(ALERT, row, kind, discriminator))
    if alert.until is not None and alert.until <= turn.now:
        clear_alert(turn, row, kind, discriminator)


def answer(turn: Turn, row: bytes) -> Rejection | None:
    """Take a person's answer to an alert: `alert.acknowledged`, `alert.resolved`."""
    data: Any = turn.data
    found = find(turn, row, data.alert)
    if found is None:
        return Rejection("unknown_alert", f"the row has no alert {data.alert}")
    key, kind, old = found
    status = LIFE.get((old.status, type(turn.event)))
    if status is None:
        return Rejection("alert_closed", f"the alert {old.id} is {old.status}")
    alert = replace(old)
    alert.status, alert.by, alert.note = status, data.by, data.note
    if status == "resolved":
        _tally(turn, row, -1)
    _publish_next(turn, row, key, alert, kind, "alert.resolved" if status == "resolved" else "alert.updated")
    return None


def find(turn: Turn, row: bytes, name: str) -> tuple[Key[AlertRow], AlertKind, AlertRow] | None:
    """The alert of a row by its id: its key, kind and row."""
    place = turn.get(keys.part(ALERT_NAME, row, name))
    if place is None:
        return None
    key = ALERT + row + keys.NUL + place
    alert = turn.require(key)
    return (key, kind_of(key, row), alert) if alert.id == name else None


def kind_of(key: bytes, row: bytes) -> AlertKind:
    """The kind of the alert that is stored under `key`."""
    return cast(AlertKind, keys.parts_of(key, row).split(keys.NUL)[0].decode())


def _publish_next(turn: Turn, row: bytes, key: Key[AlertRow], alert: AlertRow, kind: AlertKind, event: str) -> None:
    alert.revision += 1
    alert.updated = turn.now
    _publish(turn, row, key, alert, kind, event)


def _publish(turn: Turn, row: bytes, key: Key[AlertRow], alert: AlertRow, kind: AlertKind, event: str) -> None:
    turn.put(key, alert)
    turn.effects.append((event, alert.revision, alert_of(row, kind, alert)))


def alert_of(row: bytes, kind: AlertKind, alert: AlertRow) -> Alert:
    """The alert as the contract shows it."""
    sku, location = keys.names(row)
    return Alert(
        id=alert.id,
        kind=kind,
        sku=sku,
        location=location,
        severity=alert.severity,  # type: ignore[arg-type]
        status=alert.status,  # type: ignore[arg-type]
        opened=moment(alert.opened),
        updated=moment(alert.updated),
        evidence=alert.evidence,
        by=alert.by,
        note=alert.note,
    )
