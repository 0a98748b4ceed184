"""The shipped command as a process: how it starts, ends, goes on, and what it does not share."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.integration.process import Stockline, stockline
from tests.integration.test_api import fill


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Stockline]:
    with Stockline(tmp_path / "data", "--clock", "log") as running:
        yield running


def test_it_ends_cleanly_and_goes_on_where_it_was(tmp_path: Path) -> None:
    with Stockline(tmp_path / "data", "--clock", "log") as engine:
        fill(engine)
        before = [engine.everything(f"/v1/{table}") for table in ("positions", "signals", "alerts")]
        assert engine.stop() == 0
    with Stockline(tmp_path / "data", "--clock", "log") as engine:
        assert [engine.everything(f"/v1/{table}") for table in ("positions", "signals", "alerts")] == before
        assert engine.get("/v1/sync")["lag"] == 0
    audited = stockline("audit", "--data", str(tmp_path / "data"))
    assert audited.returncode == 0, audited.stdout + audited.stderr


def test_a_log_can_be_audited_while_the_engine_runs(engine: Stockline) -> None:
    fill(engine)
    audited = stockline("audit", "--data", str(engine.data), "--json")
    assert audited.returncode == 0, audited.stdout + audited.stderr
    assert json.loads(audited.stdout)["signals"] >= 1
    assert json.loads(audited.stdout)["differences"] == []


def test_an_open_stream_does_not_keep_it_from_ending(engine: Stockline) -> None:
    connection = HTTPConnection("127.0.0.1", engine.port, timeout=60)
    connection.request("GET", "/v1/stream")
    answer = connection.getresponse()
    answer.readline()
    assert engine.stop() == 0
    # A call that is waited for in vain is cut off in the middle, which would be an `IncompleteRead` here.
    answer.read()
    connection.close()


def test_a_second_process_on_the_same_directory_is_refused(engine: Stockline) -> None:
    second = stockline("run", "--data", str(engine.data), "--port", "0")
    assert second.returncode == 3
    assert b"in use" in second.stderr
    assert b"Traceback" not in second.stderr
    assert engine.get("/healthz")["status"] == "ok"


def test_a_port_in_use_is_refused(engine: Stockline, tmp_path: Path) -> None:
    second = stockline("run", "--data", str(tmp_path / "other"), "--port", str(engine.port))
    assert second.returncode == 3
    assert str(engine.port).encode() in second.stderr
    assert b"Traceback" not in second.stderr


def test_another_clock_on_the_same_log_is_refused(engine: Stockline) -> None:
    fill(engine)
    assert engine.stop() == 0
    other = stockline("run", "--data", str(engine.data), "--port", "0", "--clock", "wall")
    assert other.returncode == 2
    assert b"--clock log" in other.stderr


def test_other_rules_on_the_same_log_are_refused_and_the_audit_needs_none(engine: Stockline) -> None:
    fill(engine)
    assert engine.stop() == 0
    refused = stockline(
        "run", "--data", str(engine.data), "--port", "0", "--clock", "log", STOCKLINE_MOVEMENT_WINDOW_HOURS="12"
    )
    assert refused.returncode == 2
    assert b"STOCKLINE_MOVEMENT_WINDOW_HOURS=48" in refused.stderr
    assert stockline("audit", "--data", str(engine.data), STOCKLINE_MOVEMENT_WINDOW_HOURS="12").returncode == 0


def test_a_directory_that_cannot_be_is_exit_3(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    refused = stockline("run", "--data", str(tmp_path / "file" / "data"), "--port", "0")
    assert refused.returncode == 3
    assert refused.stderr.startswith(b"stockline: ")


def test_an_address_beyond_this_machine_needs_to_be_asked_for(tmp_path: Path) -> None:
    refused = stockline("run", "--data", str(tmp_path / "data"), "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 2
    assert not (tmp_path / "data").exists()
