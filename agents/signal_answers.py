"""What people and other systems say of a signal: answers, drafts of its order, and orders that could not be pushed.

Rows: `SignalRow`, `FollowUp`. Drafts, their ends and failed pushes may come in any order: of what is said of one
document the latest `time` counts, and so does the latest of all that is said of pushes.
"""

from msgspec.structs import replace

from agents import alerts, due, signal_figures
from agents.explain import proposed_qty, with_notes
from agents.signal_life import LIFE, STANDING, Cause, change, draft_of, edit_follow_up, publish_next, snooze_of
from agents.turn import Site
from engine.core.events import SignalAccepted, SignalDrafted, SignalOrdered, SignalRejected
from engine.core.outcomes import Rejection
from engine.core.outputs import SignalStatus
from engine.core.payloads import (
    SignalAnswerData,
    SignalAssignedData,
    SignalDraftData,
    SignalPushFailedData,
    SignalReopenedData,
    SignalSnoozedData,
)
from engine.core.values import DAY, HOUR, instant
from tables.keys import Rank
from tables.signals import SIGNAL, Draft, SignalRow

ANSWERS: dict[type, Cause] = {SignalAccepted: "accept", SignalRejected: "reject", SignalOrdered: "order"}

MOST_DRAFTS = 10
"""So many documents are remembered of a signal, those of which something was said last."""


def answer(site: Site, data: SignalAnswerData) -> Rejection | None:
    """Take the answer to a signal: `signal.accepted`, `signal.rejected`, `signal.ordered`."""
    turn = site.turn
    old = _named(site, data.signal)
    if isinstance(old, Rejection):
        return old
    status = LIFE.get((old.status, _cause(site, old)))
    if status is None:
        return Rejection("signal_closed", f"the signal {old.id} is {old.status}")
    signal = replace(old, by=data.by, note=data.reason, order=data.order or old.order)
    signal.line = str(data.line) if data.line is not None else old.line
    if data.qty is not None:
        signal.qty = data.qty
        signal.explanation = with_notes(old.explanation, site.plan.policy, data.qty)
    if status == "ordered" != old.status:
        signal_figures.align(site, signal, signal.qty)
    signal.until = turn.now + _hold(site, status)
    site.stock.signal_open = True
    site.wake(signal.until)
    change(site, signal, status)
    return None


def reopen(site: Site, data: SignalReopenedData) -> Rejection | None:
    """`signal.reopened`: the signal is open again and proposes what the engine proposed, then follows its row."""
    old = _named(site, data.signal)
    if isinstance(old, Rejection):
        return old
    status = LIFE.get((old.status, "reopen"))
    if status is None:
        return Rejection("signal_closed", f"the signal {old.id} is {old.status}")
    signal = replace(old, by=data.by, note=data.reason, order=None, line=None, until=None)
    signal.qty = proposed_qty(old.explanation) or old.qty
    signal.explanation = with_notes(old.explanation, None, signal.qty)
    site.stock.signal_open = True
    change(site, signal, status)
    return None


def snooze(site: Site, data: SignalSnoozedData) -> Rejection | None:
    """`signal.snoozed`: the signal is shown as snoozed until then, or until it asks for more; nothing else changes."""
    old = _standing(site, data.signal)
    if isinstance(old, Rejection):
        return old
    until, now = instant(data.until), site.turn.now
    follow_up = edit_follow_up(site, old.id)
    follow_up.snoozed_by, follow_up.snoozed_qty = data.by, old.qty
    follow_up.snoozed_until = until if until > now else None
    if until > now:
        due.schedule(site, due.SIGNAL_SNOOZE, old.id, None, until)
    publish_next(site, replace(old, note=data.note or old.note), "signal.amended")
    return None


def assign(site: Site, data: SignalAssignedData) -> Rejection | None:
    """`signal.assigned`: somebody owns the signal; the last to be named does. Nothing else changes."""
    old = _standing(site, data.signal)
    if isinstance(old, Rejection):
        return old
    edit_follow_up(site, old.id).owner = data.to
    publish_next(site, replace(old, note=data.note or old.note), "signal.amended")
    return None


def wake(site: Site, name: str) -> None:
    """End the snooze of a signal if its time is over; `name` is the signal's id."""
    signal = site.turn.get(SIGNAL + site.row)
    snoozed = None if signal is None else snooze_of(site.turn, site.row, signal)
    if signal is None or snoozed is None or signal.id != name or (snoozed.snoozed_until or 0) > site.turn.now:
        return
    edit_follow_up(site, name).snoozed_until = None
    publish_next(site, replace(signal), "signal.amended")


def _named(site: Site, name: str) -> SignalRow | Rejection:
    """The signal of the row, which an event names."""
    signal = site.turn.get(SIGNAL + site.row)
    if signal is not None and signal.id == name:
        return signal
    return Rejection("unknown_signal", f"the row's current signal is {signal.id if signal else 'none'}, not {name}")


def _standing(site: Site, name: str) -> SignalRow | Rejection:
    """The signal of the row, which an event names, as long as it is open or accepted."""
    signal = _named(site, name)
    if isinstance(signal, SignalRow) and signal.status not in STANDING:
        return Rejection("signal_closed", f"the signal {signal.id} is {signal.status}")
    return signal


def _cause(site: Site, signal: SignalRow) -> Cause:
    """What an answer does to a signal. A rejected one may be ordered only if its draft was there already."""
    cause = ANSWERS[type(site.turn.event)]
    is_draft = cause == "order" and signal.status == "rejected" and draft_of(site.turn, site.row, signal) is not None
    return "draft ordered" if is_draft else cause


def _hold(site: Site, status: SignalStatus) -> int:
    """How long an answer counts, in microseconds."""
    rules = site.turn.rules
    if status == "ordered":
        return rules.ordered_grace_hours * HOUR
    return (rules.accepted_signal_days if status == "accepted" else rules.rejected_signal_days) * DAY


# drafts and pushes ----------------------------------------------------------------------------------------------------


def draft(site: Site, data: SignalDraftData) -> Rejection | None:
    """`signal.drafted`, `signal.draft_gone`: a draft holds back the next signal until it is ordered or gone."""
    old = _named(site, data.signal)
    if isinstance(old, Rejection):
        return old
    before = draft_of(site.turn, site.row, old)
    said = Draft(
        data.system,
        data.document,
        None if data.line is None else str(data.line),
        _rank(site),
        type(site.turn.event) is SignalDrafted,
    )
    follow_up = edit_follow_up(site, old.id)
    follow_up.drafts = _with(follow_up.drafts, said)
    if _is_latest_push(site, old):
        alerts.clear_alert(site, "push_failed")
    now = draft_of(site.turn, site.row, old)
    if now != before:
        signal = replace(old)
        if now is None:
            site.stock.signal_open = True  # So that what follows looks at the row, which may need a signal at once.
        if now is None and signal.status == "accepted":
            signal.until = site.turn.now + _hold(site, "accepted")
            site.wake(signal.until)
        publish_next(site, signal, "signal.amended")
    return None


def _with(drafts: list[Draft], said: Draft) -> list[Draft]:
    """The drafts of a signal, with what is said of one of them; of one document only the latest is kept."""
    place = (said.system, said.document)
    same = next((known for known in drafts if (known.system, known.document) == place), said)
    others = [known for known in drafts if known is not same]
    return sorted([*others, max(same, said, key=_rank_of)], key=_rank_of)[-MOST_DRAFTS:]


def _rank_of(draft: Draft) -> Rank:
    return draft.rank


def push_failed(site: Site, data: SignalPushFailedData) -> Rejection | None:
    """`signal.push_failed`: nobody orders the goods, or a draft stands that should not; an alert says so."""
    signal = _named(site, data.signal)
    if isinstance(signal, Rejection):
        return signal
    matters = signal.status in STANDING or draft_of(site.turn, site.row, signal) is not None
    if _is_latest_push(site, signal) and matters:
        evidence = {
            "signal": data.signal, "system": data.system, "attempts": data.attempts, "detail": data.detail,
            "events": [site.turn.ref],
        }  # fmt: skip
        alerts.raise_alert(site, "push_failed", evidence)
    return None


def _is_latest_push(site: Site, signal: SignalRow) -> bool:
    """Whether nothing later was said of the pushes of a signal; then this is the latest from now on."""
    follow_up, rank = edit_follow_up(site, signal.id), _rank(site)
    if follow_up.pushed is not None and follow_up.pushed > rank:
        return False
    follow_up.pushed = rank
    return True


def _rank(site: Site) -> Rank:
    return 0, site.turn.at, site.turn.identity
