"""Columns over a bus in memory, for tests that ask for lists."""

from engine.bus.memory.bus import MemoryBus
from engine.columns.columns import Columns
from engine.runtime.marker import read_marker


def listed(bus: MemoryBus) -> Columns:
    """Columns that are loaded from a bus, and are told of what it commits from now on."""
    columns = Columns(bus, lambda marker: read_marker(marker).now, lambda _as_of: 0.0)
    bus.observers.append(columns.feed)
    columns.load()
    return columns
