"""By how much a table is ahead: the age of what was read last, and for how long rows have waited for a transaction."""

from __future__ import annotations

import time
from typing import Any

import pytest

from connectors.database.lag import Held, age_of
from connectors.database.topics import age_of_fetch

NOON = 1_772_452_800.0


@pytest.mark.parametrize(
    ("events", "seconds"),
    [
        ((b'{"time": "2026-03-02T11:00:00Z"}', b'{"time": "2026-03-02T12:59:00+01:00"}'), 60.0),
        ((b'{"time": "2026-03-02T13:00:00Z"}',), 0.0),
        ((), None),
        ((b'{"time": "2026-03-02T11:00:00"}',), None),
        ((b'{"time": "noon"}',), None),
        ((b'{"time": 7}',), None),
        ((b"{}",), None),
        ((b"[]",), None),
        ((b"no event",), None),
    ],
)
def test_the_age_is_that_of_the_last_event_where_it_tells_one(events: tuple[bytes, ...], seconds: float | None) -> None:
    assert age_of(events, NOON) == seconds


def test_what_holds_a_reader_up_is_timed_for_as_long_as_it_is_the_same() -> None:
    now = 100.0
    held = Held(lambda: now)
    assert held.seconds(None) == 0.0
    assert held.seconds("741") == 0.0
    now = 130.0
    assert held.seconds("741") == 30.0
    assert held.seconds("790") == 0.0
    now = 135.0
    assert held.seconds("790") == 5.0
    assert held.seconds(None) == 0.0
    assert held.seconds("790") == 0.0


def test_the_age_of_a_fetch_is_that_of_the_partition_that_is_furthest_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    class Record:
        def __init__(self, timestamp: int) -> None:
            self.timestamp = timestamp

    fetched: Any = {1: [Record(1_000), Record(60_000)], 2: [Record(90_000)], 3: []}
    monkeypatch.setattr(time, "time", lambda: 100.0)
    assert age_of_fetch(fetched) == 40.0
    assert age_of_fetch({}) is None
