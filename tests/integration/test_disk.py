"""The embedded bus against a real disk: killed processes, second owners, full and read-only disks, damaged files."""

import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from engine.bus.disk.bus import EmbeddedBus
from engine.core.errors import DirectoryInUse, DiskFull, EnvironmentFailure, StocklineError, UsageError
from tables.catalogue import ROWS
from tests.integration.disk import append, check_reopened, filled

CHILD = [sys.executable, "-m", "tests.integration.crash_child"]
ROOT = Path(__file__).parents[2]
MIB = 1 << 20


# A process that is killed


def kill_while_it_commits(path: Path, after_seconds: float) -> list[int]:
    """The end offsets that were acknowledged before the kill."""
    child = subprocess.Popen([*CHILD, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    time.sleep(after_seconds)
    child.kill()
    # What was read together with the first line would be missing in what `communicate` returns.
    told = child.stdout.read()
    child.stdout.close()
    child.wait()
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
        child.communicate(timeout=120)
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
        child.communicate(timeout=120)


def test_a_view_needs_something_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no data"):
        EmbeddedBus.open(tmp_path / "nothing", read_only=True)
    assert not (tmp_path / "nothing").exists()


# A directory that cannot be written


@pytest.mark.parametrize(("place", "code"), [("file", 2), ("file/below", 3)])
def test_a_file_in_the_place_of_the_directory(tmp_path: Path, place: str, code: int) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(StocklineError, match=r"file.*(exists|directory)") as caught:
        EmbeddedBus.open(tmp_path / place)
    assert caught.value.exit_code == code


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
        patch.setattr("tables.stores.rocksdb.RocksStore.bytes_free", lambda _store: 64 * MIB)
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
        # The reserve is there for what RocksDB writes on its own: tables out of its write buffers (4 MiB here), each
        # of which may be on disk a second time while it is merged.
        assert bus.bytes_free() > (16 - 2 * 4) * MIB
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
        patch.setattr("engine.bus.disk.layout.FORMAT", ROWS + 1)
        EmbeddedBus.open(tmp_path).close()
    with pytest.raises(UsageError, match=f"format {ROWS + 1}; this version reads up to {ROWS}"):
        EmbeddedBus.open(tmp_path)


def test_every_failure_is_an_error_of_the_engine_once_the_bus_is_closed(tmp_path: Path) -> None:
    bus = EmbeddedBus.open(tmp_path)
    append(bus)
    bus.close()
    reads: list[Callable[[], object]] = [
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
