"""What can be seen of a running engine: log lines as JSON, and the trace of an event and of an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.integration import process
from tests.integration.process import Stockline

ROW = {"sku": "A", "location": "X"}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CALL = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01"
ENVIRONMENT = process.environment


def told(number: int, kind: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0", "source": "erp", "id": f"e{number}", "type": kind, "time": "2026-03-02T09:00:00Z",
        "data": {**ROW, **data}, "traceparent": TRACE, "correlationid": "case-7",
    }  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stockline]:
    monkeypatch.setattr(process, "COMMAND", [*process.COMMAND, "--log-format", "json"])
    monkeypatch.setattr(process, "environment", lambda: {**ENVIRONMENT(), "STOCKLINE_DEBUG": "1"})
    with Stockline(tmp_path / "data", "--clock", "log") as engine:
        yield engine


def of_type(lines: Iterator[str], kind: str) -> dict[str, Any]:
    """The next CloudEvent of a type on an open stream."""
    events = (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
    found: dict[str, Any] = next(event for event in events if event["type"] == kind)
    return found


def test_a_trace_goes_from_the_event_to_the_signal_and_from_the_call_to_its_answer(engine: Stockline) -> None:
    connection = HTTPConnection("127.0.0.1", engine.port, timeout=120)
    connection.request("GET", "/v1/stream?tables=signals")
    answer = connection.getresponse()
    lines = iter(lambda: answer.readline().decode(), "")
    policy = {"policy": {"kind": "min_max", "min": 10, "max": 40}, "supplier": "ACME", "lead_time_days": 3}
    engine.send(told(1, "policy.set", **policy), told(2, "stock.counted", qty=5))
    opened = of_type(lines, "signal.opened")
    assert (opened["traceparent"], opened["correlationid"]) == (TRACE, "case-7")

    call = HTTPConnection("127.0.0.1", engine.port, timeout=120)
    headers = {"Content-Type": "application/json", "traceparent": CALL}
    call.request("POST", f"/v1/signals/{opened['data']['id']}/accept", json.dumps({"by": "ann"}), headers)
    assert call.getresponse().status == 200
    assert of_type(lines, "signal.amended")["traceparent"] == CALL
    call.close()
    connection.close()


def test_every_log_line_is_json_and_says_which_event_it_is_about(engine: Stockline, tmp_path: Path) -> None:
    engine.send(told(1, "stock.counted", qty=5))
    refused = told(2, "stock.counted", qty=5, uom="crate")
    assert engine.post("/v1/events", refused).json["refused"][0]["reason"] == "unknown_unit"
    assert engine.stop() == 0
    lines = [json.loads(line) for line in (tmp_path / "data.log").read_text().splitlines()]
    assert {"time", "level", "logger", "message"} <= set(lines[0])
    (about,) = [line for line in lines if line["message"].startswith("refused as unknown_unit")]
    named = {name: about[name] for name in ("event_id", "event_source", "correlationid", "traceparent", "offset")}
    assert named.pop("offset") >= 1
    assert named == {"event_id": "e2", "event_source": "erp", "correlationid": "case-7", "traceparent": TRACE}
    assert about["partition"] in range(8)
