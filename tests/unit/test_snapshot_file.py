"""A snapshot of the rows: what comes back is what was there, and damage anywhere is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.bus import snapshot_file
from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Commit, Output
from engine.bus.snapshot_file import Head
from engine.core.errors import Corrupt, StocklineError, UsageError

ROWS = [(b"s%05d" % n, b"x" * (n % 70)) for n in range(5_000)]
POSITIONS = [Output("positions", f"SKU {n}\0LDS", f"SKU {n}\0LDS", b"%d" % n, "position.changed") for n in range(30)]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    bus = MemoryBus(3)
    bus.commit([Commit(2, (), ROWS, POSITIONS, (), b"marker of 2", 7)])
    path = tmp_path / "kept.rows"
    snapshot_file.save(path, Head([0, 0, 7], [None, None, b"marker of 2"], {"signals": [0, 1, 2]}), bus)
    return path


def test_rows_positions_and_markers_come_back(saved: Path) -> None:
    bus = MemoryBus(3)
    head = snapshot_file.load(saved, bus)
    assert head == snapshot_file.head_of(saved) == Head([0, 0, 7], [None, None, b"marker of 2"], {"signals": [0, 1, 2]})
    assert list(bus.state.scan(b"\0", b"\xff")) == ROWS
    assert sorted(bus.published.things("positions")) == sorted((each.key, each.value) for each in POSITIONS)
    assert [bus.marker(partition) for partition in range(3)] == [None, None, b"marker of 2"]


@pytest.mark.parametrize("part", [0.0, 0.001, 0.02, 0.5, 0.9, 0.9999])
def test_damage_anywhere_is_found(saved: Path, part: float) -> None:
    content = bytearray(saved.read_bytes())
    content[int(part * len(content))] ^= 0x55
    saved.write_bytes(content)
    bus = MemoryBus(3)
    with pytest.raises(StocklineError, match=str(saved)):
        snapshot_file.load(saved, bus)
    assert not list(bus.state.scan(b"\0", b"\xff"))


@pytest.mark.parametrize("cut", [1, 40, 5_000])
def test_a_file_that_is_cut_off_is_found(saved: Path, cut: int) -> None:
    saved.write_bytes(saved.read_bytes()[:-cut])
    with pytest.raises(Corrupt):
        snapshot_file.load(saved, MemoryBus(3))


def test_another_number_of_partitions_is_refused(saved: Path) -> None:
    with pytest.raises(UsageError, match="3 partitions, not 4"):
        snapshot_file.load(saved, MemoryBus(4))


@pytest.mark.parametrize(
    ("log", "begins", "ends", "reached"),
    [
        ([5, 5], [0, 0], [9, 9], True),
        ([5, 5], [5, 5], [5, 5], True),
        ([5, 5], [0, 6], [9, 9], False),
        ([5, 5], [0, 0], [9, 4], False),
        ([5, 5], [0], [9], False),
    ],
)
def test_which_logs_go_on_from_a_snapshot(log: list[int], begins: list[int], ends: list[int], reached: bool) -> None:
    assert Head(log, [None] * len(log)).reaches(begins, ends) == reached


def test_a_snapshot_that_could_not_be_finished_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        raise OSError(28, "No space left on device")

    bus = MemoryBus(1)
    bus.commit([Commit(0, (), ROWS, (), (), b"m", 0)])
    with pytest.raises(StocklineError, match="No space left"):
        snapshot_file.save(tmp_path / "kept.rows", Head([0], [b"m"]), bus, fail)
    assert not list(tmp_path.iterdir())
