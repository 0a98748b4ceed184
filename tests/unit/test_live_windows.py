"""How many rows of a frozen window belong elsewhere."""

from collections.abc import Sequence
from itertools import combinations

import pytest

from engine.web.live.windows import moved_rows


@pytest.mark.parametrize(
    ("shown", "now", "moved"),
    [
        ("abcd", "abcd", 0),
        ("abcd", "bcda", 1),
        ("abcd", "bcde", 1),
        ("abcd", "eabc", 1),
        ("abcd", "dcba", 3),
        ("abcd", "badc", 2),
        ("abcd", "efgh", 4),
        ("abcd", "acd", 1),
        ("abc", "abcd", 0),
        ("abcdef", "cafbde", 2),
        ("", "ab", 0),
    ],
)
def test_a_row_that_leaves_its_place_does_not_count_those_that_it_shifts(shown: str, now: str, moved: int) -> None:
    assert moved_rows(shown, now) == moved
    # By another way: the longest choice of rows, in the order that is shown, which is the order of now.
    alike = (len(some) for n in range(len(shown) + 1) for some in combinations(shown, n) if _in_order(some, now))
    assert len(shown) - max(alike, default=0) == moved


def _in_order(some: Sequence[str], now: str) -> bool:
    rest = iter(now)
    return all(one in rest for one in some)
