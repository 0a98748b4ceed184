"""The life of a replenishment signal: position against policy, one open signal a row.

Rows: `SignalRow`. A signal opens when the position falls to the trigger. It is amended only when its quantity moves by
more than the dead band, withdrawn when its cause is gone, and stands once a planner has accepted it.
"""

from itertools import islice

from msgspec.structs import replace

from agents import signal_figures
from agents.explain import explain
from agents.need import Need, need_of
from agents.proposal import Proposal, propose
from agents.purchasing import order_known
from agents.signal_life import (
    LIFE,
    STANDING,
    Cause,
    change,
    draft_of,
    edit_follow_up,
    publish,
    publish_next,
    snooze_of,
)
from agents.turn import Site
from engine.core.payloads import OrderPlacedData
from engine.core.values import HOUR, stable_id
from tables.signals import SIGNAL, SignalRow

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
        # The order of a draft may come late: a draft does not expire, and an acceptance not before it.
        if draft_of(site.turn, site.row, signal) is None:
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

    An order that is announced but not yet known would be bought twice, and so would a draft that still stands; a
    rejected proposal is not made again while it says the same.
    """
    if last is not None and draft_of(site.turn, site.row, last) is not None:
        return True
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
    publish(site, signal, "signal.opened")


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
    _end_snooze_if_more(site, signal)
    publish_next(site, signal, "signal.amended")


def _end_snooze_if_more(site: Site, signal: SignalRow) -> None:
    """Show a snoozed signal again that asks for more, by the dead band, than when it was snoozed."""
    snoozed = snooze_of(site.turn, site.row, signal)
    if snoozed is not None:
        more, before = signal.qty - snoozed.snoozed_qty, snoozed.snoozed_qty
        if more * 100 > site.turn.rules.dead_band_percent * before:
            edit_follow_up(site, signal.id).snoozed_until = None


def _with_event(site: Site, events: list[str]) -> list[str]:
    """The last events that moved the signal, this one included."""
    return list(dict.fromkeys([*events, site.turn.ref]))[-KEPT_EVENTS:]


def _close(site: Site, old: SignalRow, cause: Cause) -> None:
    """End a signal; one whose status knows no such end stays as it is."""
    status = LIFE.get((old.status, cause))
    if status is not None:
        site.stock.signal_open = False
        change(site, replace(old, until=None), status)


def order_placed(site: Site, data: OrderPlacedData) -> None:
    """`order.placed` may name the signal that it answers: that one is ordered."""
    old: SignalRow | None = None if data.signal is None else site.turn.get(SIGNAL + site.row)
    if old is not None and old.id == data.signal:
        is_draft = old.status not in STANDING and draft_of(site.turn, site.row, old) is not None
        cause: Cause = "draft ordered" if is_draft else "order placed"
        if (old.status, cause) in LIFE:
            signal_figures.align(site, old, data.qty)
        _close(site, replace(old, order=data.order, line=str(data.line)), cause)
