"""The life of a replenishment signal: position against policy, one open signal a row.

Rows: `SignalRow`. A signal opens when the position falls to the trigger. It is amended only when its quantity moves by
more than the dead band, withdrawn when its cause is gone, and stands once a planner has accepted it.
"""

from itertools import islice
from typing import Literal

from msgspec.structs import replace

from agents.explain import explain, with_notes
from agents.need import Need, need_of
from agents.proposal import Proposal, propose
from agents.purchasing import order_known
from agents.turn import Site
from engine.core.events import SignalAccepted, SignalOrdered, SignalRejected
from engine.core.outcomes import Rejection
from engine.core.outputs import Signal, SignalStatus
from engine.core.payloads import OrderPlacedData, SignalAnswerData
from engine.core.values import DAY, HOUR, day_of, moment, stable_id
from tables import keys
from tables.signals import SIGNAL, SignalRow

Cause = Literal["accept", "reject", "order", "order placed", "cause gone", "time over"]

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
    ("expired", "order"): "ordered",
}
"""(status, what happens) -> status. An absent pair changes nothing; if a person asks for it the event is rejected."""

ANSWERS: dict[type, Cause] = {SignalAccepted: "accept", SignalRejected: "reject", SignalOrdered: "order"}

STANDING = ("open", "accepted")
"""In these statuses a signal asks for goods; every other one is the end of it."""
KEPT_EVENTS = 20
"""An explanation names at most so many events."""


def evaluate(site: Site) -> None:
    """Bring the row's signal in line with its position. Called only if the cheap test of `agents.pipeline` passed."""
    stock, need = site.stock, need_of(site)
    signal = site.turn.get(SIGNAL + site.row)
    stock.reorder_at = None if need is None else need.ceiling
    if need is not None and (stock.position > need.s or not need.quantity.qty):
        need = None
    if signal is not None and signal.status in STANDING:
        _follow(site, signal, need)
    elif need is None:
        stock.signal_open = False
    elif not _awaits_stock(site) and not _held_back(site, signal, need):
        _open(site, need, propose(site, need, site.turn.now))


def _follow(site: Site, signal: SignalRow, need: Need | None) -> None:
    """Bring a standing signal in line with what the row needs now; None where it needs nothing."""
    if signal.status == "open":
        if need is None:
            _close(site, signal, "cause gone")
        else:
            _amend(site, signal, need, propose(site, need, signal.opened))
    elif signal.until is not None and signal.until <= site.turn.now:
        _close(site, signal, "time over")
    elif signal.until is not None:
        site.wake(signal.until)


def _awaits_stock(site: Site) -> bool:
    """Whether nothing has stated the row's stock yet, but still may: a catalogue is loaded before its counts."""
    stock, now = site.stock, site.turn.now
    if stock.stock_known:
        return False
    if stock.checked_at is None:
        stock.checked_at = now
    until = stock.checked_at + site.turn.rules.unknown_stock_grace_hours * HOUR
    if until > now:
        site.wake(until)
    return until > now


def _held_back(site: Site, last: SignalRow | None, need: Need) -> bool:
    """Whether the answer to the last signal still speaks against a new one.

    An order that is announced but not yet known would be bought twice; a rejected proposal is not made again while it
    says the same.
    """
    if last is None or last.until is None or last.until <= site.turn.now:
        return False
    site.wake(last.until)
    if last.status == "ordered":
        return last.order is None or not order_known(site, last.order, last.line)
    return abs(need.quantity.qty - last.qty) * 100 <= site.turn.rules.dead_band_percent * last.qty


# the engine's own transitions -----------------------------------------------------------------------------------------


def _open(site: Site, need: Need, proposal: Proposal) -> None:
    turn = site.turn
    newest = islice(site.movements(0, reverse=True), KEPT_EVENTS)
    events = _with_event(site, [movement.ref for _, _, movement in newest][::-1])
    signal = SignalRow(
        id=stable_id("sig", site.sku, site.location, turn.ref),
        status="open",
        revision=1,
        qty=proposal.qty,
        due=proposal.due,
        disposition=proposal.disposition,
        reasons=proposal.reasons,
        supplier=proposal.supplier,
        opened=turn.now,
        updated=turn.now,
        until=None,
        explanation=explain(site, need, proposal, events),
        events=events,
    )
    site.stock.signal_open = True
    _publish(site, signal, "signal.opened")


def _amend(site: Site, old: SignalRow, need: Need, proposal: Proposal) -> None:
    moved = abs(proposal.qty - old.qty) * 100 > site.turn.rules.dead_band_percent * old.qty
    shifted = abs(proposal.due - old.due) > 1
    if not moved and not shifted and proposal.disposition == old.disposition:
        return
    signal = replace(old)
    signal.events = _with_event(site, old.events)
    signal.qty, signal.due, signal.supplier = proposal.qty, proposal.due, proposal.supplier
    signal.disposition, signal.reasons = proposal.disposition, proposal.reasons
    signal.explanation = explain(site, need, proposal, signal.events)
    _publish_next(site, signal, "signal.amended")


def _with_event(site: Site, events: list[str]) -> list[str]:
    """The last events that moved the signal, this one included."""
    return list(dict.fromkeys([*events, site.turn.ref]))[-KEPT_EVENTS:]


def _close(site: Site, old: SignalRow, cause: Cause) -> None:
    """End a signal; one whose status knows no such end stays as it is."""
    status = LIFE.get((old.status, cause))
    if status is not None:
        site.stock.signal_open = False
        _change(site, replace(old, until=None), status)


def order_placed(site: Site, data: OrderPlacedData) -> None:
    """`order.placed` may name the signal that it answers: that one is ordered."""
    old: SignalRow | None = None if data.signal is None else site.turn.get(SIGNAL + site.row)
    if old is not None and old.id == data.signal:
        _close(site, replace(old, order=data.order, line=str(data.line)), "order placed")


# answers --------------------------------------------------------------------------------------------------------------


def answer(site: Site, data: SignalAnswerData) -> Rejection | None:
    """Take the answer to a signal: `signal.accepted`, `signal.rejected`, `signal.ordered`."""
    turn = site.turn
    old = turn.get(SIGNAL + site.row)
    if old is None or old.id != data.signal:
        known = old.id if old else "none"
        return Rejection("unknown_signal", f"the row's current signal is {known}, not {data.signal}")
    status = LIFE.get((old.status, ANSWERS[type(turn.event)]))
    if status is None:
        return Rejection("signal_closed", f"the signal {old.id} is {old.status}")
    signal = replace(old, by=data.by, note=data.reason, order=data.order or old.order)
    signal.line = str(data.line) if data.line is not None else old.line
    if data.qty is not None:
        signal.qty = data.qty
        signal.explanation = with_notes(old.explanation, site.plan.policy, data.qty)
    signal.until = turn.now + _hold(site, status)
    site.stock.signal_open = True
    site.wake(signal.until)
    _change(site, signal, status)
    return None


def _hold(site: Site, status: SignalStatus) -> int:
    """How long an answer counts, in microseconds."""
    rules = site.turn.rules
    if status == "ordered":
        return rules.ordered_grace_hours * HOUR
    return (rules.accepted_signal_days if status == "accepted" else rules.rejected_signal_days) * DAY


# publishing -----------------------------------------------------------------------------------------------------------


def _change(site: Site, signal: SignalRow, status: SignalStatus) -> None:
    """Take a signal to its next status and publish it.

    The order of a signal that is over already (its `order.placed` came first, say) does not close it once more.
    """
    closes = signal.status in STANDING and status not in STANDING
    signal.status = status
    event = "signal.withdrawn" if status == "withdrawn" else "signal.closed" if closes else "signal.amended"
    _publish_next(site, signal, event)


def _publish_next(site: Site, signal: SignalRow, event: str) -> None:
    signal.revision += 1
    signal.updated = site.turn.now
    _publish(site, signal, event)


def _publish(site: Site, signal: SignalRow, event: str) -> None:
    site.turn.put(SIGNAL + site.row, signal)
    site.turn.effects.append((event, signal.revision, signal_of(site.row, signal)))


def signal_of(row: bytes, signal: SignalRow) -> Signal:
    """The signal as the contract shows it."""
    sku, location = keys.names(row)
    return Signal(
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
    )
