"""What waits for a subscriber: everything in its order, or only the latest of each thing."""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from engine.bus.point import Point
from engine.bus.single import Output
from engine.core.topics import HISTORIES, Topic

PIECE_OUTPUTS = 500
"""So many outputs of those that wait are taken at once where only the latest counts."""


class Batch(NamedTuple):
    """Outputs, the point that a reader of them has reached (None in the middle), and how many were left out before."""

    outputs: Sequence[Output]
    point: Point | None
    left_out: int = 0

    def of(self, topics: frozenset[Topic]) -> "Batch":
        """The batch without the outputs of other topics."""
        return self._replace(outputs=[output for output in self.outputs if output.topic in topics])


class Waiting(Protocol):
    """Batches that a subscriber has not taken yet; `size` is the sum of their outputs' bytes."""

    size: int

    @property
    def outputs(self) -> int:
        """How many outputs wait, or were left out and that was not told yet."""

    def put(self, batch: Batch) -> None:
        """Let a batch wait."""

    def take(self) -> Batch | None:
        """Take what has waited longest; None where nothing waits."""


class InOrder:
    """Every batch waits, in order."""

    def __init__(self) -> None:
        self.size = 0
        self._batches: deque[Batch] = deque()

    @property
    def outputs(self) -> int:
        """How many outputs wait."""
        return sum(len(batch.outputs) for batch in self._batches)

    def put(self, batch: Batch) -> None:
        """Let a batch wait behind the others."""
        self._batches.append(batch)
        self.size += size_of(batch.outputs)

    def take(self) -> Batch | None:
        """Take the first batch."""
        if not self._batches:
            return None
        batch = self._batches.popleft()
        self.size -= size_of(batch.outputs)
        return batch


class LatestOnly:
    """Only the latest output of each thing waits (conflation).

    What waits is told in sweeps. What changes meanwhile waits for the next sweep, also where it had a place in this
    one; so at the end of a sweep the reader has come to the point at which it began.
    """

    def __init__(self) -> None:
        self.size = 0
        self._sweep: dict[tuple[Topic, str], Output] = {}
        self._next: dict[tuple[Topic, str], Output] = {}
        self._swept: Point | None = None
        self._reached: Point | None = None
        self._left_out = 0

    @property
    def outputs(self) -> int:
        """How many outputs wait, or were left out and that was not told yet."""
        return len(self._sweep) + len(self._next) + self._left_out

    def put(self, batch: Batch) -> None:
        """Let the outputs wait in the place of earlier ones of the same things."""
        for output in batch.outputs:
            name = (output.topic, output.id if output.topic in HISTORIES else output.key)
            former = self._next.pop(name, None) or self._sweep.pop(name, None)
            if former is not None:
                self._left_out += 1
                self.size -= len(former.value)
            self._next[name] = output
            self.size += len(output.value)
        self._reached = batch.point

    def take(self) -> Batch | None:
        """Take a piece of the sweep; its last piece has the point."""
        if not self._sweep:
            self._sweep, self._next, self._swept = self._next, {}, self._reached
        names = list(islice(self._sweep, PIECE_OUTPUTS))
        if not names:
            return None
        outputs = [self._sweep.pop(name) for name in names]
        self.size -= size_of(outputs)
        left_out, self._left_out = self._left_out, 0
        return Batch(outputs, None if self._sweep else self._swept, left_out)


def size_of(outputs: Sequence[Output]) -> int:
    """The bytes of the outputs' values."""
    return sum([len(output.value) for output in outputs])
