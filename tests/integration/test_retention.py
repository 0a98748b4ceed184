"""Retention on one machine: what is old goes, what tells of it stays, and `audit` begins at a snapshot of the rows."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.bus.disk.bus import EmbeddedBus
from engine.core.rules import Rules
from engine.core.values import DAY, iso
from engine.runtime.retention import Retention
from engine.runtime.single.engine import Engine
from tests.integration.disk import flip
from tests.integration.process import Stockline, event, stockline

KEPT_DAYS = 10
OLD_DAYS = 30
SKUS = 25


def happenings(day: int, at: int) -> list[bytes]:
    """What happens on a day: stock falls below the trigger and rises again, so that signals open and are withdrawn."""
    when = iso(at)
    made = [b'{"specversion":"1.0","id":"refused-%d"}' % day]
    for n in range(SKUS):
        row = {"sku": f"S{n:03}", "location": "LDS"}
        if not day:
            policy = {"kind": "min_max", "min": 40, "max": 150}
            made.append(json.dumps(event("policy.set", f"policy-{n}", when, **row, policy=policy)).encode())
        for kind, data in (
            ("stock.counted", {"qty": 100 if day % 2 else 20}),
            ("stock.issued", {"qty": 1}),
        ):
            made.append(json.dumps(event(kind, f"{kind}-{day}-{n}", when, **row, **data)).encode())
    return made


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that was begun 30 days ago and heard something every day."""
    path = tmp_path_factory.mktemp("aged") / "data"
    now = time.time_ns() // 1000
    with closing(EmbeddedBus.open(path, partitions=2, memory_mib=16)) as bus:
        engine = Engine(bus, Rules())
        for day in range(OLD_DAYS):
            # Half a day lies between what is deleted and what is kept: however late a test begins, it is the same days.
            at = now - (OLD_DAYS - day) * DAY + DAY // 2
            engine.tick(at)
            engine.submit(happenings(day, at), at)
        engine.tick(now)
    return path


def begins(path: Path) -> list[int]:
    with closing(EmbeddedBus.open(path, read_only=True)) as bus:
        return [bus.begin_offset(partition) for partition in range(bus.partitions)]


def entries(path: Path, family: str) -> int:
    with closing(EmbeddedBus.open(path, read_only=True)) as bus:
        return sum(1 for _ in bus._store.family(family).scan(b"", b"\xff" * 20))  # noqa: SLF001


def retained(path: Path, until: str = "were deleted from the log") -> Stockline:
    """An engine whose first pass of retention has come as far as to say `until`."""
    engine = Stockline(path, "--retention-days", str(KEPT_DAYS))
    try:
        deadline = time.monotonic() + 240
        while until not in engine.errors():
            assert time.monotonic() < deadline, engine.errors()
            time.sleep(0.05)
    except BaseException:
        engine.end()
        raise
    return engine


@pytest.fixture(scope="module")
def cut(aged: Path) -> Path:
    """The same after a pass of retention."""
    path = aged.parent / "cut"
    shutil.copytree(aged, path)
    with retained(path) as engine:
        assert engine.stop() == 0
    return path


def audited(path: Path, *arguments: str) -> dict[str, Any]:
    ran = stockline("audit", "--data", str(path), "--json", *arguments)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


def test_what_is_old_goes_and_the_audit_begins_at_a_snapshot(aged: Path, tmp_path: Path) -> None:
    path = tmp_path / "data"
    shutil.copytree(aged, path)
    assert (whole := audited(path))["since"] is None
    with retained(path) as engine:
        positions, signals = engine.everything("/v1/positions"), engine.get("/v1/signals?limit=1000")
        letters = engine.everything("/v1/dead-letters")
        assert "stockline_disk_bytes" in engine.call("GET", "/metrics").body.decode()
        row_events = engine.get("/v1/positions/S001/LDS/events?limit=100")["items"]
        engine.send(event("stock.issued", "new", sku="S001", location="LDS", qty=1))
        assert engine.stop() == 0
    # A third of 30 days is kept: all rows, the events and refusals of ten days, and no signal that ended before.
    assert len(positions) == SKUS
    assert len(letters) == KEPT_DAYS
    assert len(row_events) == 2 * KEPT_DAYS
    assert signals["total"] == len(signals["items"]) == SKUS * KEPT_DAYS / 2
    assert min(begins(path)) > 0
    for family in ("log", "touched", "dedupe", "history"):
        assert entries(path, family) < 0.4 * entries(aged, family), family
    tail = audited(path)
    assert tail["since"] is not None
    assert 0 < tail["records"] < whole["records"] / 10
    # The event that was sent since is one more movement that is kept.
    assert (tail["rows"], tail["positions"]) == (whole["rows"] + 1, whole["positions"])
    assert tail["disk_bytes"] > 0
    with Stockline(path, "--retention-days", str(KEPT_DAYS)) as engine:
        # A repeat of what is still in the log is known, and numbers go on where they were.
        assert engine.post("/v1/events", event("stock.issued", "new", sku="S001", location="LDS", qty=1)).status == 202
        assert engine.stop() == 0
    assert audited(path)["records"] > tail["records"]


def test_a_kill_in_the_middle_costs_nothing(aged: Path, tmp_path: Path) -> None:
    path = tmp_path / "data"
    shutil.copytree(aged, path)
    with retained(path, "the rows are kept") as engine:
        engine.kill()
    rows = audited(path)["rows"]
    with retained(path) as engine:
        assert engine.stop() == 0
    assert begins(path) > [0, 0]
    assert audited(path)["rows"] == rows


def test_a_row_that_was_changed_after_the_snapshot_is_found(cut: Path, tmp_path: Path) -> None:
    path = tmp_path / "data"
    shutil.copytree(cut, path)
    with closing(EmbeddedBus.open(path)) as bus:
        store = bus._store  # noqa: SLF001
        key, value = next(iter(store.family("latest").scan(b"p", b"q")))
        batch = store.batch()
        batch.put(key, value.replace(b'"available":', b'"available":1'), store.family("latest").handle)
        store.write(batch)
        del store, batch
    ran = stockline("audit", "--data", str(path))
    assert ran.returncode == 1, ran
    assert b"data.available: kept 1100, folded again 100" in ran.stderr


def test_the_snapshot_is_checked_and_missed(cut: Path, tmp_path: Path) -> None:
    path = tmp_path / "data"
    shutil.copytree(cut, path)
    rows = next((path / "snapshots").glob("*.rows"))
    flip(rows, rows.stat().st_size // 2)
    ran = stockline("audit", "--data", str(path))
    assert (ran.returncode, rows.name in ran.stderr.decode()) == (3, True)
    rows.unlink()
    ran = stockline("audit", "--data", str(path))
    assert (ran.returncode, b"snapshot of the rows" in ran.stderr) == (3, True)


def test_a_backup_takes_the_snapshot_along(cut: Path, tmp_path: Path) -> None:
    assert stockline("backup", "--data", str(cut), str(tmp_path / "copy")).returncode == 0
    assert stockline("restore", str(tmp_path / "copy"), "--data", str(tmp_path / "back")).returncode == 0
    assert begins(tmp_path / "back") == begins(cut)
    assert audited(tmp_path / "back")["since"] is not None


def test_an_audit_saves_rows_for_the_next(aged: Path, tmp_path: Path) -> None:
    rows = tmp_path / "kept.rows"
    whole = audited(aged, "--save", str(rows))
    again = audited(aged, "--from", str(rows))
    assert (again["records"], again["since"]) == (0, rows.name)
    assert again["rows"] == whole["rows"]
    ran = stockline("audit", "--data", str(aged), "--save", str(rows))
    assert (ran.returncode, b"exists" in ran.stderr) == (2, True)
    other = tmp_path / "other.rows"
    other.write_bytes(b"something else")
    ran = stockline("audit", "--data", str(aged), "--from", str(other))
    assert (ran.returncode, b"no snapshot" in ran.stderr) == (2, True)


def test_a_clock_that_runs_ahead_deletes_nothing(aged: Path, tmp_path: Path) -> None:
    shutil.copytree(aged, tmp_path / "data")
    with closing(EmbeddedBus.open(tmp_path / "data", memory_mib=16)) as bus:
        assert Retention(bus, OLD_DAYS + 1, lambda: time.time_ns() // 1000 + 365 * DAY).apply() == 0
        assert bus.published.first("signals", 0) == bus.published.first("dead-letters", 0) == 0


def test_days_that_do_not_reach_the_window_of_duplicates_are_refused(tmp_path: Path) -> None:
    ran = stockline("run", "--data", str(tmp_path / "data"), "--retention-days", "7")
    assert (ran.returncode, b"must be more than duplicate_days" in ran.stderr) == (2, True)


def test_without_the_setting_everything_is_kept(aged: Path, tmp_path: Path) -> None:
    path = tmp_path / "data"
    shutil.copytree(aged, path)
    with Stockline(path) as engine:
        time.sleep(1)
        assert engine.stop() == 0
    assert begins(path) == [0, 0]
    assert not (path / "snapshots").exists()
