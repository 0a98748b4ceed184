"""The life of an alert: it opens once, is updated while it lasts, and resolves by itself when its cause is gone.

Rows: `Alert`, one per row, kind and discriminator (an order line, a transfer, a feed).
"""

from typing import Any, Literal, Protocol, cast

from msgspec.structs import replace

from agents import due, figures
from agents.alert_care import care_of, end_snooze_if_worse, show
from agents.reader import RowReader
from agents.turn import Site, Turn
from engine.core.events import AlertAcknowledged, AlertReopened, AlertResolved
from engine.core.outcomes import Rejection
from engine.core.outputs import SEVERITY, Alert, AlertKind, AlertStatus
from engine.core.payloads import AlertAnswerData
from engine.core.values import DAY, moment, stable_id
from tables import keys
from tables.alerts import ALERT, ALERT_NAME, AlertRow
from tables.table import Key

Cause = Literal["acknowledge", "resolve", "reopen", "cause gone"]

LIFE: dict[tuple[AlertStatus, Cause], AlertStatus] = {
    ("open", "acknowledge"): "acknowledged",
    ("open", "resolve"): "resolved",
    ("open", "cause gone"): "resolved",
    ("acknowledged", "reopen"): "open",
    ("acknowledged", "resolve"): "resolved",
    ("acknowledged", "cause gone"): "resolved",
}
"""(status, what happens) -> status. An absent pair changes nothing; if a person asks for it the event is rejected."""

ANSWERS: dict[type, Cause] = {AlertAcknowledged: "acknowledge", AlertResolved: "resolve", AlertReopened: "reopen"}


class Subject(Protocol):
    """What an alert is about: a row (`agents.turn.Site`) or a feed."""

    @property
    def turn(self) -> Turn:
        """The event's turn."""

    @property
    def row(self) -> bytes:
        """The name of the row; that of a feed stands where the sku does."""

    @property
    def has_alerts(self) -> bool:
        """Whether an alert of the subject may be open; False saves the look-up."""

    def count_alert(self, change: int) -> None:
        """Note that an alert has opened (1) or is resolved (-1)."""


def raise_alert(subject: Subject, kind: AlertKind, evidence: dict[str, Any], discriminator: str = "") -> None:
    """Open the alert, or update it where its evidence has changed.

    Args:
        subject: the row or feed that the alert is about.
        kind: the kind of the alert.
        evidence: what the alert says, JSON-ready.
        discriminator: tells alerts of one kind and row apart: the name of an order line, a transfer, an event.
    """
    turn, row = subject.turn, subject.row
    key = keys.part(ALERT, row, kind, discriminator)
    old = turn.get(key)
    if old is None or old.status == "resolved":
        sku, location = keys.names(row)
        name = stable_id("alert", sku, location, kind, discriminator, turn.ref)
        alert = AlertRow(name, "open", SEVERITY[kind], turn.now, turn.now, 1, evidence)
        turn.put(keys.part(ALERT_NAME, row, name), keys.parts_of(key, row))
        if old is not None:
            turn.put(keys.part(ALERT_NAME, row, old.id), None)
        subject.count_alert(1)
        _publish(subject, key, alert, "alert.opened")
    elif old.evidence != evidence:
        alert = replace(old)
        alert.evidence = evidence
        end_snooze_if_worse(turn, key, kind, alert)
        publish_next(subject, key, alert, "alert.updated")


def clear_alert(subject: Subject, kind: AlertKind, discriminator: str = "") -> None:
    """Resolve the alert where it is open; its evidence stays as it was last."""
    if not subject.has_alerts:
        return
    key = keys.part(ALERT, subject.row, kind, discriminator)
    old = subject.turn.get(key)
    status = None if old is None else LIFE.get((old.status, "cause gone"))
    if old is not None and status is not None:
        _change(subject, key, replace(old), status)


def raise_fact(site: Site, kind: AlertKind, evidence: dict[str, Any], discriminator: str) -> None:
    """Open an alert that states a fact. Nothing takes a fact back, so the alert resolves by age."""
    raise_alert(site, kind, evidence, discriminator)
    turn = site.turn
    alert = turn.edit(keys.part(ALERT, site.row, kind, discriminator), AlertRow)
    old, alert.until = alert.until, turn.now + turn.rules.fact_alert_days * DAY
    due.schedule(site, due.FACT, f"{kind}\0{discriminator}", old, alert.until)


def age(site: Site, name: str) -> None:
    """Resolve a fact whose time is over; `name` is its kind, NUL and its discriminator."""
    said, _, discriminator = name.partition("\0")
    kind = cast(AlertKind, said)
    alert = site.turn.require(keys.part(ALERT, site.row, kind, discriminator))
    if alert.until is not None and alert.until <= site.turn.now:
        clear_alert(site, kind, discriminator)


def answer(subject: Subject, data: AlertAnswerData) -> Rejection | None:
    """Take a person's answer to an alert: `alert.acknowledged`, `alert.resolved`, `alert.reopened`."""
    turn = subject.turn
    found = find(turn, subject.row, data.alert)
    if found is None:
        return Rejection("unknown_alert", f"the row has no alert {data.alert}")
    key, old = found
    status = LIFE.get((old.status, ANSWERS[type(turn.event)]))
    if status is None:
        return Rejection("alert_closed", f"the alert {old.id} is {old.status}")
    _change(subject, key, replace(old, by=data.by, note=data.note), status)
    return None


def find(turn: Turn, row: bytes, name: str) -> tuple[Key[AlertRow], AlertRow] | None:
    """The alert of a row by its id, with its key; None where the row has no such alert."""
    tail = turn.get(keys.part(ALERT_NAME, row, name))
    if tail is None:
        return None
    key = ALERT + row + keys.NUL + tail
    alert = turn.require(key)
    return (key, alert) if alert.id == name else None


def kind_of(key: bytes, row: bytes) -> AlertKind:
    """The kind of the alert that is stored under `key`."""
    return cast(AlertKind, keys.parts_of(key, row).split(keys.NUL)[0].decode())


def _change(subject: Subject, key: Key[AlertRow], alert: AlertRow, status: AlertStatus) -> None:
    """Take an alert to its next status and publish it."""
    alert.status = status
    if status == "resolved":
        subject.count_alert(-1)
    publish_next(subject, key, alert, "alert.resolved" if status == "resolved" else "alert.updated")


def publish_next(subject: Subject, key: Key[AlertRow], alert: AlertRow, event: str) -> None:
    """Keep and publish the next revision of the alert under `key`."""
    alert.revision += 1
    alert.updated = subject.turn.now
    _publish(subject, key, alert, event)


def _publish(subject: Subject, key: Key[AlertRow], alert: AlertRow, event: str) -> None:
    turn, old = subject.turn, subject.turn.get(key)
    name = keys.names(subject.row)[1], kind_of(key, subject.row)
    figures.follow_alert(turn, name, None if event == "alert.opened" else old, alert)
    turn.put(key, alert)
    shown = alert_of(subject.turn, subject.row, key, alert)
    subject.turn.effects.append((event, alert.revision, shown))


def alert_of(reader: RowReader, row: bytes, key: Key[AlertRow], alert: AlertRow) -> Alert:
    """The alert of a row under `key` as the contract shows it."""
    sku, location = keys.names(row)
    shown = Alert(
        id=alert.id,
        kind=kind_of(key, row),
        sku=sku,
        location=location,
        severity=alert.severity,
        status=alert.status,
        opened=moment(alert.opened),
        updated=moment(alert.updated),
        evidence=alert.evidence,
        by=alert.by,
        note=alert.note,
    )
    return show(care_of(reader, key, alert), shown)
