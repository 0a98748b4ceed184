"""What counts as a drain that stands still."""

import os
import subprocess
import time

import pytest

from benchmarks.cluster.drains import Course, busy_seconds, rates, stalled

ENDS = [10, 10]
LOOKS = [([0, 0], 0.0), ([4, 0], 1.0), ([9, 0], 2.0), ([9, 2], 20.0), ([30, 10], 21.0)]
"""What the group says, and when; nothing moves for 18 seconds, and a partition gets more than was there at first."""


def course(asleep: bool, looks: int) -> Course:
    """A course in which everybody sleeps through the pause, or is short of a processor."""
    moments = iter([0.0, *(at for _, at in LOOKS)])
    found = Course(ENDS, 0.0, lambda: {1: 0.0 if asleep else next(moments)})
    for folded, at in LOOKS[:looks]:
        found.look(folded, at)
    return found


def test_what_came_after_the_start_does_not_count() -> None:
    drain = course(asleep=False, looks=5).drain("one worker")
    assert drain.ended
    assert (drain.waited, drain.seconds, drain.events_per_second) == (1.0, 20.0, round((20 - 4) / 20))


@pytest.mark.parametrize(("asleep", "looks", "found"), [(False, 5, 0), (True, 5, 1), (False, 4, 1)])
def test_a_stall_is_a_pause_of_those_who_sleep_or_a_drain_without_an_end(asleep: bool, looks: int, found: int) -> None:
    drain = course(asleep, looks).drain("one worker")
    assert (drain.longest_pause, drain.idle) == (18.0, float(asleep))
    assert len(stalled([drain])) == found


def test_nothing_is_expected_any_more_after_four_minutes() -> None:
    found = course(asleep=True, looks=3)
    assert [found.waiting(2.0 + seconds) for seconds in (239, 241)] == [True, False]


def test_the_rates_of_a_pattern_are_put_together() -> None:
    drains = [course(asleep=False, looks=5).drain("one worker")._replace(events_per_second=n) for n in (5, 1, 3)]
    assert rates(drains)["events_per_second"] == {"one worker": {"min": 1, "median": 3, "max": 5}}


def test_a_process_that_works_is_busy_and_one_that_sleeps_is_not() -> None:
    def busy(process: int) -> float:
        return busy_seconds([process])[process]

    # By the time that it got: where others work too, it is less than what has passed.
    before, enough = busy(os.getpid()), time.process_time() + 0.3
    while time.process_time() < enough:
        pass
    assert busy(os.getpid()) - before > 0.25
    with subprocess.Popen(["sleep", "600"]) as sleeping:
        # Until it sleeps it is busy, also while it waits for a processor, for as long as others work.
        former, now, deadline = 0.0, busy(sleeping.pid), time.monotonic() + 120
        while now > former and time.monotonic() < deadline:
            time.sleep(0.3)
            former, now = now, busy(sleeping.pid)
        sleeping.kill()
    assert now == former > 0
