"""The records of a partition that wait to be folded: in order, without gaps, whatever fetches come."""

from __future__ import annotations

import pytest

from engine.bus.cluster import Fetched
from engine.bus.single import Record
from engine.runtime.cluster.fetch_queue import FetchQueue


def fetch(start: int, end: int, *offsets: int) -> Fetched:
    """A fetch from `start` to before `end` with records at some offsets; each arrived at ten times its offset."""
    return Fetched(0, start, end, [Record(0, offset, "A", b"xy", 10 * offset) for offset in offsets])


def offsets(fetches: list[Fetched]) -> list[int]:
    return [record.offset for each in fetches for record in each.records]


@pytest.mark.parametrize(
    ("sought", "fetches", "kept"),
    [
        (0, [fetch(0, 2, 0, 1), fetch(2, 4, 2, 3)], [0, 1, 2, 3]),
        (5, [fetch(0, 2, 0, 1), fetch(5, 6, 5)], [5]),  # issued before the seek
        (1, [fetch(1, 2, 1), fetch(1, 4, 1, 2, 3)], [1, 2, 3]),  # a stale fetch starts exactly where was sought
        (3, [fetch(0, 5, 0, 1, 2, 3, 4)], [3, 4]),
        (0, [fetch(0, 2, 0, 1), fetch(3, 4, 3)], [0, 1]),  # a gap: the fetch between is missing
        (0, [fetch(0, 3), fetch(3, 5, 4)], [4]),  # transaction markers only, then one and a record
    ],
)
async def test_fetches_follow_on_each_other(sought: int, fetches: list[Fetched], kept: list[int]) -> None:
    queue = FetchQueue(0)
    queue.begin(sought)
    for each in fetches:
        queue.add(each)
    assert (queue.records, queue.bytes) == (len(kept), 2 * len(kept))
    assert (queue.newest, queue.arrived.is_set()) == (10 * kept[-1], True)
    assert offsets(queue.gather(100)) == kept
    assert (queue.records, queue.newest, queue.arrived.is_set()) == (0, 0, False)


async def test_a_fetch_that_is_longer_than_a_commit_is_cut_and_can_be_put_back() -> None:
    queue = FetchQueue(0)
    queue.begin(0)
    queue.add(fetch(0, 9, 0, 2, 4, 6))
    first = queue.gather(3)
    assert [(each.start, each.end, offsets([each])) for each in first] == [(0, 6, [0, 2, 4])]
    queue.put_back(first)
    assert [offsets(queue.gather(limit)) for limit in (1, 2, 9)] == [[0], [2, 4], [6]]


async def test_nothing_is_taken_before_a_seek_nor_after_a_close() -> None:
    queue = FetchQueue(0)
    assert not queue.add(fetch(0, 1, 0))
    queue.begin(0)
    assert queue.add(fetch(0, 1, 0))
    queue.close()
    assert (queue.is_open, queue.records, queue.arrived.is_set()) == (False, 0, False)
    assert not queue.add(fetch(1, 2, 1))
