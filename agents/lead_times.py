"""Lead times: what completed order lines took, and how old those are that are still open and late.

Rows: an index of completed lines by their last receipt and of open lines by their placing; `Plan.lead_times`.
"""

from itertools import islice

from agents import alerts
from agents.lines import lead_time, owed
from agents.turn import Turn
from engine.core.statistics import mean_and_deviation, standard_error
from engine.core.values import DAY
from tables import keys
from tables.orders import Line
from tables.rows import Plan

MAX_SAMPLES = 26
"""How many completed lines the lead time is learned from, and how many open ones are looked at."""
OPEN = b"a"
COMPLETE = b"c"


def follow(turn: Turn, row: bytes, name: str, before: Line, after: Line) -> bool:
    """Keep the indexes in line with an order line that has changed; answer whether lead times may have changed."""
    changed = False
    for old, new in zip(_places(row, name, before), _places(row, name, after), strict=True):
        if old != new:
            changed = True
            if old is not None:
                turn.put(old[0], None)
            if new is not None:
                turn.put(*new)
    return changed


def _places(row: bytes, name: str, line: Line) -> tuple[tuple[bytes, bytes] | None, tuple[bytes, bytes] | None]:
    """The place of a line among the open and among the complete ones, as key and value."""
    if line.placed_at is not None and owed(line).open:
        return (keys.lead_time(row, OPEN, keys.timed(line.placed_at, name)), b""), None
    took = lead_time(line)
    if took is None:
        return None, None
    days = b"%d" % (took // DAY)
    return None, (keys.lead_time(row, COMPLETE, keys.timed(line.last_received_at, name)), days)


def learn(turn: Turn, row: bytes) -> None:
    """Take the lead times of a row from its lines anew: the last completed ones count."""
    learned = [int(days) for _, days in _first(turn, row, COMPLETE, reverse=True)][::-1]
    if learned != turn.read_plan(row).lead_times:
        turn.plan(row).lead_times = learned
        _reconsider(turn, row)
    watch(turn, row)


def _reconsider(turn: Turn, row: bytes) -> None:
    """Let the row's trigger, which may follow from the lead time, be computed anew in this turn."""
    stock = turn.stock(row)
    if stock.reorder_at is not None:
        stock.reorder_at = max(stock.reorder_at, stock.position)


def watch(turn: Turn, row: bytes) -> None:
    """Compare the lead times of completed lines, and the age of those still open and late, with the policy's."""
    plan = turn.read_plan(row)
    policy = plan.policy
    if policy is None or policy.lead_time_days is None:
        return
    late = _late_ages(turn, row, plan, policy.lead_time_days)
    samples = [*plan.lead_times, *late]
    mean, deviation = mean_and_deviation(samples)
    drift = mean - policy.lead_time_days
    limit = max(turn.rules.lead_time_drift_days, 2 * standard_error(deviation, len(samples)))
    if len(samples) >= turn.rules.lead_time_samples and abs(drift) > limit:
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
    placed = [keys.timed_at(key[len(row) + 3 :]) for key, _ in _first(turn, row, OPEN)]
    if len(plan.lead_times) + len(placed) >= turn.rules.lead_time_samples:
        late_from = placed[0] + (int(expected_days) + 1) * DAY if placed else None
        if late_from is not None:
            turn.wake(turn.stock(row), max(late_from + -late_from % DAY, midnight + DAY))
    ages = [(midnight - at) // DAY for at in placed]
    return [age for age in ages if age > expected_days]


def _first(turn: Turn, row: bytes, kind: bytes, reverse: bool = False) -> list[tuple[bytes, bytes]]:
    start = keys.lead_time(row, kind)
    return list(islice(turn.scan(start, start + b"\xff", reverse), MAX_SAMPLES))
