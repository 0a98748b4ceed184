"""The pure step on one core: decode, agents, encode; without the log, the disk and the network."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

from benchmarks.mix import START, Mix
from engine.bus.disk.bus import EmbeddedBus
from engine.bus.single import Bus, Record
from engine.core.events import decode
from engine.core.outcomes import Rejection
from engine.core.values import DAY, instant
from engine.runtime.arrivals import Arrival
from engine.runtime.fold import Fold
from engine.runtime.marker import Marker

BATCH = 1_000
ARRIVED = START + 30 * DAY

Punctuality = Literal["late", "punctual"]
"""Whether events arrive 30 days after the first of them, when open order lines are overdue, or when they happen."""
PUNCTUALITIES: tuple[Punctuality, ...] = ("late", "punctual")


class Stopwatch:
    """The CPU seconds of the pieces that it has timed."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def piece(self) -> Iterator[None]:
        """Add what runs within."""
        started = time.thread_time()
        yield
        self.seconds += time.thread_time() - started


class Step:
    """One fold on a bus. Each of its steps runs within a measured piece; what they publish is summed up."""

    def __init__(self, bus: Bus, punctuality: Punctuality, piece: Callable[[], AbstractContextManager[None]]) -> None:
        self._bus = bus
        self._punctuality = punctuality
        self._piece = piece
        self._fold = Fold(bus.state, 0, 1, Marker(), 512 << 20)
        self._checksum = blake2b(digest_size=8)
        self._offset = 0

    def run(self, events: Sequence[bytes]) -> None:
        """Fold events in batches, and commit each."""
        for start in range(0, len(events), BATCH):
            batch = events[start : start + BATCH]
            records = [Record(0, self._offset + n, "", raw, self._arrived(raw)) for n, raw in enumerate(batch)]
            self._offset += len(records)
            with self._piece():
                step = self._fold.step([Arrival(record, decode(record.value)) for record in records], append=True)
            self._bus.commit([step.commit])
            self._fold.committed()
            for output in step.commit.outputs:
                self._checksum.update(output.value)

    def _arrived(self, raw: bytes) -> int:
        """When an event of the mix arrives."""
        if self._punctuality == "late":
            return ARRIVED
        event = decode(raw)
        if isinstance(event, Rejection):
            raise RuntimeError(f"the mix holds an event that is refused: {event.detail}")
        return instant(event.time)

    @property
    def checksum(self) -> str:
        """Of all that was published."""
        return self._checksum.hexdigest()


def measure(place: Path, rows: int, events: int, per_type: int, punctuality: Punctuality = "late") -> dict[str, Any]:
    """Events a second of CPU over the mix, and by type.

    Args:
        place: an empty folder for the rows, which are read from disk where they are not in memory.
        rows: how many rows the events are about.
        events: how many events of the mix.
        per_type: how many events of each type by itself.
        punctuality: when the events arrive.
    """
    mix, watch = Mix(rows), Stopwatch()
    steps = Step(EmbeddedBus.open(place, partitions=1), punctuality, watch.piece)

    def rate(batch: Sequence[bytes]) -> int:
        watch.seconds = 0.0
        steps.run(batch)
        return round(len(batch) / watch.seconds)

    steps.run(list(mix.setup()))
    whole = rate(list(mix.stream(events)))
    by_type = {kind: rate(batch) for kind, batch in mix.by_type(per_type)}
    return {"rows": rows, "events": events, "rate": whole, "by_type": by_type, "checksum": steps.checksum}
