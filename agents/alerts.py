"""The life of an alert: it opens once, is updated while it lasts, and resolves by itself when its cause is gone.

Rows: `Alert`, one per row, kind and discriminator (an order line, a transfer, a feed).
"""

from typing import Any

from msgspec.structs import replace

from agents.turn import Turn
from engine.core.events import AlertAcknowledged, AlertResolved
from engine.core.outcomes import Rejected
from engine.core.outputs import Alert
from engine.core.values import DAY, moment, stable_id
from tables import keys
from tables.rows import AlertRow

SEVERITY = {
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

EVERYWHERE = b"\0*"
"""How the row of a feed's alert ends: no location has this name."""

LIFE = {
    ("open", AlertAcknowledged): "acknowledged",
    ("open", AlertResolved): "resolved",
    ("acknowledged", AlertResolved): "resolved",
}
"""(status, answer) -> status; an absent pair is refused."""


def raise_alert(turn: Turn, row: bytes, kind: str, evidence: dict[str, Any], discriminator: str = "") -> None:
    """Open the alert, or update it where its evidence has changed."""
    key = keys.part(keys.ALERT, row, kind, discriminator)
    old: AlertRow | None = turn.get(key)
    if old is None or old.status == "resolved":
        sku, location = keys.names(row)
        name = stable_id("alert", sku, location, kind, discriminator, turn.ref)
        alert = AlertRow(name, "open", SEVERITY[kind], turn.now, turn.now, 1, evidence)
        _tally(turn, row, 1)
        _publish(turn, row, key, alert, kind, "alert.opened")
    elif old.evidence != evidence:
        alert = replace(old)
        alert.evidence = evidence
        _publish_next(turn, row, key, alert, kind, "alert.updated")


def clear_alert(turn: Turn, row: bytes, kind: str, discriminator: str = "") -> None:
    """Resolve the alert where it is open; its evidence stays as it was last."""
    if not row.endswith(EVERYWHERE) and not turn.stock(row).alerts:
        return
    key = keys.part(keys.ALERT, row, kind, discriminator)
    old: AlertRow | None = turn.get(key)
    if old is not None and old.status != "resolved":
        _resolve(turn, row, key, old, kind)


def _resolve(turn: Turn, row: bytes, key: bytes, old: AlertRow, kind: str) -> None:
    alert = replace(old)
    alert.status = "resolved"
    _tally(turn, row, -1)
    _publish_next(turn, row, key, alert, kind, "alert.resolved")


def _tally(turn: Turn, row: bytes, change: int) -> None:
    """Keep the row's number of open alerts, by which most events need not look; a feed has no row."""
    if not row.endswith(EVERYWHERE):
        turn.stock(row).alerts += change


def raise_fact(turn: Turn, row: bytes, kind: str, evidence: dict[str, Any], discriminator: str) -> None:
    """Open an alert that states a fact: nothing takes it back, so it ages out."""
    raise_alert(turn, row, kind, evidence, discriminator)
    until = turn.now + turn.rules.fact_alert_days * DAY
    documents = replace(turn.documents(row))
    others = tuple(fact for fact in documents.facts if fact[:2] != (kind, discriminator))
    documents.facts = (*others, (kind, discriminator, until))
    turn.put(keys.DOCUMENTS + row, documents)
    turn.wake(turn.stock(row), until)


def age_facts(turn: Turn, row: bytes) -> None:
    """Resolve the facts whose time is over, and ask to be woken for the next."""
    documents = turn.documents(row)
    if not documents.facts:
        return
    due = [fact for fact in documents.facts if fact[2] <= turn.now]
    for kind, discriminator, _ in due:
        clear_alert(turn, row, kind, discriminator)
    left = tuple(fact for fact in documents.facts if fact[2] > turn.now)
    if due:
        documents = replace(documents)
        documents.facts = left
        turn.put(keys.DOCUMENTS + row, documents)
    if left:
        turn.wake(turn.stock(row), min(fact[2] for fact in left))


def answer(turn: Turn, row: bytes) -> Rejected | None:
    """Take a person's answer to an alert: `alert.acknowledged`, `alert.resolved`."""
    data: Any = turn.data
    found = find(turn, row, data.alert)
    if found is None:
        return Rejected("unknown_alert", f"the row has no alert {data.alert}")
    key, kind, old = found
    status = LIFE.get((old.status, type(turn.event)))
    if status is None:
        return Rejected("alert_closed", f"the alert {old.id} is {old.status}")
    alert = replace(old)
    alert.status, alert.by, alert.note = status, data.by, data.note
    if status == "resolved":
        _tally(turn, row, -1)
    _publish_next(turn, row, key, alert, kind, "alert.resolved" if status == "resolved" else "alert.updated")
    return None


def find(turn: Turn, row: bytes, name: str) -> tuple[bytes, str, AlertRow] | None:
    """The alert of a row by its id: its key, kind and row."""
    for key, alert in turn.space.rows_of(keys.ALERT, row):
        if alert.id == name:
            return key, kind_of(key, row), alert
    return None


def kind_of(key: bytes, row: bytes) -> str:
    """The kind of the alert that is stored under `key`."""
    return key[len(row) + 2 :].split(keys.NUL)[0].decode()


def _publish_next(turn: Turn, row: bytes, key: bytes, alert: AlertRow, kind: str, event: str) -> None:
    alert.revision += 1
    alert.updated = turn.now
    _publish(turn, row, key, alert, kind, event)


def _publish(turn: Turn, row: bytes, key: bytes, alert: AlertRow, kind: str, event: str) -> None:
    turn.put(key, alert)
    turn.effects.append((event, alert.revision, alert_of(row, kind, alert)))


def alert_of(row: bytes, kind: str, alert: AlertRow) -> Alert:
    """The alert as the contract shows it."""
    sku, location = keys.names(row)
    return Alert(
        id=alert.id,
        kind=kind,  # type: ignore[arg-type]
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
