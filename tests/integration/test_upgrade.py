"""Data directories of the former format: refused by all commands but `stockline upgrade`, which folds the log anew.

`tests/data/format-1.tar.gz` was written by the version before: two partitions, its clock the log's, the first 60 lines
of `tests/golden/log.ndjson` and one line that is no JSON.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import signal
import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.bus.disk.bus import EmbeddedBus
from engine.bus.disk.former import FormerBus
from engine.bus.single import Record
from tests.integration.process import ROOT, Stockline, environment, stockline

FORMER = ROOT / "tests" / "data" / "format-1.tar.gz"
SENT = (ROOT / "tests" / "golden" / "log.ndjson").read_bytes().splitlines()[:60]
KILLED = """
import importlib, itertools, os, signal, sys
from engine.cli import main
module, name, count = sys.argv.pop(1), sys.argv.pop(1), int(sys.argv.pop(1))
owner = importlib.import_module(module)
*parents, name = name.split(".")
for parent in parents:
    owner = getattr(owner, parent)
step, calls = getattr(owner, name), itertools.count()
def killed(*arguments, **named):
    if next(calls) == count:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(*arguments, **named)
setattr(owner, name, killed)
main()
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with tarfile.open(FORMER) as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path / "data"


def records(bus: EmbeddedBus) -> list[Record]:
    return [record for p in range(bus.partitions) for record in bus.read_log(p, 0, bus.end_offset(p))]


def sums(folder: Path) -> dict[str, str]:
    """The files of a directory; its lock is not of the data."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "stockline.lock"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def upgraded(data: Path) -> dict[str, Any]:
    ran = stockline("upgrade", "--data", str(data), "--json")
    assert ran.returncode == 0, ran.stderr.decode()
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def clean(data: Path) -> bool:
    ran = stockline("audit", "--data", str(data))
    return ran.returncode == 0 and b"no differences" in ran.stdout


def test_a_directory_of_the_former_format_is_refused_and_left_as_it_is(data: Path, tmp_path: Path) -> None:
    before = sums(data)
    for arguments in (["audit"], ["backup", str(tmp_path / "copy")], ["run", "--port", "0"]):
        ran = stockline(*arguments, "--data", str(data))
        assert ran.returncode == 2, ran
        assert f"{data} is written in format 1" in ran.stderr.decode()
        assert f"`stockline upgrade --data {data}`" in ran.stderr.decode()
    with closing(FormerBus.open(data, read_only=True)) as bus:
        assert len(records(bus)) > 60
    assert set(before) - set(sums(data)) <= {"db/000008.log", "db/MANIFEST-000005"}, "only what RocksDB makes anew"


def test_an_upgrade_folds_the_log_anew_and_keeps_the_former_directory(data: Path, tmp_path: Path) -> None:
    before = sums(data)
    with closing(FormerBus.open(data, read_only=True)) as bus:
        former = records(bus)
    told = upgraded(data)
    assert told["records"] == len(former)
    assert sums(Path(told["former"])) == before, "the former directory is as it was"
    with closing(EmbeddedBus.open(data, read_only=True)) as bus:
        assert records(bus) == former, "each record has its offset and its arrival"
    assert clean(data)
    with Stockline(data, "--clock", "log") as engine, Stockline(tmp_path / "anew", "--clock", "log") as anew:
        assert anew.call("POST", "/v1/events", b"\n".join(SENT), "application/x-ndjson").json["accepted"] == 60
        for path in ("/v1/signals", "/v1/alerts"):
            assert {thing["id"] for thing in engine.everything(path)} == {t["id"] for t in anew.everything(path)}
        assert stock(engine) == stock(anew) != []
        assert [letter["reason"] for letter in engine.everything("/v1/dead-letters")] == ["not_json"]
    ran = stockline("upgrade", "--data", str(data))
    assert (ran.returncode, b"nothing to upgrade" in ran.stdout) == (0, True)


def stock(engine: Stockline) -> list[tuple[Any, ...]]:
    rows = engine.everything("/v1/positions")
    return [(row["sku"], row["location"], row["available"], row["on_order"], row["position"]) for row in rows]


def test_the_clock_stays_that_of_the_log(data: Path) -> None:
    upgraded(data)
    ran = stockline("run", "--data", str(data), "--port", "0")
    assert (ran.returncode, b"--clock log" in ran.stderr) == (2, True)


def test_an_upgrade_is_refused_while_an_engine_runs(data: Path) -> None:
    with (data / "stockline.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = stockline("upgrade", "--data", str(data))
        assert (ran.returncode, b"is in use by process" in ran.stderr) == (3, True)
    assert upgraded(data)["records"] > 60


def test_what_is_no_data_directory_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for command in ("run", "upgrade", "audit"):
        ran = stockline(command, "--data", str(file))
        assert (ran.returncode, f"{file} is " in ran.stderr.decode()) == (2, True), ran
        assert b"a data directory" in ran.stderr


def test_what_is_in_the_way_is_not_removed(data: Path) -> None:
    for other in ("data.format-1", "data.upgrading"):
        mine = data.parent / other / "mine"
        mine.parent.mkdir()
        mine.touch()
        ran = stockline("upgrade", "--data", str(data))
        assert (ran.returncode, f"{mine.parent} exists" in ran.stderr.decode()) == (2, True)
        mine.unlink()
        mine.parent.rmdir()


@pytest.mark.parametrize(
    ("module", "step", "count"),
    [
        ("engine.bus.disk.bus", "EmbeddedBus.commit", 1),
        ("engine.bus.disk.upgrade_paths", "_rename", 0),
        ("engine.bus.disk.upgrade_paths", "_rename", 1),
    ],
)
def test_an_upgrade_that_is_killed_is_run_again(data: Path, module: str, step: str, count: int) -> None:
    with closing(FormerBus.open(data, read_only=True)) as bus:
        former = records(bus)
    command = [sys.executable, "-c", KILLED, module, step, str(count), "upgrade", "--data", str(data)]
    ran = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, timeout=60)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    ran = stockline("run", "--data", str(data), "--port", "0")
    assert (ran.returncode, b"`stockline upgrade --data " in ran.stderr) == (2, True), "nothing is begun in its place"
    assert upgraded(data)["records"] == len(former)
    with closing(EmbeddedBus.open(data, read_only=True)) as bus:
        assert records(bus) == former
    assert clean(data)
    assert sorted(path.name for path in data.parent.iterdir()) == ["data", "data.format-1"]
