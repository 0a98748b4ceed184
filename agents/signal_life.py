"""What the agents of signals share: the life of a signal, what other systems have made of it, and its publishing.

Rows: `FollowUp` beside `SignalRow`.
"""

from typing import Literal

from msgspec import UNSET

from agents import alerts, signal_figures
from agents.reader import RowReader
from agents.turn import Site
from engine.core.outputs import ShownDraft, Signal, SignalStatus
from engine.core.values import day_of, moment
from tables import keys
from tables.signals import FOLLOW_UP, SIGNAL, Draft, FollowUp, SignalRow

Cause = Literal["accept", "reject", "order", "order placed", "draft ordered", "reopen", "cause gone", "time over"]

LIFE: dict[tuple[SignalStatus, Cause], SignalStatus] = {
    ("open", "accept"): "accepted",
    ("open", "reject"): "rejected",
    ("open", "order"): "ordered",
    ("open", "order placed"): "ordered",
    ("open", "cause gone"): "withdrawn",
    ("accepted", "reject"): "rejected",
    ("accepted", "order"): "ordered",
    ("accepted", "order placed"): "ordered",
    ("accepted", "time over"): "expired",
    ("ordered", "order"): "ordered",
    ("withdrawn", "order"): "ordered",
    ("withdrawn", "order placed"): "ordered",
    ("withdrawn", "draft ordered"): "ordered",
    ("expired", "order"): "ordered",
    ("expired", "order placed"): "ordered",
    ("expired", "draft ordered"): "ordered",
    ("rejected", "draft ordered"): "ordered",
    ("accepted", "reopen"): "open",
    ("rejected", "reopen"): "open",
}
"""(status, what happens) -> status. An absent pair changes nothing; if a person asks for it the event is rejected."""

STANDING = ("open", "accepted")
"""In these statuses a signal asks for goods; every other one is the end of it."""


EVENTS = {(True, False): "signal.closed", (False, True): "signal.opened"}
"""(whether the signal stood, whether it stands now) -> what is published of it."""


def change(site: Site, signal: SignalRow, status: SignalStatus) -> None:
    """Take a signal to its next status and publish it.

    The order of a signal that is over already (its `order.placed` came first, say) does not close it once more. One
    that was closed and is open again opens anew, so that those that stand can be counted by what is published.
    """
    event: str = EVENTS.get((signal.status in STANDING, status in STANDING), "signal.amended")
    signal.status = status
    if status == "withdrawn":
        event = "signal.withdrawn"
    if status not in STANDING:
        alerts.clear_alert(site, "push_failed")
    publish_next(site, signal, event)


def publish_next(site: Site, signal: SignalRow, event: str) -> None:
    """Publish the next revision of a signal."""
    signal.revision += 1
    signal.updated = site.turn.now
    publish(site, signal, event)


def publish(site: Site, signal: SignalRow, event: str) -> None:
    """Keep a signal as it is now and publish it."""
    known = site.turn.get(SIGNAL + site.row)
    old = known if known is not None and known.id == signal.id else None
    signal_figures.follow(site, old, signal)
    stood, stands = (one if one is not None and one.status in STANDING else None for one in (old, signal))
    signal_figures.follow_open(site, stood, stands)
    site.turn.put(SIGNAL + site.row, signal)
    site.turn.effects.append((event, signal.revision, signal_of(site.turn, site.row, signal)))


def draft_of(reader: RowReader, row: bytes, signal: SignalRow) -> Draft | None:
    """The latest draft of a signal that is there; one that was ordered is a draft no more."""
    follow_up = _follow_up_of(reader, row, signal)
    if follow_up is None or signal.status == "ordered":
        return None
    return next((draft for draft in reversed(follow_up.drafts) if draft.is_live), None)


def _follow_up_of(reader: RowReader, row: bytes, signal: SignalRow) -> FollowUp | None:
    follow_up = reader.get(FOLLOW_UP + row)
    return follow_up if follow_up is not None and follow_up.signal == signal.id else None


def snooze_of(reader: RowReader, row: bytes, signal: SignalRow) -> FollowUp | None:
    """The follow-up of a signal that is snoozed; None where it is not, or is over."""
    follow_up = _follow_up_of(reader, row, signal)
    is_snoozed = follow_up is not None and follow_up.snoozed_until is not None and signal.status in STANDING
    return follow_up if is_snoozed else None


def edit_follow_up(site: Site, signal: str) -> FollowUp:
    """The follow-up of a signal, to be changed by this turn; a new one where that of an earlier signal is kept."""
    follow_up = site.turn.edit(FOLLOW_UP + site.row, FollowUp)
    if follow_up.signal != signal:
        follow_up = FollowUp(signal)
        site.turn.put(FOLLOW_UP + site.row, follow_up)
    return follow_up


def signal_of(reader: RowReader, row: bytes, signal: SignalRow) -> Signal:
    """The signal as the contract shows it."""
    sku, location = keys.names(row)
    draft = draft_of(reader, row, signal)
    shown = Signal(
        id=signal.id,
        sku=sku,
        location=location,
        status=signal.status,
        revision=signal.revision,
        disposition=signal.disposition,
        reasons=signal.reasons,
        qty=signal.qty,
        due=day_of(signal.due),
        supplier=signal.supplier,
        opened=moment(signal.opened),
        updated=moment(signal.updated),
        explanation=signal.explanation,
        by=signal.by,
        order=signal.order,
        note=signal.note,
        draft=UNSET if draft is None else _shown(draft),
    )
    follow_up = _follow_up_of(reader, row, signal)
    if follow_up is not None:
        shown.owner = follow_up.owner or UNSET
    snoozed = snooze_of(reader, row, signal)
    if snoozed is not None and snoozed.snoozed_until is not None:
        shown.snoozed_until, shown.snoozed_by = moment(snoozed.snoozed_until), snoozed.snoozed_by or UNSET
    return shown


def _shown(draft: Draft) -> ShownDraft:
    return ShownDraft(draft.system, draft.document, draft.line, moment(draft.rank[1]))
