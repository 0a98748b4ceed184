"""The cost of an event grows neither with what a row holds nor with what others wait for: ten times the events, at most
twelve times the work."""

import pytest

from benchmarks.attack.patterns import PATTERNS
from tests.unit.work import work_of

SMALL = 40
SATURATES_LATER = {
    "reports with a changing drift": 200,
    "signals at a row with many movements": 80,
    "open orders at a forecast row": 150,
    "lines of one order": 150,
    "rows due at once": 200,
    "carts that expire together": 300,
}
"""What an event looks at, and what a tick takes, is bounded; until there is so much, it grows."""


@pytest.mark.parametrize("name", PATTERNS)
def test_ten_times_the_events_are_at_most_twelve_times_the_work(name: str) -> None:
    pattern = PATTERNS[name]
    n = SATURATES_LATER.get(name, SMALL)
    small, large = (work_of(pattern.events(size)).total() for size in (n, 10 * n))
    grown = {what: round(large[what] / max(1, small[what]), 1) for what in large}
    assert max(grown.values()) <= pattern.most, f"{grown}: {small} for {n}, {large} for {10 * n}"
