"""The life of a replenishment signal: position against policy, one open signal a row.

Rows: `SignalRow`. How much comes from the position, when from the dated projection. A signal is amended only when it
moves by more than the dead band, withdrawn when its cause is gone, and stands once it is accepted.
"""

from itertools import islice
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from agents import alerts
from agents.explain import explain, with_notes
from agents.outlook import LOOK_AHEAD_DAYS, Need, need_of, projection_of
from agents.purchasing import order_known
from agents.stock import row_location
from agents.turn import Turn
from engine.core.events import SignalAccepted, SignalOrdered, SignalRejected
from engine.core.outcomes import Rejection
from engine.core.outputs import Signal
from engine.core.payloads import PolicySetData
from engine.core.values import DAY, HOUR, MINUTE, day_of, moment, stable_id
from tables import keys
from tables.planning import Plan
from tables.signals import SIGNAL, SignalRow
from tables.stock import Stock

LIFE = {
    ("open", SignalAccepted): "accepted",
    ("open", SignalRejected): "rejected",
    ("open", SignalOrdered): "ordered",
    ("accepted", SignalRejected): "rejected",
    ("accepted", SignalOrdered): "ordered",
    ("ordered", SignalOrdered): "ordered",
    ("withdrawn", SignalOrdered): "ordered",
    ("expired", SignalOrdered): "ordered",
}
"""(status, answer) -> status; an absent pair is refused."""

STANDING = ("open", "accepted")
KEPT_EVENTS = 20
SPREAD_MINUTES = 180


class Proposal(Struct, frozen=True):
    """What a signal would say now."""

    qty: int
    due: int
    disposition: str
    reasons: list[str]
    supplier: str | None


def evaluate(turn: Turn, row: bytes, stock: Stock) -> None:
    """Bring the row's signal in line with its position; called where the cheap test has found a reason to look."""
    plan = turn.read_plan(row)
    need = need_of(turn, row, stock, plan)
    signal: SignalRow | None = turn.get(SIGNAL + row)
    stock.reorder_at = None if need is None else need.ceiling
    triggered = need is not None and stock.position <= need.s
    if signal is not None and signal.status in STANDING:
        if signal.status == "accepted":
            _stand(turn, row, stock, signal)
        elif not triggered or need is None or not need.quantity.qty:
            _close(turn, row, stock, signal, "withdrawn", "signal.withdrawn")
        else:
            _amend(turn, row, signal, need, _propose(turn, row, stock, plan, need, signal.opened))
    elif triggered and need is not None and need.quantity.qty:
        if not _awaits_stock(turn, stock) and not _held_back(turn, stock, row, signal, need):
            _open(turn, row, stock, need, _propose(turn, row, stock, plan, need, turn.now))
    else:
        stock.signal_open = False


def _awaits_stock(turn: Turn, stock: Stock) -> bool:
    """Whether nothing has stated the row's stock yet, but still may: a catalogue is loaded before its counts."""
    if stock.stock_known:
        return False
    if stock.checked_at is None:
        stock.checked_at = turn.now
    until = stock.checked_at + turn.rules.unknown_stock_grace_hours * HOUR
    if until > turn.now:
        turn.wake(stock, until)
    return until > turn.now


def _propose(turn: Turn, row: bytes, stock: Stock, plan: Plan, need: Need, opened: int) -> Proposal:
    reasons = _doubts(turn, row, stock, plan, need.policy, need.quantity.qty)
    due = _due(turn, row, stock, plan, need, opened)
    return Proposal(need.quantity.qty, due, "review" if reasons else "auto", reasons, need.policy.supplier)


def _due(turn: Turn, row: bytes, stock: Stock, plan: Plan, need: Need, opened: int) -> int:
    """The day by which the goods are needed, not before they can be there."""
    earliest = turn.local_day(row_location(row), opened) + need.lead_time.whole
    if not plan.buckets:
        return earliest
    days = min(turn.rules.horizon_days, need.lead_time.protection + LOOK_AHEAD_DAYS)
    needed = projection_of(turn, row, stock, plan, days).first_below(0)
    return max(earliest, needed or earliest)


def _doubts(turn: Turn, row: bytes, stock: Stock, plan: Plan, policy: PolicySetData, qty: int) -> list[str]:
    """Why a planner has to look at it; nothing where the engine may order by itself."""
    reasons = _over_limits(policy, qty)
    if not stock.stock_known:
        reasons.append("stock_unknown")
    if not plan.complete:
        reasons.append("forecast_incomplete")
    reasons += [f"stale_feed:{name}" for name in turn.feeds.stale_at(row_location(row))]
    grace = turn.rules.negative_grace_hours * HOUR
    if stock.negative_since is not None and turn.now - stock.negative_since < grace:
        reasons.append("negative_stock")
    return reasons


def _over_limits(policy: PolicySetData, qty: int) -> list[str]:
    limits = policy.auto
    if limits is None or (limits.max_qty is None and limits.max_value is None):
        return ["no_auto_limits"]
    reasons = []
    if limits.max_qty is not None and qty > limits.max_qty:
        reasons.append("quantity_over_limit")
    if limits.max_value is not None:
        if policy.unit_cost is None:
            reasons.append("unit_cost_unknown")
        elif policy.unit_cost * qty > limits.max_value:
            reasons.append("value_over_limit")
    return reasons


# transitions of a signal ----------------------------------------------------------------------------------------------


def _open(turn: Turn, row: bytes, stock: Stock, need: Need, proposal: Proposal) -> None:
    sku, location = keys.names(row)
    newest = islice(turn.entries(row, 0, reverse=True), KEPT_EVENTS)
    recent = [entry.ref for _, _, entry in newest][::-1]
    events = list(dict.fromkeys([*recent, turn.ref]))[-KEPT_EVENTS:]
    signal = SignalRow(
        id=stable_id("sig", sku, location, turn.ref),
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
        explanation=explain(turn, row, stock, need, proposal, events),
        events=events,
    )
    stock.signal_open = True
    _publish(turn, row, signal, "signal.opened")


def _amend(turn: Turn, row: bytes, old: SignalRow, need: Need, proposal: Proposal) -> None:
    moved = abs(proposal.qty - old.qty) * 100 > turn.rules.dead_band_percent * old.qty
    shifted = abs(proposal.due - old.due) > 1
    if not moved and not shifted and proposal.disposition == old.disposition:
        return
    signal = replace(old)
    signal.events = list(dict.fromkeys([*old.events, turn.ref]))[-KEPT_EVENTS:]
    signal.qty, signal.due, signal.supplier = proposal.qty, proposal.due, proposal.supplier
    signal.disposition, signal.reasons = proposal.disposition, proposal.reasons
    signal.explanation = explain(turn, row, turn.stock(row), need, proposal, signal.events)
    _publish_next(turn, row, signal, "signal.amended")


def _stand(turn: Turn, row: bytes, stock: Stock, signal: SignalRow) -> None:
    if signal.until is not None and signal.until <= turn.now:
        _close(turn, row, stock, signal, "expired", "signal.closed")
    elif signal.until is not None:
        turn.wake(stock, signal.until)


def _close(turn: Turn, row: bytes, stock: Stock, old: SignalRow, status: str, event: str) -> None:
    signal = replace(old)
    signal.status = status
    signal.until = None
    stock.signal_open = False
    _publish_next(turn, row, signal, event)


def _held_back(turn: Turn, stock: Stock, row: bytes, last: SignalRow | None, need: Need) -> bool:
    """Whether the answer to the last signal still speaks against a new one.

    An order that is announced but not yet known would be bought twice; a rejected proposal is not made again while it
    says the same.
    """
    if last is None or last.until is None or last.until <= turn.now:
        return False
    turn.wake(stock, last.until)
    if last.status == "ordered":
        return last.order is None or not order_known(turn, row, last.order, last.line)
    return abs(need.quantity.qty - last.qty) * 100 <= turn.rules.dead_band_percent * last.qty


def answer(turn: Turn, row: bytes) -> Rejection | None:
    """Take the answer to a signal: `signal.accepted`, `signal.rejected`, `signal.ordered`."""
    data: Any = turn.data
    old: SignalRow | None = turn.get(SIGNAL + row)
    if old is None or old.id != data.signal:
        return Rejection(
            "unknown_signal", f"the row's current signal is {old.id if old else 'none'}, not {data.signal}"
        )
    status = LIFE.get((old.status, type(turn.event)))
    if status is None:
        return Rejection("signal_closed", f"the signal {old.id} is {old.status}")
    signal = replace(old)
    signal.status, signal.by, signal.note = status, data.by, data.reason
    if data.qty is not None:
        signal.qty = data.qty
        signal.explanation = with_notes(old.explanation, turn.read_plan(row).policy, data.qty)
    signal.order, signal.line = data.order or old.order, str(data.line) if data.line is not None else old.line
    signal.until = turn.now + _hold(turn, status)
    stock = turn.stock(row)
    stock.signal_open = True
    turn.wake(stock, signal.until)
    # The order of a signal that is over already (its `order.placed` came first, say) does not close it once more.
    closes = old.status in STANDING and status not in STANDING
    _publish_next(turn, row, signal, "signal.closed" if closes else "signal.amended")
    return None


def _hold(turn: Turn, status: str) -> int:
    """How long an answer counts, in microseconds."""
    rules = turn.rules
    if status == "ordered":
        return rules.ordered_grace_hours * HOUR
    return (rules.accepted_signal_days if status == "accepted" else rules.rejected_signal_days) * DAY


def ordered(turn: Turn, row: bytes, name: str, order: str, line: str) -> None:
    """An `order.placed` names a signal: it is ordered."""
    old: SignalRow | None = turn.get(SIGNAL + row)
    if old is None or old.id != name or old.status not in STANDING:
        return
    signal = replace(old)
    signal.order, signal.line = order, line
    _close(turn, row, turn.stock(row), signal, "ordered", "signal.closed")


def _publish_next(turn: Turn, row: bytes, signal: SignalRow, event: str) -> None:
    signal.revision += 1
    signal.updated = turn.now
    _publish(turn, row, signal, event)


def _publish(turn: Turn, row: bytes, signal: SignalRow, event: str) -> None:
    turn.put(SIGNAL + row, signal)
    turn.effects.append((event, signal.revision, signal_of(row, signal)))


def signal_of(row: bytes, signal: SignalRow) -> Signal:
    """The signal as the contract shows it."""
    sku, location = keys.names(row)
    return Signal(
        id=signal.id,
        sku=sku,
        location=location,
        status=signal.status,  # type: ignore[arg-type]
        revision=signal.revision,
        disposition=signal.disposition,  # type: ignore[arg-type]
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


# the days ahead -------------------------------------------------------------------------------------------------------


def look_ahead(turn: Turn, row: bytes, stock: Stock) -> None:
    """Raise `projected_stockout` where the projection falls below 0 within lead time and review period.

    Leaves `recheck_below`, the sellable stock under which it has to be looked at again, and a wake-up call.
    """
    plan = turn.read_plan(row)
    stock.forecast = plan.buckets > 0
    if not plan.buckets:
        stock.recheck_below = None
        alerts.clear_alert(turn, row, "projected_stockout")
        return
    need = need_of(turn, row, stock, plan)
    protection = need.lead_time.protection if need else 2 * turn.rules.default_lead_time_days
    projection = projection_of(turn, row, stock, plan, protection + LOOK_AHEAD_DAYS)
    lowest = min(projection.projected)
    stock.recheck_below = stock.sellable - lowest if lowest >= 0 else None
    below = projection.first_below(0)
    if below is not None and below < projection.today + protection:
        evidence = {
            "date": day_of(below).isoformat(), "projected": projection.projected[below - projection.today],
            "lowest": min(projection.projected[:protection]), "sellable": stock.sellable, "days_ahead": protection,
        }  # fmt: skip
        alerts.raise_alert(turn, row, "projected_stockout", evidence)
    else:
        alerts.clear_alert(turn, row, "projected_stockout")
    calm = lowest >= 0 and (need is None or stock.position > need.ceiling)
    _wake_on(turn, row, stock, _next_look(plan, projection.today, calm))


def _next_look(plan: Plan, today: int, calm: bool) -> int:
    """The day of the next look: tomorrow where something is near, else when a bucket ends, at most a week ahead."""
    if not calm:
        return today + 1
    return max(today + 1, min(plan.closes_at, today + LOOK_AHEAD_DAYS))


def _wake_on(turn: Turn, row: bytes, stock: Stock, day: int) -> None:
    """Ask to be woken early on a local day; rows spread over some hours so that they do not all wake at once."""
    minutes = sum(row) * 37 % SPREAD_MINUTES
    turn.wake(stock, turn.day_begins(row_location(row), day) + minutes * MINUTE)
