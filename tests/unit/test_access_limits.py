"""The limits of a login: a token bucket, and how many calls run at once."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.access import limits
from engine.access.limits import Allowance, AtOnce, TooOften


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.floats(0, 2), max_size=60), st.floats(0.5, 20), st.integers(1, 20))
def test_no_span_of_time_has_more_calls_than_the_rate_and_the_burst(
    pauses: list[float], per_second: float, burst: int
) -> None:
    clock, taken = Clock(), []
    allowance = Allowance(per_second, burst, clock)
    for pause in pauses:
        clock.now += pause
        with suppress(TooOften):
            allowance.take("ann")
            taken.append(clock.now)
    for begin, first in enumerate(taken):
        for end in range(begin, len(taken)):
            assert end - begin + 1 <= burst + (taken[end] - first) * per_second + 1e-6


def test_a_caller_who_waits_as_told_is_let_in() -> None:
    clock = Clock()
    allowance = Allowance(0.5, 1, clock)
    allowance.take("ann")
    with pytest.raises(TooOften) as limit:
        allowance.take("ann")
    allowance.take("bob")
    clock.now += limit.value.retry_after_seconds
    allowance.take("ann")


def test_the_memory_of_callers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SUBJECTS", 10)
    clock = Clock()
    allowance = Allowance(1, 1, clock)
    for number in range(1000):
        clock.now += 1
        allowance.take(f"address {number}")
    assert len(allowance._left) <= 11  # noqa: SLF001


def test_calls_at_once_are_counted_while_they_run() -> None:
    running = AtOnce(2)
    with running.one("ann"), running.one("ann"):
        with pytest.raises(TooOften), running.one("ann"):
            pass
        with running.one("bob"):
            pass
    with running.one("ann"):
        pass
