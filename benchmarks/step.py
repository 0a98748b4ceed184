"""The pure step on one core: decode, agents, encode; without the log, the disk and the network."""

import time
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from benchmarks.mix import SHARES, START, Mix
from engine.bus.disk.bus import EmbeddedBus
from engine.bus.single import Record
from engine.core.events import decode
from engine.core.rules import Rules
from engine.core.values import DAY
from engine.runtime.fold import Arrival, Fold
from engine.runtime.marker import Marker

BATCH = 1_000
ARRIVED = START + 30 * DAY


class Step:
    """One fold on an embedded bus; counts the CPU seconds of its steps and sums up what they said."""

    def __init__(self, place: Path) -> None:
        self._bus = EmbeddedBus.open(place, partitions=1)
        self._fold = Fold(self._bus.state, 0, 1, Rules(), Marker(), 512 << 20)
        self._checksum = blake2b(digest_size=8)
        self._offset = 0

    def run(self, events: Sequence[bytes]) -> float:
        """Fold events; answer the CPU seconds of it."""
        seconds = 0.0
        for start in range(0, len(events), BATCH):
            records = [
                Record(0, self._offset + n, "", raw, ARRIVED) for n, raw in enumerate(events[start : start + BATCH])
            ]
            self._offset += len(records)
            started = time.thread_time()
            step = self._fold.step([Arrival(record, decode(record.value)) for record in records], append=True)
            seconds += time.thread_time() - started
            self._bus.commit([step.commit])
            self._fold.committed()
            for output in step.commit.outputs:
                self._checksum.update(output.value)
        return seconds

    @property
    def checksum(self) -> str:
        """Of all that was published."""
        return self._checksum.hexdigest()


def measure(place: Path, rows: int, events: int, per_type: int) -> dict[str, Any]:
    """Events a second of CPU over the mix, and by type.

    Args:
        place: an empty folder for the rows, which are read from disk where they are not in memory.
        rows: how many rows the events are about.
        events: how many events of the mix.
        per_type: how many events of each type by itself.
    """
    mix, fold = Mix(rows), Step(place)
    fold.run(list(mix.setup()))
    stream = list(mix.stream(events))
    rate = len(stream) / fold.run(stream)
    by_type = {}
    for kind in SHARES:
        batch = [mix.event(kind, START + 2 * DAY + n * 1000, n * 7919 % rows) for n in range(per_type)]
        by_type[kind] = round(per_type / fold.run(batch))
    return {"rows": rows, "events": events, "rate": round(rate), "by_type": by_type, "checksum": fold.checksum}
