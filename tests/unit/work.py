"""How much work whole events cost: what the shipped fold reads, decodes, writes and encodes on a bus in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields

from engine.bus.base import Commit
from engine.bus.memory import MemoryBus
from engine.core.rules import Rules
from engine.runtime.engine import Engine
from tables.stores.memory import MemoryFamily
from tests.auditor.model import Event
from tests.auditor.workload import encoded


@dataclass
class Work:
    """What some events have cost: keys asked for, pairs scanned, values decoded, changes written, bytes of all out."""

    reads: int = 0
    scanned: int = 0
    decoded: int = 0
    written: int = 0
    bytes: int = 0


class CountedState:
    """Committed state that counts what is asked of it. What is read is decoded, so the two are counted together."""

    def __init__(self, state: MemoryFamily, work: Work) -> None:
        self._state = state
        self._work = work

    def get(self, key: bytes) -> bytes | None:
        return self.get_many([key])[0]

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        values = self._state.get_many(keys)
        self._work.reads += len(keys)
        self._work.decoded += sum(value is not None for value in values)
        return values

    def scan(self, start: bytes, stop: bytes, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        self._work.reads += 1
        for pair in self._state.scan(start, stop, reverse):
            self._work.scanned += 1
            self._work.decoded += 1
            yield pair


class CountedBus(MemoryBus):
    """A bus in memory that counts the work of its engine."""

    def __init__(self) -> None:
        super().__init__(1)
        self.work = Work()

    @property
    def state(self) -> CountedState:
        return CountedState(self._state, self.work)

    def commit(self, commits: Sequence[Commit]) -> None:
        for commit in commits:
            self.work.written += len(commit.changes)
            self.work.bytes += sum(len(key) + len(value or b"") for key, value in commit.changes)
            self.work.bytes += sum(len(output.value) for output in commit.outputs)
        super().commit(commits)


def work_of(events: Sequence[Event], arrived_at: int) -> Work:
    """The work of events, each in a commit of its own; no row stays cached between commits."""
    bus = CountedBus()
    engine = Engine(bus, Rules(clock="log"), memory_bytes=0)
    for event in events:
        assert engine.submit([encoded(event)], arrived_at).refused == []
    return bus.work


def assert_linear(stream: Callable[[int], Sequence[Event]], n: int, arrived_at: int) -> None:
    """The work for ten times as many events is at most twelve times as much, by every measure.

    Less than one read, pair or write an event counts as one, so that a first fold of a window is not taken for growth.
    """
    small, large = work_of(stream(n), arrived_at), work_of(stream(10 * n), arrived_at)
    grown = {
        field.name: (less, more)
        for field, less, more in zip(fields(Work), astuple(small), astuple(large), strict=True)
        if more > 12 * max(less, n)
    }
    assert grown == {}
