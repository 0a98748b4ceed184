"""How much an event costs, in figures of no machine: rows read, scanned and written, and bytes encoded."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Commit
from engine.core.rules import Rules
from engine.runtime.single.engine import Engine

ARRIVED = 1_773_500_000_000_000


class Work:
    """What the fold has asked of its state, and what it has written."""

    def __init__(self) -> None:
        self.reads = self.scanned = self.written = self.bytes = 0

    def total(self) -> dict[str, int]:
        return dict(vars(self))


class CountingState:
    """A state that counts the rows which are read from it; a scan counts the keys that it passes.

    A key that was deleted counts too, as a store passes it until it compacts.
    """

    def __init__(self, state: Any, work: Work) -> None:
        self._state, self._work = state, work
        self._deleted: list[bytes] = []

    def get(self, key: bytes) -> bytes | None:
        self._work.reads += 1
        found: bytes | None = self._state.get(key)
        return found

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        self._work.reads += len(keys)
        found: list[bytes | None] = self._state.get_many(keys)
        return found

    def scan(self, start: bytes, stop: bytes, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        first, last = start, stop
        try:
            for pair in self._state.scan(start, stop, reverse):
                self._work.scanned += 1
                first, last = (pair[0], stop) if reverse else (start, pair[0])
                yield pair
            first, last = start, stop
        finally:
            self._work.scanned += bisect_left(self._deleted, last) - bisect_left(self._deleted, first)

    def note(self, key: bytes, value: bytes | None) -> None:
        """Take notice of a change."""
        at = bisect_left(self._deleted, key)
        was_deleted = self._deleted[at : at + 1] == [key]
        if value is None and not was_deleted:
            insort(self._deleted, key)
        elif value is not None and was_deleted:
            del self._deleted[at]


class CountingBus(MemoryBus):
    """A bus in memory that counts the work of the fold above it."""

    def __init__(self) -> None:
        super().__init__(1)
        self.work = Work()
        self._counting = CountingState(self._state, self.work)

    @property
    def state(self) -> Any:
        return self._counting

    def commit(self, commits: Sequence[Commit]) -> None:
        for commit in commits:
            self.work.written += len(commit.changes)
            self.work.bytes += sum(len(key) + len(value or b"") for key, value in commit.changes)
            self.work.bytes += sum(len(output.value) for output in commit.outputs)
            for key, value in commit.changes:
                self._counting.note(key, value)
        super().commit(commits)


def work_of(events: Iterable[bytes], memory_bytes: int = 0, arrived_at: int = ARRIVED) -> Work:
    """The work of folding events one by one, through the shipped engine; nothing is refused.

    With no memory for rows every row that an event needs is read and decoded, so that no cache hides what it touches.
    """
    bus = CountingBus()
    engine = Engine(bus, Rules(clock="log"), memory_bytes)
    for event in events:
        receipt = engine.submit([event], arrived_at)
        assert not receipt.refused, receipt.refused
    return bus.work
