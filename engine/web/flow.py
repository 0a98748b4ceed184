"""How fast each partition of the log grows and is folded, from samples of its offsets."""

import time
from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from engine.runtime.submission import Progress

WINDOW_SECONDS = 60.0
LEAST_SECONDS = 1.0
"""Samples are at least so far apart, so there are never more than a minute has seconds."""


class PartitionFlow(Struct):
    """A partition of the log: `end` is the offset that its next event gets, `lag` the events that are not yet applied.

    The rates are events a second over the last `seconds` of the answer; null where there is no earlier sample.
    """

    topic: str
    partition: int
    end: int
    applied: int
    lag: int
    arriving: float | None
    applying: float | None


class Flow(Struct):
    """All partitions of the log; `seconds` is the time over which the rates are measured, at most a minute or so."""

    items: list[PartitionFlow]
    seconds: float


class FlowMeter:
    """Keeps samples of the last minute; each answer is one, so rates are known from the second answer on."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, Sequence[Progress]]] = deque()

    def measure(self, topic: str, offsets: Sequence[Progress], at: float | None = None) -> Flow:
        """The flow of a log whose partitions are so far now.

        Args:
            topic: the name of the log.
            offsets: end and applied offset of each partition.
            at: the time in seconds of a clock that never goes back; that of this machine where absent.
        """
        now = time.monotonic() if at is None else at
        while len(self._samples) > 1 and now - self._samples[1][0] >= WINDOW_SECONDS:
            self._samples.popleft()
        if self._samples and len(self._samples[0][1]) != len(offsets):
            self._samples.clear()
        first, before = self._samples[0] if self._samples else (now, offsets)
        if not self._samples or now - self._samples[-1][0] >= LEAST_SECONDS:
            self._samples.append((now, offsets))
        seconds = now - first
        pairs = zip(before, offsets, strict=True)
        return Flow([_of(topic, partition, *pair, seconds) for partition, pair in enumerate(pairs)], round(seconds, 3))


def _of(topic: str, partition: int, before: Progress, now: Progress, seconds: float) -> PartitionFlow:
    return PartitionFlow(
        topic,
        partition,
        now.accepted,
        now.applied,
        max(now.lag, 0),
        _rate(now.accepted - before.accepted, seconds),
        _rate(now.applied - before.applied, seconds),
    )


def _rate(events: int, seconds: float) -> float | None:
    return round(events / seconds, 3) if seconds else None
