"""What surrounds the loop of one partition: the cluster, the rules, the clock, and the worker that it reports to."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.bus.cluster import Cluster
from engine.core.rules import Rules
from engine.runtime.arrivals import Decoder
from engine.runtime.clock import WallClock

COMMIT_BYTES = 16 << 20
"""The most that a commit of several events writes; also the most that may wait to be folded, of each partition."""


@dataclass(frozen=True)
class Pacing:
    """How much a commit holds and how often one is made.

    Attributes:
        commit_records: the most events in a commit.
        commit_bytes: the most bytes of changes and outputs in a commit of several events.
        max_interval: seconds between two commits of a partition in a process that is fully busy; an idle one waits
            for nothing.
        fenced_pause: seconds before a partition is owned anew after it was fenced.
        first_pause: seconds before it is owned anew after the first other error; each further pause is twice as long.
        last_pause: the longest of these pauses, in seconds.
        handover: how many seconds a rebalance waits for a commit under way.
    """

    commit_records: int = 4_000
    commit_bytes: int = COMMIT_BYTES
    max_interval: float = 0.1
    fenced_pause: float = 8.0
    first_pause: float = 0.2
    last_pause: float = 5.0
    handover: float = 4.0


class Load:
    """How busy this process is: its processor time over wall time, smoothed over about half a second."""

    def __init__(self) -> None:
        self._at, self._used, self._load = time.monotonic(), time.process_time(), 0.0

    def __call__(self) -> float:
        """The load, from 0 to 1."""
        at, used = time.monotonic(), time.process_time()
        if (elapsed := at - self._at) >= 0.1:
            weight = min(1.0, elapsed / 0.5)
            self._load += weight * (min(1.0, (used - self._used) / elapsed) - self._load)
            self._at, self._used = at, used
        return self._load


@dataclass(frozen=True)
class Machine:
    """What a worker reads of its machine: the wall clock, and the load of its process from 0 to 1."""

    clock: WallClock
    load: Callable[[], float]


class Report(Protocol):
    """What the loop of a partition reports to its worker."""

    def consumed(self, partition: int, end: int) -> None:
        """All records before the offset `end` are folded and committed."""

    def restored(self, seconds: float) -> None:
        """A partition is owned, and its rows are up to date; that took so long."""

    def committed(self, seconds: float) -> None:
        """A commit has succeeded; it took so long."""

    def fenced(self) -> None:
        """A commit was refused because another process owns the partition."""

    def tick_unfinished(self, partition: int) -> None:
        """The last tick has left some of what was due to the next one."""

    def failed(self, error: BaseException) -> None:
        """The loop has ended with an error that owning the partition anew would not mend."""


@dataclass(frozen=True)
class Surroundings:
    """What the loops of all partitions of a worker share."""

    cluster: Cluster
    rules: Rules
    pacing: Pacing
    machine: Machine
    decoder: Decoder
    report: Report
