"""The embedded bus against a real disk: killed processes, second owners, full and read-only disks, damaged files."""

import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from engine.bus.base import Commit, Output, Record
from engine.bus.embedded import EmbeddedBus
from engine.core.errors import Corrupt, DirectoryInUse, DiskFull, EnvironmentFailure, StocklineError, UsageError

CHILD = [sys.executable, "-m", "tests.integration.crash_child"]
ROOT = Path(__file__).parents[2]
MIB = 1 << 20


def append(bus: EmbeddedBus, size: int = 100, count: int = 10) -> int:
    start = bus.end_offset(0)
    records = [Record(0, n, "sku", os.urandom(size), n) for n in range(start, start + count)]
    signals = [Output("signals", "row", f"s-{n}", b"%d" % n) for n in range(start, start + count)]
    bus.commit([Commit(0, records, [(b"s", b"%d" % start)], signals, [("row", start)], b"%d" % (start + count))])
    return start + count


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


# A process that is killed


def kill_while_it_commits(path: Path, after_seconds: float) -> list[int]:
    """The end offsets that were acknowledged before the kill."""
    child = subprocess.Popen([*CHILD, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    time.sleep(after_seconds)
    child.kill()
    told, _ = child.communicate(timeout=30)
    whole = [line for line in told.splitlines(keepends=True) if line.endswith("\n")]
    return [int(number) for number in whole[-1].split()] if whole else [0, 0]


def check_whole(bus: EmbeddedBus, partition: int) -> None:
    """Log, state, outputs, index and marker tell of the same records, no more and no fewer."""
    end = bus.end_offset(partition)
    log = bus.read_log(partition, 0, end + 1)
    assert [record.offset for record in log] == list(range(end))
    assert all(record.value == b"x" * (record.offset % 3000) for record in log)
    numbers = {b"%d" % n for n in range(end)}
    assert {value for _, value in bus.state.scan(b"s%d-" % partition, b"s%d." % partition)} == numbers
    assert {value for _, value in bus.state.scan(b"d%d-" % partition, b"d%d." % partition)} == numbers
    assert list(bus.published.history("signals", partition)) == [b"%d" % n for n in range(end)]
    assert len(bus.published.row_events(f"row-{partition}", None, end + 1)) == end
    assert bus.marker(partition) == (b"%d" % end if end else None)


def test_what_was_acknowledged_survives_kill_at_any_moment(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    for round_number in range(12):
        acknowledged = kill_while_it_commits(tmp_path, moments.uniform(0, 0.12))
        bus = EmbeddedBus.open(tmp_path, memory_mib=16)
        for partition in (0, 1):
            assert bus.end_offset(partition) >= acknowledged[partition], f"seed {seed}, round {round_number}"
            check_whole(bus, partition)
        assert bus.published.count("signals") == bus.end_offset(0) + bus.end_offset(1)
        bus.close()


# A second process


def test_a_second_owner_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    child = subprocess.Popen([*CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        with pytest.raises(DirectoryInUse, match=f"in use by process {child.pid}"):
            EmbeddedBus.open(tmp_path)
    finally:
        child.kill()
        child.communicate(timeout=30)
    EmbeddedBus.open(tmp_path).close()


def test_a_view_is_opened_beside_a_running_owner(tmp_path: Path) -> None:
    child = subprocess.Popen([*CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        for _ in range(10):
            acknowledged = [int(number) for number in child.stdout.readline().split()]
            view = EmbeddedBus.open(tmp_path, memory_mib=16, read_only=True)
            for partition in (0, 1):
                assert view.end_offset(partition) >= acknowledged[partition]
                check_whole(view, partition)
            with pytest.raises(UsageError, match="reading only"):
                view.commit([])
            view.close()
    finally:
        child.kill()
        child.communicate(timeout=30)


def test_a_view_needs_something_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no data"):
        EmbeddedBus.open(tmp_path / "nothing", read_only=True)
    assert not (tmp_path / "nothing").exists()


# A directory that cannot be written


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_in_the_place_of_the_directory(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(EnvironmentFailure, match=r"file.*(exists|directory)") as caught:
        EmbeddedBus.open(tmp_path / place)
    assert caught.value.exit_code == 3


@pytest.mark.real
def test_a_read_only_file_system(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=128m") as disk:
        end = filled(disk / "data")
        _run_mount("mount", "-o", "remount,ro", str(disk))
        with pytest.raises(EnvironmentFailure, match="Read-only file system") as caught:
            EmbeddedBus.open(disk / "data")
        assert str(disk / "data") in str(caught.value)
        view = EmbeddedBus.open(disk / "data", read_only=True)
        assert len(view.read_log(0, 0, 1000)) == end
        view.close()
        _run_mount("mount", "-o", "remount,rw", str(disk))
        bus = EmbeddedBus.open(disk / "data")
        assert bus.end_offset(0) == end
        bus.close()


# A full disk


def test_the_reserve_is_kept_free_and_the_bus_goes_on_once_there_is_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = EmbeddedBus.open(tmp_path, memory_mib=16, reserve_mib=64)
    end = append(bus)
    with monkeypatch.context() as patch:
        patch.setattr("tables.stores.rocksdb.RocksStore.bytes_free", lambda store: 64 * MIB)
        with pytest.raises(DiskFull, match=r"64 MiB are free.*64 MiB must stay so.*nothing was written") as caught:
            append(bus)
        assert caught.value.exit_code == 3
        assert bus.end_offset(0) == end
        assert len(bus.read_log(0, 0, 1000)) == end
    assert append(bus) == end + 10
    bus.close()
    bus = EmbeddedBus.open(tmp_path, memory_mib=16)
    assert bus.end_offset(0) == end + 10
    assert list(bus.published.history("signals", 0)) == [b"%d" % n for n in range(end + 10)]
    assert bus.published.count("signals") == end + 10
    bus.close()


@pytest.mark.real
def test_commits_stop_at_the_reserve_of_a_small_disk(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=32m") as disk:
        bus = EmbeddedBus.open(disk, memory_mib=16, reserve_mib=16)
        with pytest.raises(DiskFull, match="16 MiB must stay so"):
            fill(bus)
        assert bus.bytes_free() > 14 * MIB
        end = bus.end_offset(0)
        bus.close()
        check_reopened(disk, end)


@pytest.mark.real
def test_a_disk_that_fills_up_under_a_commit_loses_nothing_that_was_accepted(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=24m") as disk:
        bus = EmbeddedBus.open(disk / "data", memory_mib=16, reserve_mib=0)
        (disk / "ballast").write_bytes(bytes(4 * MIB))
        with pytest.raises(DiskFull, match=r"no space left|nothing was written") as caught:
            fill(bus)
        assert str(disk / "data") in str(caught.value)
        end = bus.end_offset(0)
        assert end > 0
        with pytest.raises(EnvironmentFailure):
            append(bus, size=MIB)
        bus.close()
        with suppress(DiskFull):
            EmbeddedBus.open(disk / "data", memory_mib=16).close()
        (disk / "ballast").unlink()
        check_reopened(disk / "data", end)


def test_a_limit_on_file_sizes_is_named(tmp_path: Path) -> None:
    bus = EmbeddedBus.open(tmp_path, memory_mib=16)
    end = append(bus)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))
    try:
        with pytest.raises(DiskFull, match="File too large"):
            append(bus, size=MIB)
        with pytest.raises(EnvironmentFailure, match="open the store again"):
            append(bus)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    bus.close()
    check_reopened(tmp_path, end)


def fill(bus: EmbeddedBus) -> None:
    for _ in range(1000):
        append(bus, size=20_000)


def check_reopened(path: Path, end: int, exactly: bool = False) -> None:
    """What was accepted is there, at most one more commit whose outcome was unknown, and new ones are taken."""
    bus = EmbeddedBus.open(path, memory_mib=16, reserve_mib=0)
    found = bus.end_offset(0)
    assert found == end or (found == end + 10 and not exactly)
    assert [record.offset for record in bus.read_log(0, 0, found + 1)] == list(range(found))
    assert list(bus.published.history("signals", 0)) == [b"%d" % n for n in range(found)]
    assert append(bus) == found + 10
    bus.close()


@contextmanager
def mounted(path: Path, options: str) -> Iterator[Path]:
    """A file system of its own, or a skip that says what is missing."""
    path.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("a small file system needs root and mount")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"a small file system needs the right to mount: {done.stderr.strip()}")
    try:
        yield path
    finally:
        _run_mount("umount", "-l", str(path))


def _run_mount(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


# Damaged files


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
    """The directory of a bus that did not get to close, and how long its write-ahead log was after each commit."""
    bus = EmbeddedBus.open(path / "live", memory_mib=16)
    lengths = []
    for size in sizes:
        append(bus, size)
        lengths.append(newest(path / "live", "*.log").stat().st_size)
    shutil.copytree(path / "live", path / "crashed")
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


# What a directory was made for


def test_the_number_of_partitions_is_fixed(tmp_path: Path) -> None:
    EmbeddedBus.open(tmp_path, partitions=3).close()
    with pytest.raises(UsageError, match="has 3 partitions, not 8"):
        EmbeddedBus.open(tmp_path, partitions=8)
    bus = EmbeddedBus.open(tmp_path)
    assert bus.partitions == 3
    bus.close()
    with pytest.raises(UsageError, match="1 to 1024"):
        EmbeddedBus.open(tmp_path / "none", partitions=0)


def test_a_newer_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("engine.bus.embedded_layout.FORMAT", 2)
        EmbeddedBus.open(tmp_path).close()
    with pytest.raises(UsageError, match="format 2; this version reads up to 1"):
        EmbeddedBus.open(tmp_path)


def test_every_failure_is_an_error_of_the_engine_once_the_bus_is_closed(tmp_path: Path) -> None:
    bus = EmbeddedBus.open(tmp_path)
    append(bus)
    bus.close()
    reads = [
        lambda: bus.state.get(b"s"),
        lambda: bus.state.get_many([b"s", b"d"]),
        lambda: bus.state.scan(b"a", b"z"),
        lambda: bus.published.latest("signals", "s-1"),
        lambda: list(bus.published.things("signals")),
        lambda: bus.published.row_events("row", None, 1),
        lambda: bus.read_log(0, 0, 10),
        lambda: append(bus),
    ]
    for read in reads:
        with pytest.raises(StocklineError, match="is closed"):
            read()
