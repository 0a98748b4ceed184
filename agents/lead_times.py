"""Lead times: what completed order lines took, and how old those are that are still open and late.

Rows: an index of completed lines by their last receipt and of open lines by their placing; `Plan.completed`.
"""

from bisect import insort
from itertools import islice

from agents import alerts
from agents.lines import Owed, lead_time
from agents.turn import Turn
from engine.core.statistics import mean_and_deviation, standard_error
from engine.core.values import DAY, MAX_BALANCE
from tables import keys
from tables.planning import Plan
from tables.purchasing import Line, lead_time_key

MAX_SAMPLES = 26
"""How many completed lines the lead time is learned from, and how many open ones are looked at."""
OPEN = b"a"
COMPLETE = b"c"


def follow(turn: Turn, row: bytes, name: str, before: tuple[Line, Owed], after: tuple[Line, Owed]) -> bool:
    """Keep the indexes in line with an order line that has changed; answer whether lead times may have changed."""
    was_open, is_open = _open_since(*before), _open_since(*after)
    was_complete, is_complete = _completed(*before), _completed(*after)
    if was_open != is_open:
        if was_open is not None:
            turn.put(lead_time_key(row, OPEN, keys.timed(was_open, name)), None)
        if is_open is not None:
            turn.put(lead_time_key(row, OPEN, keys.timed(is_open, name)), b"")
            turn.stock(row).placed_from = min(turn.stock(row).placed_from, is_open)
    if was_complete != is_complete:
        if was_complete is not None:
            turn.put(lead_time_key(row, COMPLETE, keys.timed(was_complete[0], name)), None)
        if is_complete is not None:
            turn.put(lead_time_key(row, COMPLETE, keys.timed(is_complete[0], name)), b"%d" % is_complete[1])
        _learn(turn, row, name, is_complete)
    return was_open != is_open or was_complete != is_complete


def _open_since(line: Line, share: Owed) -> int | None:
    """When a line was placed of which something is open; None for any other."""
    return line.placed_at if share.open else None


def _completed(line: Line, share: Owed) -> tuple[int, int] | None:
    """(last receipt, days from order to it) of a complete line; None for any other."""
    took = lead_time(line, share)
    return None if took is None else (line.last_received_at, took // DAY)


def _learn(turn: Turn, row: bytes, name: str, completed: tuple[int, int] | None) -> None:
    """Keep the last completed lines: the line `name` is one now, or is none any more.

    The index is read only where a line may leave a full list, so that the one before them takes its place.
    """
    plan = turn.plan(row)
    samples = [sample for sample in plan.completed if sample[1] != name]
    was_left = len(samples) < len(plan.completed) == MAX_SAMPLES
    if completed is not None:
        insort(samples, (completed[0], name, completed[1]))
    if was_left and (completed is None or samples[0][1] == name):
        start = lead_time_key(row, COMPLETE)
        latest = islice(turn.scan(start, start + b"\xff", True), MAX_SAMPLES)
        samples = [(*keys.timed_parts(key[len(start) :]), int(days)) for key, days in latest][::-1]
    plan.completed = samples[-MAX_SAMPLES:]
    _reconsider(turn, row)


def _reconsider(turn: Turn, row: bytes) -> None:
    """Let the row's trigger, which may follow from the lead time, be computed anew in this turn."""
    stock = turn.stock(row)
    if stock.reorder_at is not None:
        stock.reorder_at = MAX_BALANCE


def watch(turn: Turn, row: bytes) -> None:
    """Compare the lead times of completed lines, and the age of those still open and late, with the policy's."""
    plan = turn.read_plan(row)
    policy = plan.policy
    if policy is None or policy.lead_time_days is None:
        return
    late = _late_ages(turn, row, plan, policy.lead_time_days)
    samples = [*plan.lead_times, *late]
    if len(samples) < turn.rules.lead_time_samples:
        alerts.clear_alert(turn, row, "lead_time_drift")
        return
    mean, deviation = mean_and_deviation(samples)
    drift = mean - policy.lead_time_days
    limit = max(turn.rules.lead_time_drift_days, 2 * standard_error(deviation, len(samples)))
    if abs(drift) > limit:
        evidence = {
            "policy_days": f"{policy.lead_time_days:g}", "observed_days": f"{mean:.1f}",
            "deviation_days": f"{deviation:.1f}", "samples": len(samples),
            "open_and_late": len(late), "supplier": policy.supplier,
        }  # fmt: skip
        alerts.raise_alert(turn, row, "lead_time_drift", evidence)
    else:
        alerts.clear_alert(turn, row, "lead_time_drift")


def _late_ages(turn: Turn, row: bytes, plan: Plan, expected_days: float) -> list[int]:
    """The ages in days of the oldest open lines that are older than expected; asks to look again when one grows.

    Leaving them out would flatter the supplier. Ages are those of the last midnight (UTC), so that all of them grow at
    one moment and do not depend on when the row was looked at.
    """
    midnight = turn.now - turn.now % DAY
    grace = (int(expected_days) + 1) * DAY
    needed = max(1, turn.rules.lead_time_samples - len(plan.lead_times))
    placed = _oldest(turn, row, midnight - grace, needed)
    if len(placed) >= needed:
        late_from = placed[0] + grace
        turn.wake(turn.stock(row), max(late_from + -late_from % DAY, midnight + DAY))
    return [(midnight - at) // DAY for at in placed if at <= midnight - grace]


def _oldest(turn: Turn, row: bytes, late_until: int, needed: int) -> list[int]:
    """When the oldest open lines were placed: those that are late, and beyond them only as many as are needed."""
    stock, start = turn.stock(row), lead_time_key(row, OPEN)
    placed: list[int] = []
    if not stock.on_order and not stock.in_transit:
        # Nothing is open at the row, so its index need not be searched.
        stock.placed_from = turn.now
        return placed
    for key, _ in islice(turn.scan(start + keys.timed(stock.placed_from, ""), start + b"\xff"), MAX_SAMPLES):
        at = keys.timed_at(key[len(start) :])
        if at > late_until and len(placed) >= needed:
            break
        placed.append(at)
    stock.placed_from = placed[0] if placed else turn.now
    return placed
