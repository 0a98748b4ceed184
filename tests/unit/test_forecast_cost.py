"""Cost per event of forecasts, issues and units does not grow with what a row holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from agents.demand import KEPT_ISSUE_DAYS
from engine.core.rules import Rules
from engine.runtime.single.engine import Engine
from tables import keys
from tables.demand import ISSUED
from tables.planning import PLAN
from tests.auditor.events import ROW, T0, event, forecast, issued
from tests.auditor.model import HOUR, Event
from tests.auditor.workload import encoded
from tests.unit.work import CountingBus, work_of

LATER = T0 + 40_000 * HOUR
WEEK = ("2026-03-02", 7, 5)
MINUTE = 1 / 60


def replaced(hour: float, version: str = "v", *buckets: tuple[str, int, int]) -> Event:
    return forecast(hour, version, *(buckets or (WEEK,)))


def amended(n: int, version: str, base: str | None, *buckets: tuple[str, int, int]) -> Event:
    found = forecast(n * MINUTE, version, *(buckets or (WEEK,)), base=base or "")
    if base is None:
        del found["data"]["base_version"]
    return found


def missing_base(n: int) -> list[Event]:
    return [amended(k, f"d{k}", f"lost{k}") for k in range(n)]


def chain_backwards(n: int) -> list[Event]:
    return [*(amended(k, f"d{k}", f"d{k - 1}") for k in range(n - 1, 0, -1)), replaced(0, "d0")]


def chain(n: int) -> list[Event]:
    return [replaced(0, "d0"), *(amended(k, f"d{k}", f"d{k - 1}") for k in range(1, n))]


def broken_chain(n: int) -> list[Event]:
    return chain(n)[:1] + chain(n)[2:]


def many_buckets(n: int) -> list[Event]:
    spans = [((date(2026, 3, 2) + timedelta(days=k)).isoformat(), 1, 5) for k in range(n)]
    return [replaced(0), *(amended(k, f"d{k}", "v", spans[k]) for k in range(1, n))]


def replaced_each_time(n: int) -> list[Event]:
    return [one for k in range(n // 2) for one in (replaced(k, f"v{k}"), amended(60 * k + 1, f"d{k}", f"v{k}"))]


def same_version_again(n: int) -> list[Event]:
    return [one for k in range(n // 2) for one in (amended(60 * k - 1, f"d{k}", "v"), replaced(k))]


def two_versions_in_turn(n: int) -> list[Event]:
    names = ("v", "w", "v")
    return [one for k in range(n // 2) for one in (replaced(k, names[k % 2]), amended(60 * k + 1, "d", names[k % 2]))]


def late_replacements(n: int) -> list[Event]:
    deltas = [amended(60 * k + 1, f"d{k}", None) for k in range(n // 2)]
    return [*deltas, *(replaced(k, f"v{k % 3}") for k in range(n // 2))]


def late_replacements_below(n: int) -> list[Event]:
    deltas = [amended(60 * k + 1, f"d{k}", "v") for k in range(n // 2)]
    return [replaced(n), *deltas, *(replaced(k, f"w{k}") for k in range(n // 2))]


def deltas_without_base_version(n: int) -> list[Event]:
    return [replaced(0), *(amended(k, f"d{k}", None) for k in range(1, n))]


def issues_of_older_and_older_days(n: int) -> list[Event]:
    return [replaced(0), *(issued(-24 * k, 1) for k in range(n))]


def issues_of_two_days_in_turn(n: int) -> list[Event]:
    return [replaced(0), *(issued(24 * (k % 2) + k * MINUTE / 10, 1) for k in range(n))]


def issues_day_after_day(n: int) -> list[Event]:
    return [issued(24 * k, 1) for k in range(n)]


def defined_anew(n: int) -> list[Event]:
    pairs = (
        (
            event("item.defined", k * MINUTE, base_unit="each", units={"case": k + 1}),
            issued(k * MINUTE / 2, 1, uom="case"),
        )
        for k in range(n // 2)
    )
    return [one for pair in pairs for one in pair]


STREAMS = [
    missing_base, chain_backwards, chain, broken_chain, many_buckets, replaced_each_time, same_version_again,
    two_versions_in_turn, late_replacements, late_replacements_below, deltas_without_base_version,
    issues_of_older_and_older_days, issues_of_two_days_in_turn, defined_anew,
]  # fmt: skip


def assert_linear(stream: Callable[[int], list[Event]], n: int) -> None:
    """By every measure the work for 10 n is at most twelve times that for n; less than one an event counts as one."""
    small, large = (work_of(map(encoded, stream(size)), arrived_at=LATER).total() for size in (n, 10 * n))
    assert {what: (small[what], large[what]) for what in large if large[what] > 12 * max(n, small[what])} == {}


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.__name__)
def test_ten_times_the_events_cost_at_most_twelve_times_the_work(stream: Callable[[int], list[Event]]) -> None:
    assert_linear(stream, 75)


def test_issues_day_after_day_cost_the_same_once_the_kept_days_are_full() -> None:
    assert_linear(issues_day_after_day, 150)


def test_a_plan_does_not_grow_with_what_is_told_of_it() -> None:
    """Four hundred revisions and issues of four hundred days: the row of the plan is as long as before."""
    bus = CountingBus()
    engine = Engine(bus, Rules(clock="log"))
    lengths = []
    for k in range(400):
        told = [amended(k, f"d{k}", f"lost{k}"), amended(k, f"e{k}", None), issued(-24 * k, 1), issued(24 * k, 1)]
        assert engine.submit([encoded(one) for one in told], LATER).refused == []
        lengths.append(len(bus.state.get(PLAN + keys.row(*ROW)) or b""))
    assert max(lengths) <= lengths[10] + 20
    days = list(bus.state.scan(ISSUED, ISSUED + b"\xff"))
    assert len(days) <= KEPT_ISSUE_DAYS + 2
