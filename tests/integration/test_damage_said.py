"""Damage is said: `audit` reads all that the engine will read, and a start knows what was committed."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import pytest

from engine.bus.disk.bus import EmbeddedBus
from engine.bus.disk.committed import FILE
from engine.cli import main
from engine.core.rules import Rules
from engine.runtime.single.engine import Engine
from tests.integration.disk import flip, newest
from tests.integration.process import Stockline, event, stockline

SKUS = 30


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command as a person runs it, in this process."""

    def command(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["stockline", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        return Ran(int(end.value.code or 0), printed.out, printed.err)

    return command


def happenings(turn: int) -> Iterator[bytes]:
    """Events that leave something in every family: rows, signals, alerts, dead letters."""
    for n in range(SKUS):
        row = {"sku": f"S{n:03}", "location": "LDS"}
        policy = {"kind": "min_max", "min": 40, "max": 150}
        for made in (
            event("policy.set", f"{turn}-policy-{n}", **row, policy=policy),
            event("stock.counted", f"{turn}-count-{n}", **row, qty=20 + turn),
            event("stock.issued", f"{turn}-issue-{n}", **row, qty=n % 30 + 1),
            event("balance.reported", f"{turn}-report-{n}", **row, on_hand=n * 7),
        ):
            yield json.dumps(made).encode()
        yield b'{"specversion":"1.0","id":"refused-%d-%d"}' % (turn, n)


def fold(path: Path, turn: int) -> None:
    with closing(EmbeddedBus.open(path, memory_mib=16)) as bus:
        Engine(bus, Rules(clock="log")).submit(list(happenings(turn)), time.time_ns() // 1000)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory, of an engine that did not get to close, with a table file of each family and logged commits."""
    path = tmp_path_factory.mktemp("sound") / "data"
    fold(path, 0)
    with Stockline(path, "--clock", "log") as engine:
        for turn in range(1, 3):
            engine.call("POST", "/v1/events", b"\n".join(happenings(turn)), "application/x-ndjson")
        engine.kill()
    return path


def live_files(path: Path) -> list[Path]:
    return [*sorted(file for file in (path / "db").iterdir() if file.stat().st_size), path / FILE]


def is_whole(path: Path, run: Run) -> bool:
    """Whether the engine needs nothing that is damaged: it starts, reads and writes every row, and ends, twice."""
    for turn in range(3, 5):
        fold(path, turn)
    return run("audit", "--data", str(path)).code == 0


@pytest.mark.parametrize("part", [0.5, 0.97])
def test_audit_names_each_damaged_file_that_the_engine_needs(
    sound: Path, tmp_path: Path, run: Run, part: float
) -> None:
    assert run("audit", "--data", str(sound)).code == 0
    said, kinds = 0, set()
    for file in live_files(sound):
        path = tmp_path / file.name / "data"
        shutil.copytree(sound, path)
        damaged = path / file.relative_to(sound)
        flip(damaged, int(part * file.stat().st_size), 16)
        ran = run("audit", "--data", str(path))
        if ran.code == 0:
            assert is_whole(path, run), f"audit says nothing of {file.name}, which the engine needs"
            continue
        assert ran.code == 3, (file.name, ran)
        assert str(path) in ran.err
        assert "stockline-view" not in ran.err
        if file.suffix == ".sst":
            assert damaged.name in ran.err
            assert "backup" in ran.err
        said += 1
        kinds.add(file.suffix or file.name.partition("-")[0])
    assert {".sst", ".log"} <= kinds
    # The end of a MANIFEST may say what the write-ahead log says again; its middle never does.
    assert "MANIFEST" in kinds or part > 0.5
    assert said > 8


def test_audit_shows_the_disk_use(sound: Path, run: Run) -> None:
    ran = run("audit", "--data", str(sound), "--json")
    assert json.loads(ran.out)["disk_bytes"] >= sum(file.stat().st_size for file in (sound / "db").glob("*.sst"))


def found(name: str) -> dict[str, object]:
    return event("stock.adjusted", name, sku=f"S{crc32(name.encode()) % 50}", location="LDS", qty=3, reason="found")


def killed(path: Path) -> int:
    """A data directory whose engine was killed; how many events had a 202."""
    with Stockline(path, "--clock", "log") as engine:
        for batch in range(5):
            engine.send(*[found(f"{batch}-{n}") for n in range(40)])
        engine.kill()
    return 200


def test_a_start_without_the_write_ahead_log_says_what_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "data"
    killed(path)
    log = newest(path, "*.log")
    log.rename(tmp_path / log.name)
    for command in (["run", "--port", "0"], ["audit"]):
        ran = stockline(*command, "--data", str(path))
        assert ran.returncode == 3, ran
        said = ran.stderr.decode()
        assert "events that were accepted are not there any more" in said
        assert "partition 0: offsets 0 to" in said
        assert "*.log" in said
        assert "restore" in said
    # Nothing was changed: the file that was missing is taken when it is put back.
    (tmp_path / log.name).rename(log)
    with Stockline(path, "--clock", "log") as engine:
        assert sum(row["version"] for row in engine.everything("/v1/positions")) == 200
        assert engine.stop() == 0
    assert stockline("audit", "--data", str(path)).returncode == 0


def test_a_start_without_the_database_says_what_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "data"
    killed(path)
    shutil.rmtree(path / "db")
    ran = stockline("run", "--port", "0", "--data", str(path))
    assert ran.returncode == 3
    assert "events that were accepted are not there any more" in ran.stderr.decode()
    assert not (path / "db").exists()


def test_an_older_copy_of_the_database_is_not_taken_for_the_newest(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "data"
    fold(path, 0)
    shutil.copytree(path / "db", tmp_path / "older")
    fold(path, 1)
    shutil.rmtree(path / "db")
    (tmp_path / "older").rename(path / "db")
    ran = run("audit", "--data", str(path))
    assert ran.code == 3
    assert f"`{FILE}`" in ran.err


def test_a_write_ahead_log_that_was_closed_and_is_missing_is_named(tmp_path: Path) -> None:
    """Families reach their tables one by one: an older log is needed until the last of them has."""
    path = tmp_path / "data"
    with closing(EmbeddedBus.open(path, memory_mib=16)) as bus:
        engine = Engine(bus, Rules(clock="log"))
        engine.submit(list(happenings(0)), 1)
        bus._store.family("history").compact()  # noqa: SLF001
        engine.submit(list(happenings(1)), 2)
        shutil.copytree(path, tmp_path / "crashed")
    logs = sorted((tmp_path / "crashed" / "db").glob("*.log"))
    assert len(logs) == 2
    logs[0].unlink()
    ran = stockline("run", "--port", "0", "--data", str(tmp_path / "crashed"))
    assert ran.returncode == 3
    assert logs[0].name.lstrip("0").removesuffix(".log") in ran.stderr.decode()


def test_a_damaged_record_of_what_is_committed_costs_nothing(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "data"
    fold(path, 0)
    for place in (4, 4 + 512):
        flip(path / FILE, place, 8)
    fold(path, 1)
    assert run("audit", "--data", str(path)).code == 0
