"""The topic of positions as an engine writes it, made before it is replayed, without the engine's own work."""

import random
from typing import NamedTuple

import msgspec

from engine.bus.single import Commit, Output
from engine.core.outputs import Position, position_changed
from engine.core.rules import Rules
from engine.core.values import moment, row_key
from engine.runtime.marker import Marker

TICK_SECONDS = 0.05
"""So often a commit is replayed."""
PROBE = "0-PROBE"
"""The sku of a row that changes with every commit, so that its position counts them; it sorts before all others."""
RULES = Rules(clock="log")
LOCATIONS = ("LDS", "MAN", "BRS", "EDI")
THEN = 1_772_442_845_000_000
SEED = 10


class Recording(NamedTuple):
    """What was published: all rows as they were at first, and then a commit for each tick."""

    rows: Commit
    ticks: list[Commit]


class Recorder:
    """Rows whose stock is adjusted."""

    def __init__(self, rows: int) -> None:
        self._names = [(PROBE, "LDS")]
        self._names += [(f"S{n // len(LOCATIONS):06}", LOCATIONS[n % len(LOCATIONS)]) for n in range(rows - 1)]
        self._available = [n % 997 for n in range(rows)]
        self._versions = [0] * rows
        self._offset = 0

    def commit(self, moved: dict[int, int]) -> Commit:
        """The commit of adjustments; row -> units."""
        outputs = [self._output(row, units) for row, units in moved.items()]
        marker = Marker(self._offset, THEN, {}, RULES)
        return Commit(0, (), (), outputs, (), msgspec.msgpack.encode(marker), self._offset)

    def _output(self, row: int, units: int) -> Output:
        (sku, location), at = self._names[row], moment(THEN + self._offset)
        self._available[row] += units
        self._versions[row] += 1
        n = self._available[row]
        position = Position(sku, location, n, 0, n, 0, n, 0, 0, n, self._versions[row], at)
        key, value = row_key(sku, location), position_changed(position, f"0-{self._offset}")
        self._offset += 1
        return Output("positions", key, key, value, "position.changed")


def record(rows: int, rate: int, seconds: float) -> Recording:
    """All rows, then `rate` changes a second for so many seconds; the same seed gives the same bytes."""
    chance = random.Random(SEED)
    recorder = Recorder(rows)
    first = recorder.commit(dict.fromkeys(range(rows), 0))
    ticks = []
    for _ in range(int(seconds / TICK_SECONDS)):
        chosen = [chance.randrange(1, rows) for _ in range(max(1, int(rate * TICK_SECONDS)) - 1)]
        ticks.append(recorder.commit({0: 1} | {row: chance.choice((-3, -2, -1, 1, 2, 5)) for row in chosen}))
    return Recording(first, ticks)
