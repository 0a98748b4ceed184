"""Topics as an engine wrote them, kept in memory, to be replayed at a chosen rate without the engine's own work."""

import random
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

import msgspec

from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Commit
from engine.core.rules import Rules
from engine.core.topics import Topic
from engine.core.values import SECOND, iso
from engine.runtime.single.engine import Engine

TICK_SECONDS = 0.05
"""So often a commit is replayed."""
PROBE = "0-PROBE"
"""The sku of a row that changes with every commit, so that its position counts them; it sorts before all others."""
LOCATIONS = ("LDS", "MAN", "BRS", "EDI")
THEN = 1_772_442_845_000_000
SEED = 10
LOADED = 2_000


Commits = Sequence[Commit]


class Recording(NamedTuple):
    """What an engine committed: until all rows were there, and then in each tick."""

    loading: list[Commits]
    ticks: list[Commits]


class Recorder:
    """An engine whose commits are kept."""

    def __init__(self) -> None:
        bus = MemoryBus()
        bus.observers.append(self)
        self._engine = Engine(bus, Rules(clock="log"))
        self._commits: list[Commits] = []

    def fold(self, events: Sequence[bytes]) -> None:
        """Let the engine fold some events."""
        self._engine.submit_all([events], THEN + SECOND)

    def take(self) -> list[Commits]:
        """What was committed since the last call."""
        taken, self._commits = self._commits, []
        return taken

    def committed(self, commits: Commits) -> None:
        """Keep commits."""
        self._commits.append(commits)

    def deleted(self, topic: Topic, names: Sequence[str]) -> None:
        """Nothing is old here."""

    def discarded(self) -> None:
        """Nothing is discarded here."""


def record(rows: int, rate: int, seconds: float) -> Recording:
    """Let an engine fold counts of `rows` rows, then `rate` adjustments a second; keep what it commits."""
    chance = random.Random(SEED)
    recorder = Recorder()
    names = [(PROBE, "LDS")] + [(f"S{n // len(LOCATIONS):06}", LOCATIONS[n % len(LOCATIONS)]) for n in range(rows - 1)]
    counted = [(sku, where, n % 997) for n, (sku, where) in enumerate(names)]
    for start in range(0, rows, LOADED):
        recorder.fold([_event("stock.counted", *row) for row in counted[start : start + LOADED]])
    loading = recorder.take()
    for _ in range(int(seconds / TICK_SECONDS)):
        chosen = [chance.choice(names[1:]) for _ in range(max(1, int(rate * TICK_SECONDS)) - 1)]
        moved = [(*names[0], 1), *((sku, where, chance.choice((-3, -2, -1, 1, 2, 5))) for sku, where in chosen)]
        recorder.fold([_event("stock.adjusted", *row, reason="bench") for row in moved])
    ticks = recorder.take()
    return Recording(loading, ticks)


_numbers = count()


def _event(kind: str, sku: str, location: str, qty: int, **more: str) -> bytes:
    # All within a second, for which a log clock does not tick; what moves happens after the counts.
    time = iso(THEN + (kind != "stock.counted"))
    event = {"specversion": "1.0", "id": f"b-{next(_numbers)}", "source": "bench", "type": kind, "time": time}
    return msgspec.json.encode({**event, "data": {"sku": sku, "location": location, "qty": qty, **more}})
