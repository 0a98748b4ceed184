"""Backups of a running engine: consistent, complete up to the offsets that they state, and back elsewhere."""

from __future__ import annotations

import json
import threading
import time
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from engine.bus.disk.bus import EmbeddedBus
from tests.integration.disk import filled, flip
from tests.integration.process import Stockline, stockline

EVENTS_PER_SECOND = 5_000
BATCH = 500
WAIT_SECONDS = 240
MOVED = (
    b'{"specversion":"1.0","id":"%b","source":"test","type":"stock.adjusted","time":"2026-03-02T09:14:05Z",'
    b'"data":{"sku":"S%d","location":"LDS","qty":1,"reason":"found"}}'
)


class Load(threading.Thread):
    """Posts batches of new events at a steady rate until it is told to end or its engine is gone."""

    def __init__(self, engine: Stockline) -> None:
        super().__init__()
        self._engine = engine
        self.ending = threading.Event()
        self.accepted: list[str] = []

    def run(self) -> None:
        started = time.monotonic()
        while not self.ending.is_set():
            names = [str(len(self.accepted) + n) for n in range(BATCH)]
            body = b"\n".join([MOVED % (name.encode(), int(name) % 997) for name in names])
            try:
                answer = self._engine.call("POST", "/v1/events", body, "application/x-ndjson")
            except (OSError, HTTPException):
                return
            assert answer.status == 202, answer
            self.accepted += names
            self.ending.wait(started + len(self.accepted) / EVENTS_PER_SECOND - time.monotonic())

    def more(self, count: int) -> list[str]:
        """Everything that is accepted, once at least so many more events are than at the call."""
        enough, deadline = len(self.accepted) + count, time.monotonic() + WAIT_SECONDS
        while len(self.accepted) < enough:
            assert self.is_alive(), "the load has ended"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return list(self.accepted)


def log_of(path: Path) -> dict[str, tuple[int, int]]:
    """The place in the log of each event by its id; the clock's own are left out."""
    with closing(EmbeddedBus.open(path, read_only=True)) as bus:
        records = [record for p in range(bus.partitions) for record in bus.read_log(p, 0, bus.end_offset(p))]
    read = [(json.loads(record.value), (record.partition, record.offset)) for record in records]
    return {told["id"]: place for told, place in read if told["source"] == "test"}


def told(ran: Any) -> dict[str, Any]:
    assert ran.returncode == 0, ran.stderr.decode()
    contents: dict[str, Any] = json.loads(ran.stdout)
    return contents


def test_a_backup_under_load_has_every_accepted_event_below_its_offsets(tmp_path: Path) -> None:
    live, copy, back = tmp_path / "live", tmp_path / "backup", tmp_path / "elsewhere" / "data"
    with Stockline(live, "--clock", "log") as engine:
        load = Load(engine)
        load.start()
        before = load.more(10 * BATCH)
        ends = told(stockline("backup", "--data", str(live), str(copy), "--json"))["log_ends"]
        load.more(10 * BATCH)
        engine.kill()
        load.ending.set()
        load.join()
    assert told(stockline("restore", str(copy), "--data", str(back), "--json"))["log_ends"] == ends
    audited = stockline("audit", "--data", str(back))
    assert audited.returncode == 0, audited.stdout + audited.stderr
    there, restored = log_of(live), log_of(back)
    assert len(restored) <= sum(ends)
    below = [name for name in load.accepted if there[name][1] < ends[there[name][0]]]
    assert all(restored[name] == there[name] for name in below)
    assert set(before) <= set(below), "what had a 202 before the backup began is in it"
    with Stockline(back, "--clock", "log") as engine:
        assert sum(row["version"] for row in engine.everything("/v1/positions")) == len(restored)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    filled(tmp_path / "data")
    ran = stockline("backup", "--data", str(tmp_path / "data"), str(tmp_path / "copy"))
    assert ran.returncode == 0, ran.stderr
    assert b"partition 0: the log from offset 0 to before 50" in ran.stdout
    return tmp_path / "copy"


@pytest.mark.parametrize("pattern", ["db/*.sst", "db/MANIFEST-*", "db/CURRENT", "committed", "backup.json"])
def test_restore_refuses_a_damaged_backup_and_leaves_nothing(copy: Path, tmp_path: Path, pattern: str) -> None:
    file = max(copy.glob(pattern), key=lambda file: file.stat().st_size)
    flip(file, file.stat().st_size // 2)
    ran = stockline("restore", str(copy), "--data", str(tmp_path / "back"))
    assert ran.returncode == 3
    assert file.name in ran.stderr.decode()
    assert not any((tmp_path / "back").glob("*"))


def test_restore_refuses_what_is_not_empty_or_not_finished(copy: Path, tmp_path: Path) -> None:
    ran = stockline("restore", str(copy), "--data", str(tmp_path / "data"))
    assert (ran.returncode, b"is not empty" in ran.stderr) == (2, True)
    (copy / "backup.json").unlink()
    ran = stockline("restore", str(copy), "--data", str(tmp_path / "back"))
    assert (ran.returncode, b"no finished backup" in ran.stderr) == (2, True)


def test_backup_refuses_damage_and_folders_in_use(copy: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    ran = stockline("backup", "--data", str(data), str(copy))
    assert (ran.returncode, b"is not empty" in ran.stderr) == (2, True)
    ran = stockline("backup", "--data", str(tmp_path / "nothing"), str(tmp_path / "other"))
    assert ran.returncode == 2
    filled(data, commits=1)
    table = max((data / "db").glob("*.sst"), key=lambda file: file.stat().st_size)
    flip(table, table.stat().st_size // 3, 40)
    ran = stockline("backup", "--data", str(data), str(tmp_path / "other"))
    assert (ran.returncode, table.name in ran.stderr.decode()) == (3, True)
    assert not any((tmp_path / "other").glob("*"))


def test_what_was_sent_after_a_backup_is_sent_to_the_restored_log_again(tmp_path: Path) -> None:
    live, copy, back, file = tmp_path / "live", tmp_path / "copy", tmp_path / "back", tmp_path / "moved.ndjson"
    with Stockline(live, "--clock", "log") as engine:
        file.write_bytes(b"".join([MOVED % (b"%d" % n, n) + b"\n" for n in range(30)]))
        assert b"30 accepted" in stockline("send", str(file), "--url", engine.url).stdout
        told(stockline("backup", "--data", str(live), str(copy), "--json"))
        file.write_bytes(b"".join([MOVED % (b"%d" % n, n) + b"\n" for n in range(50)]))
        assert b"20 accepted" in stockline("send", str(file), "--url", engine.url).stdout
        log = engine.get("/v1/sync")["log"]
    told(stockline("restore", str(copy), "--data", str(back), "--json"))
    with Stockline(back, "--clock", "log") as engine:
        assert engine.get("/v1/sync")["log"] != log, "two logs that have gone different ways are not one"
        ran = stockline("send", str(file), "--url", engine.url)
        assert b"20 accepted, 30 duplicates" in ran.stdout
        rows = engine.everything("/v1/positions")
        assert [(row["available"], row["version"]) for row in rows] == [(1, 1)] * 50
        assert engine.stop() == 0
    assert clean(back)


def clean(data: Path) -> bool:
    ran = stockline("audit", "--data", str(data))
    return (ran.returncode, b"no differences" in ran.stdout) == (0, True)
