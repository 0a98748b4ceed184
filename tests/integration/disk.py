"""What the disk tests share: a bus that is filled, closed, damaged and opened again."""

import os
from pathlib import Path

from engine.bus.disk.bus import EmbeddedBus
from engine.bus.single import Commit, Output, Record


def append(bus: EmbeddedBus, size: int = 100, count: int = 10) -> int:
    start = bus.end_offset(0)
    records = [Record(0, n, "sku", os.urandom(size), n) for n in range(start, start + count)]
    signals = [Output("signals", "row", f"s-{n}", b"%d" % n, "kind") for n in range(start, start + count)]
    end = start + count
    bus.commit([Commit(0, records, [(b"s", b"%d" % start)], signals, [("row", start)], b"%d" % end, end)])
    return end


def filled(path: Path, commits: int = 5) -> int:
    bus = EmbeddedBus.open(path, memory_mib=16)
    for _ in range(commits):
        append(bus)
    end = bus.end_offset(0)
    bus.close()
    return end


def flushed(path: Path) -> int:
    """A bus whose records are in table files: those of the write-ahead log become one when it is opened again."""
    filled(path)
    return filled(path, commits=1)


def newest(path: Path, pattern: str) -> Path:
    return max((path / "db").glob(pattern), key=lambda file: (file.stat().st_size > 0, file.name))


def flip(file: Path, at: int, count: int = 8) -> None:
    content = bytearray(file.read_bytes())
    content[at : at + count] = bytes(byte ^ 0xFF for byte in content[at : at + count])
    file.write_bytes(content)


def check_reopened(path: Path, end: int, exactly: bool = False) -> None:
    """What was accepted is there, at most one more commit whose outcome was unknown, and new ones are taken."""
    bus = EmbeddedBus.open(path, memory_mib=16, reserve_mib=0)
    found = bus.end_offset(0)
    assert found == end or (found == end + 10 and not exactly)
    assert [record.offset for record in bus.read_log(0, 0, found + 1)] == list(range(found))
    assert list(bus.published.history("signals", 0)) == [b"%d" % n for n in range(found)]
    assert append(bus) == found + 10
    bus.close()
