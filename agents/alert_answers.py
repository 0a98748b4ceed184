"""What people say of an alert beside its life: who owns it, and until when nobody need look at it."""

from msgspec.structs import replace

from agents import due
from agents.alert_care import care_of, edit_care, figure_of
from agents.alerts import Subject, find, kind_of, publish_next
from agents.turn import Site
from engine.core.outcomes import Rejection
from engine.core.payloads import AlertAnswerData, AlertAssignedData, AlertSnoozedData
from engine.core.values import instant
from tables import keys
from tables.alerts import ALERT, AlertRow
from tables.table import Key
from tables.wakes import wake_key


def assign(subject: Subject, data: AlertAssignedData) -> Rejection | None:
    """`alert.assigned`: somebody owns the alert; the last to be named does."""
    found = _standing(subject, data)
    if isinstance(found, Rejection):
        return found
    key, old = found
    edit_care(subject.turn, key, old).owner = data.to
    publish_next(subject, key, replace(old, note=data.note or old.note), "alert.updated")
    return None


def snooze(subject: Subject, data: AlertSnoozedData) -> Rejection | None:
    """`alert.snoozed`: the alert is shown as snoozed until then, or until its figure grows."""
    found = _standing(subject, data)
    if isinstance(found, Rejection):
        return found
    (key, old), turn, until = found, subject.turn, instant(data.until)
    care = edit_care(turn, key, old)
    care.snoozed_by, care.figure = data.by, figure_of(kind_of(key, subject.row), old.evidence)
    care.snoozed_until = until if until > turn.now else None
    if until > turn.now:
        _wake_at(subject, key, until)
    publish_next(subject, key, replace(old, note=data.note or old.note), "alert.updated")
    return None


def _standing(subject: Subject, data: AlertAnswerData) -> tuple[Key[AlertRow], AlertRow] | Rejection:
    """The alert that an event names, with its key; a rejection where it is not there, or resolved."""
    found = find(subject.turn, subject.row, data.alert)
    if found is None:
        return Rejection("unknown_alert", f"the row has no alert {data.alert}")
    if found[1].status == "resolved":
        return Rejection("alert_closed", f"the alert {data.alert} is resolved")
    return found


def _wake_at(subject: Subject, key: Key[AlertRow], until: int) -> None:
    """Ask for a look at the alert under `key` when its snooze is over."""
    if isinstance(subject, Site):
        due.schedule(subject, due.ALERT_SNOOZE, keys.parts_of(key, subject.row).decode(), None, until)
    else:
        subject.turn.put(wake_key(subject.turn.partition, until, subject.row), b"")


def wake(subject: Subject, name: str) -> None:
    """End the snooze of an alert if its time is over; `name` is the alert's kind, NUL and its discriminator."""
    turn, key = subject.turn, keys.part(ALERT, subject.row, name)
    alert = turn.get(key)
    care = None if alert is None else care_of(turn, key, alert)
    if alert is None or care is None or care.snoozed_until is None or care.snoozed_until > turn.now:
        return
    edit_care(turn, key, alert).snoozed_until = None
    if alert.status != "resolved":
        publish_next(subject, key, replace(alert), "alert.updated")
