"""Drift of lead times: what completed order lines took, and how old the open ones are that are late.

Rows: an index of completed lines by their last receipt and of open lines by their placing; `Plan.completed`.
"""

from bisect import insort
from itertools import islice

from agents import alerts
from agents.lines import Owed, lead_time
from agents.turn import Site
from engine.core.statistics import mean_and_deviation, standard_error
from engine.core.values import DAY, MAX_BALANCE
from tables import keys
from tables.purchasing import Line, lead_time_key

MAX_SAMPLES = 26
"""How many completed lines the lead time is learned from, and how many open ones are looked at."""
OPEN = b"a"
COMPLETE = b"c"


def follow(site: Site, name: str, before: tuple[Line, Owed], after: tuple[Line, Owed]) -> bool:
    """Keep the indexes in line with an order line that has changed; returns whether lead times may have changed."""
    turn, row = site.turn, site.row
    was_open, is_open = _open_since(*before), _open_since(*after)
    was_complete, is_complete = _completed(*before), _completed(*after)
    if was_open != is_open:
        if was_open is not None:
            turn.put(lead_time_key(row, OPEN, keys.timed(was_open, name)), None)
        if is_open is not None:
            turn.put(lead_time_key(row, OPEN, keys.timed(is_open, name)), b"")
            site.stock.placed_from = min(site.stock.placed_from, is_open)
    if was_complete != is_complete:
        if was_complete is not None:
            turn.put(lead_time_key(row, COMPLETE, keys.timed(was_complete[0], name)), None)
        if is_complete is not None:
            turn.put(lead_time_key(row, COMPLETE, keys.timed(is_complete[0], name)), b"%d" % is_complete[1])
        _learn(site, name, is_complete)
    return was_open != is_open or was_complete != is_complete


def _open_since(line: Line, share: Owed) -> int | None:
    """When a line was placed of which something is open; None for any other."""
    return line.placed_at if share.open else None


def _completed(line: Line, share: Owed) -> tuple[int, int] | None:
    """(last receipt, days from order to it) of a complete line; None for any other."""
    took = lead_time(line, share)
    return None if took is None else (line.last_received_at, took // DAY)


def _learn(site: Site, name: str, completed: tuple[int, int] | None) -> None:
    """Keep the last completed lines: the line `name` is one of them now, or is complete no longer.

    The index is read only if a line leaves a full list: then the latest of the lines before them comes in.
    """
    plan = site.edit_plan()
    samples = [sample for sample in plan.completed if sample[1] != name]
    was_left = len(samples) < len(plan.completed) == MAX_SAMPLES
    if completed is not None:
        insort(samples, (completed[0], name, completed[1]))
    if was_left and (completed is None or samples[0][1] == name):
        start = lead_time_key(site.row, COMPLETE)
        latest = islice(site.turn.scan(start, start + b"\xff", True), MAX_SAMPLES)
        samples = [(*keys.timed_parts(key[len(start) :]), int(days)) for key, days in latest][::-1]
    plan.completed = samples[-MAX_SAMPLES:]
    _reconsider(site)


def _reconsider(site: Site) -> None:
    """Make this event look at the row's signal again: the trigger may follow from the lead time."""
    stock = site.stock
    if stock.reorder_at is not None:
        stock.reorder_at = MAX_BALANCE


def watch(site: Site) -> None:
    """Compare the lead times of completed lines, and the age of those still open and late, with the policy's."""
    plan, rules = site.plan, site.turn.rules
    policy = plan.policy
    if policy is None or policy.lead_time_days is None:
        return
    late = _late_ages(site, policy.lead_time_days)
    samples = [*plan.lead_times, *late]
    if len(samples) < rules.lead_time_samples:
        alerts.clear_alert(site, "lead_time_drift")
        return
    mean, deviation = mean_and_deviation(samples)
    drift = mean - policy.lead_time_days
    limit = max(rules.lead_time_drift_days, 2 * standard_error(deviation, len(samples)))
    if abs(drift) > limit:
        evidence = {
            "policy_days": f"{policy.lead_time_days:g}", "observed_days": f"{mean:.1f}",
            "deviation_days": f"{deviation:.1f}", "samples": len(samples),
            "open_and_late": len(late), "supplier": policy.supplier,
        }  # fmt: skip
        alerts.raise_alert(site, "lead_time_drift", evidence)
    else:
        alerts.clear_alert(site, "lead_time_drift")


def _late_ages(site: Site, expected_days: float) -> list[int]:
    """The ages in days of the oldest open lines that are late; asks for a look when the next age changes.

    A mean of completed lines alone would flatter the supplier. Ages are those of the last midnight (UTC), so that they
    all grow at one moment and do not depend on when the row was looked at.
    """
    now, rules = site.turn.now, site.turn.rules
    midnight = now - now % DAY
    grace = (int(expected_days) + 1) * DAY
    needed = max(1, rules.lead_time_samples - len(site.plan.completed))
    placed = _oldest(site, midnight - grace, needed)
    if len(placed) >= needed:
        late_from = placed[0] + grace
        site.wake(max(late_from + -late_from % DAY, midnight + DAY))
    return [(midnight - at) // DAY for at in placed if at <= midnight - grace]


def _oldest(site: Site, late_until: int, needed: int) -> list[int]:
    """When the oldest open lines were placed, in microseconds: the late ones, and others until there are `needed`."""
    stock, now, start = site.stock, site.turn.now, lead_time_key(site.row, OPEN)
    placed: list[int] = []
    if not stock.on_order and not stock.in_transit:
        # Nothing is open at the row, so its index need not be searched.
        stock.placed_from = now
        return placed
    for key, _ in islice(site.turn.scan(start + keys.timed(stock.placed_from, ""), start + b"\xff"), MAX_SAMPLES):
        at = keys.timed_at(key[len(start) :])
        if at > late_until and len(placed) >= needed:
            break
        placed.append(at)
    stock.placed_from = placed[0] if placed else now
    return placed
