"""The embedded bus on damaged, missing and torn files: what was acknowledged is there or the damage is named."""

import os
import shutil
from pathlib import Path

import pytest

from engine.bus.disk.bus import EmbeddedBus
from engine.bus.disk.committed import FILE
from engine.core.errors import Corrupt
from tests.integration.disk import append, check_reopened, filled, flip, flushed, newest


def refused(path: Path) -> str:
    """Both ways of opening refuse the directory and name the file; nothing is changed by it."""
    with pytest.raises(Corrupt) as view:
        EmbeddedBus.open(path, read_only=True)
    with pytest.raises(Corrupt) as caught:
        EmbeddedBus.open(path)
    assert caught.value.exit_code == 3
    assert str(path) in str(caught.value)
    assert "backup" in str(caught.value)
    assert type(view.value) is Corrupt
    return str(caught.value)


def test_a_damaged_table_file(tmp_path: Path) -> None:
    flushed(tmp_path)
    table = newest(tmp_path, "*.sst")
    flip(table, table.stat().st_size - 60, 40)
    assert table.name in refused(tmp_path)


def test_a_missing_table_file(tmp_path: Path) -> None:
    flushed(tmp_path)
    table = newest(tmp_path, "*.sst")
    table.unlink()
    assert table.name in refused(tmp_path)


def test_a_damaged_manifest(tmp_path: Path) -> None:
    flushed(tmp_path)
    flip(newest(tmp_path, "MANIFEST-*"), 40)
    assert "MANIFEST" in refused(tmp_path)


def test_a_missing_manifest(tmp_path: Path) -> None:
    flushed(tmp_path)
    newest(tmp_path, "MANIFEST-*").unlink()
    assert "MANIFEST" in refused(tmp_path)


def test_a_missing_current_file_does_not_start_afresh(tmp_path: Path) -> None:
    end = filled(tmp_path)
    (tmp_path / "db" / "CURRENT").rename(tmp_path / "CURRENT")
    assert "CURRENT" in refused(tmp_path)
    (tmp_path / "CURRENT").rename(tmp_path / "db" / "CURRENT")
    check_reopened(tmp_path, end)


def crashed(path: Path, sizes: list[int]) -> tuple[Path, list[int]]:
    """The directory of a bus that ended in its last commit, and how long its write-ahead log was after each.

    The last commit was not acknowledged: it is not yet in the file of what is known to be committed.
    """
    bus = EmbeddedBus.open(path / "live", memory_mib=16)
    lengths, known = [], b""
    for size in sizes:
        known = (path / "live" / FILE).read_bytes()
        append(bus, size)
        lengths.append(newest(path / "live", "*.log").stat().st_size)
    shutil.copytree(path / "live", path / "crashed")
    (path / "crashed" / FILE).write_bytes(known)
    bus.close()
    return path / "crashed", lengths


def test_damage_in_the_middle_of_the_write_ahead_log(tmp_path: Path) -> None:
    path, lengths = crashed(tmp_path, [100] * 5)
    flip(newest(path, "*.log"), lengths[2] + 100)
    refused(path)


def test_a_log_that_ends_before_its_marker(tmp_path: Path) -> None:
    bus = EmbeddedBus.open(tmp_path, memory_mib=16)
    append(bus)
    store, log = bus._store, bus._log  # noqa: SLF001
    batch = store.batch()
    batch.delete(b"\0\0" + (9).to_bytes(8, "big"), log.handle)
    store.write(batch)
    bus.close()
    del store, log
    (tmp_path / FILE).unlink()
    assert "ends at 9, but 10 records were committed" in refused(tmp_path)


@pytest.mark.parametrize("lost", [1, 3, 50, 700])
def test_a_torn_end_of_the_write_ahead_log_costs_only_what_was_never_acknowledged(tmp_path: Path, lost: int) -> None:
    path, lengths = crashed(tmp_path, [100] * 5)
    os.truncate(newest(path, "*.log"), lengths[4] - lost)
    check_reopened(path, 40, exactly=True)


@pytest.mark.parametrize("reached", [0, 3, 600, 40_000])
def test_a_write_ahead_log_longer_than_what_reached_the_disk(tmp_path: Path, reached: int) -> None:
    path, lengths = crashed(tmp_path, [100, 20_000])
    log = newest(path, "*.log")
    os.truncate(log, lengths[0] + reached)
    os.truncate(log, lengths[1])
    check_reopened(path, 10, exactly=True)


def test_zeros_at_the_end_do_not_excuse_damage_before(tmp_path: Path) -> None:
    path, lengths = crashed(tmp_path, [100, 100, 20_000])
    log = newest(path, "*.log")
    os.truncate(log, lengths[1] + 40_000)
    os.truncate(log, lengths[2])
    flip(log, lengths[0] + 100)
    refused(path)
