"""Data directories of former formats: refused by all commands but `stockline upgrade`, which folds the log anew.

`tests/data/format-1.tar.gz` and its neighbours were written by versions of that format: two partitions, their clock the
log's, the first 60 lines of `tests/golden/log.ndjson` and one line that is no JSON. That of format 2 holds, behind
those lines, the orders, notices and receipts of `tests/golden/purchases.ndjson`, and that of format 3 all lines of it.
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
from engine.bus.disk.logouts import NAME as LOGOUTS
from engine.bus.single import Record
from tests.integration.process import ROOT, Stockline, environment, stockline

GOLDEN = ROOT / "tests" / "golden"
BEGUN = (GOLDEN / "log.ndjson").read_bytes().splitlines()[:60]
KNOWN_TYPES = ("order.placed", "shipment.notified", "goods.received")
"""The types of purchases that the version of format 2 knew."""
PURCHASES = (GOLDEN / "purchases.ndjson").read_bytes().splitlines()
BOUGHT = [line for line in PURCHASES if json.loads(line)["type"] in KNOWN_TYPES]
SENT = {1: BEGUN, 2: [*BEGUN, *BOUGHT], 3: [*BEGUN, *PURCHASES]}
"""The lines that a directory of a format was sent, but for the one that is no JSON."""
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


def unpacked(written: int, folder: Path) -> Path:
    """A data directory of the format `written`."""
    with tarfile.open(ROOT / "tests" / "data" / f"format-{written}.tar.gz") as packed:
        packed.extractall(folder, filter="data")
    return folder / "data"


NEWEST = pytest.mark.parametrize("written", [3], indirect=True)
"""For what does not depend on the format: one of them does."""


@pytest.fixture(params=[1, 2, 3])
def written(request: pytest.FixtureRequest) -> int:
    """The format of the former directory."""
    return int(request.param)


@pytest.fixture
def data(written: int, tmp_path: Path) -> Path:
    return unpacked(written, tmp_path)


def trimmed(written: int, folder: Path, until: int) -> Path:
    """A data directory of the format `written` whose retention has deleted records of partition 0 below `until`."""
    data = unpacked(written, folder)
    with closing(FormerBus.open(data)) as bus:
        bus.retention.drop_log(0, until, ())
    return data


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


def test_a_directory_of_a_former_format_is_refused_and_left_as_it_is(data: Path, written: int, tmp_path: Path) -> None:
    before = sums(data)
    for arguments in (["audit"], ["backup", str(tmp_path / "copy")], ["run", "--port", "0"]):
        ran = stockline(*arguments, "--data", str(data))
        assert ran.returncode == 2, ran
        assert f"{data} is written in format {written}" in ran.stderr.decode()
        assert f"`stockline upgrade --data {data}`" in ran.stderr.decode()
    with closing(FormerBus.open(data, read_only=True)) as bus:
        assert len(records(bus)) > 60
    made_anew = {name for name in before if name.endswith(".log") or name.startswith("db/MANIFEST-")}
    assert set(before) - set(sums(data)) <= made_anew, "only what RocksDB makes anew"


def test_an_upgrade_folds_the_log_anew_and_keeps_the_former_directory(data: Path, written: int, tmp_path: Path) -> None:
    (data / LOGOUTS).write_text('{"session":"of one who left","until":1}\n')
    before = sums(data)
    with closing(FormerBus.open(data, read_only=True)) as bus:
        former = records(bus)
    told = upgraded(data)
    assert (told["records"], told["taken_over"]) == (len(former), False)
    assert told["former"] == str(data.with_name(f"data.format-{written}"))
    assert sums(Path(told["former"])) == before, "the former directory is as it was"
    assert sums(data)[LOGOUTS] == before[LOGOUTS], "who logged out stays so"
    with closing(EmbeddedBus.open(data, read_only=True)) as bus:
        assert records(bus) == former, "each record has its offset and its arrival"
    assert clean(data)
    with Stockline(data, "--clock", "log") as engine, Stockline(tmp_path / "anew", "--clock", "log") as anew:
        sent = SENT[written]
        assert anew.call("POST", "/v1/events", b"\n".join(sent), "application/x-ndjson").json["accepted"] == len(sent)
        for path in ("/v1/signals", "/v1/alerts"):
            assert {thing["id"] for thing in engine.everything(path)} == {t["id"] for t in anew.everything(path)}
        assert stock(engine) == stock(anew) != []
        assert [letter["reason"] for letter in engine.everything("/v1/dead-letters")] == ["not_json"]
    ran = stockline("upgrade", "--data", str(data))
    assert (ran.returncode, b"nothing to upgrade" in ran.stdout) == (0, True)


def stock(engine: Stockline) -> list[tuple[Any, ...]]:
    rows = engine.everything("/v1/positions")
    return [(row["sku"], row["location"], row["available"], row["on_order"], row["position"]) for row in rows]


def test_the_clock_stays_that_of_the_log_and_so_do_the_settings_that_format_2_keeps(data: Path, written: int) -> None:
    ran = stockline("upgrade", "--data", str(data), STOCKLINE_DUPLICATE_DAYS="3")
    assert ran.returncode == 0, ran.stderr
    ran = stockline("run", "--data", str(data), "--port", "0", STOCKLINE_DUPLICATE_DAYS="5")
    assert ran.returncode == 2
    for said in (b"--clock log", b"STOCKLINE_DUPLICATE_DAYS=" + (b"3" if written == 1 else b"7")):
        assert said in ran.stderr


def test_receipts_from_before_an_upgrade_can_be_reversed(tmp_path: Path) -> None:
    data = unpacked(2, tmp_path)
    upgraded(data)
    assert available(data) == (7 + 6, 6 + 6)


def available(data: Path) -> tuple[int, int]:
    """What is available of SKU-7 before and after a receipt of 7 is reversed and one of 6 comes in."""
    reversal = {
        "specversion": "1.0", "source": "erp", "id": "reversed", "type": "receipt.reversed",
        "time": "2026-04-07T12:00:00Z", "data": {"sku": "SKU-7", "location": "LOC-0", "receipt": "GRN-11"},
    }  # fmt: skip
    receipt = {"sku": "SKU-7", "location": "LOC-0", "order": "PO-9", "line": 1, "receipt": "GRN-12", "qty": 6}
    with Stockline(data, "--clock", "log") as engine:
        before = engine.get("/v1/positions/SKU-7/LOC-0")["available"]
        engine.send(reversal, {**reversal, "id": "received", "type": "goods.received", "data": receipt})
        return before, engine.get("/v1/positions/SKU-7/LOC-0")["available"]


def test_a_log_without_its_beginning_leaves_its_rows_and_all_else_to_the_new_directory(tmp_path: Path) -> None:
    data = trimmed(2, tmp_path, 40)
    with closing(FormerBus.open(data, read_only=True)) as bus:
        former, history = records(bus), list(bus.published.history("alerts", 0))
    before = sums(data)
    assert len(former) == 116 - 40
    told = upgraded(data)
    assert (told["records"], told["rows"], told["taken_over"]) == (0, 8, True)
    assert sums(Path(told["former"])) == before, "the former directory is as it was"
    with closing(EmbeddedBus.open(data, read_only=True)) as bus:
        assert (records(bus), list(bus.published.history("alerts", 0))) == (former, history)
    assert clean(data)
    assert available(data) == (7 + 6, 7 + 6 + 6), "a receipt that the version before took cannot be reversed"
    assert clean(data)


def test_rows_that_are_taken_over_count_from_then_on(tmp_path: Path) -> None:
    data = trimmed(3, tmp_path, 40)
    assert upgraded(data)["taken_over"]
    with Stockline(data, "--clock", "log") as engine:
        before = engine.get("/v1/kpis")["business"]["all"]
        assert (before["receipts"]["completed"], before["open_alerts"]["count"]) == (0, 0)
        closed = {
            "specversion": "1.0", "source": "erp", "id": "closed", "type": "order.closed",
            "time": "2026-04-07T12:00:00Z", "data": {"sku": "SKU-9", "location": "LOC-0", "order": "PO-9", "line": 1},
        }  # fmt: skip
        engine.send(closed)
        after = engine.get("/v1/kpis")["business"]["all"]
        assert after["supplier_fill"] == {"lines": 1, "ordered_units": 40, "filled_units": 24, "rate": 0.6}
        assert after["acknowledgement"]["placed"] == 1
    assert clean(data)


def test_figures_are_those_of_the_whole_log_after_an_upgrade(tmp_path: Path) -> None:
    data = unpacked(3, tmp_path)
    upgraded(data)
    with Stockline(data, "--clock", "log") as engine, Stockline(tmp_path / "anew", "--clock", "log") as anew:
        anew.call("POST", "/v1/events", b"\n".join(SENT[3]), "application/x-ndjson")
        told, expected = (each.get("/v1/kpis")["business"] for each in (engine, anew))
        assert told == expected
        assert told["all"]["acknowledgement"]["placed"] > 1


def test_rows_of_format_1_are_not_taken_over_where_the_log_has_lost_its_beginning(tmp_path: Path) -> None:
    data = trimmed(1, tmp_path, 10)
    before = sums(data)
    ran = stockline("upgrade", "--data", str(data))
    assert (ran.returncode, b"its log begins at the offsets [10, 0]" in ran.stderr) == (2, True), ran.stderr
    assert sums(data) == before
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@NEWEST
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


@NEWEST
def test_what_is_in_the_way_is_not_removed(data: Path, written: int) -> None:
    for other in (f"data.format-{written}", "data.upgrading"):
        mine = data.parent / other / "mine"
        mine.parent.mkdir()
        mine.touch()
        ran = stockline("upgrade", "--data", str(data))
        assert (ran.returncode, f"{mine.parent} exists" in ran.stderr.decode()) == (2, True)
        mine.unlink()
        mine.parent.rmdir()


@NEWEST
@pytest.mark.parametrize(
    ("module", "step", "count"),
    [
        ("engine.bus.disk.bus", "EmbeddedBus.commit", 1),
        ("engine.bus.disk.upgrade_paths", "_rename", 0),
        ("engine.bus.disk.upgrade_paths", "_rename", 1),
    ],
)
def test_an_upgrade_that_is_killed_is_run_again(data: Path, written: int, module: str, step: str, count: int) -> None:
    with closing(FormerBus.open(data, read_only=True)) as bus:
        former = records(bus)
    command = [sys.executable, "-c", KILLED, module, step, str(count), "upgrade", "--data", str(data)]
    ran = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, timeout=240)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    ran = stockline("run", "--data", str(data), "--port", "0")
    assert (ran.returncode, b"`stockline upgrade --data " in ran.stderr) == (2, True), "nothing is begun in its place"
    assert upgraded(data)["records"] == len(former)
    with closing(EmbeddedBus.open(data, read_only=True)) as bus:
        assert records(bus) == former
    assert clean(data)
    assert sorted(path.name for path in data.parent.iterdir()) == ["data", f"data.format-{written}"]
