"""The live stream as its readers see it: it goes on after a restart of the process, or says that it cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from tests.integration.process import Client, Stockline, Workers, event


@contextmanager
def stream(engine: Client, since: str | None = None, query: str = "") -> Iterator[HTTPResponse]:
    connection = HTTPConnection("127.0.0.1", engine.port, timeout=120)
    connection.request("GET", f"/v1/stream{query}", headers={} if since is None else {"Last-Event-ID": since})
    yield connection.getresponse()
    connection.close()


def told(answer: HTTPResponse, until: str, since: str = "") -> tuple[str, list[dict[str, Any]]]:
    """What comes up to the position of the sku `until` and the id behind it; without `until` up to the first id."""
    events: list[dict[str, Any]] = []
    while line := answer.readline().decode().rstrip("\n"):
        pass
    assert line == ""
    while raw := answer.readline():
        line = raw.decode().rstrip("\n")
        if line.startswith("id: "):
            since = line.removeprefix("id: ")
        elif line.startswith("data: "):
            events.append(json.loads(line.removeprefix("data: ")))
        elif not line and since and (not until or until in [event["data"].get("sku") for event in events]):
            return since, events
    raise AssertionError(f"the stream has ended, and had told {events}")


def found(sku: str, name: str) -> dict[str, Any]:
    return event("stock.adjusted", name, sku=sku, location="LDS", qty=1, reason="found")


def test_a_reader_goes_on_after_a_kill_without_a_gap(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Stockline(data) as engine:
        engine.send(found("BEFORE", "n-0"))
        with stream(engine) as answer:
            since, events = told(answer, "")
        assert events == []
        engine.send(found("A", "n-1"), found("B", "n-2"))
        assert engine.post("/v1/events", event("stock.adjusted", "n-3", sku="A", location="LDS")).json["refused"]
        engine.kill()
    with Stockline(data) as engine:
        engine.send(found("LAST", "n-4"))
        with stream(engine, since, "?tables=positions,dead-letters") as answer:
            since, events = told(answer, "LAST")
        assert sorted(each["data"].get("sku", "") for each in events) == ["", "A", "B", "LAST"]
        assert len({each["id"] for each in events}) == 4
        with stream(engine, since) as answer:
            assert told(answer, "") == (since, [])


def test_an_id_of_another_log_is_gone_and_the_answer_says_how_to_start_anew(tmp_path: Path) -> None:
    with Stockline(tmp_path / "one") as one, Stockline(tmp_path / "other") as other:
        with stream(one) as answer:
            since, _ = told(answer, "")
        for given in (since, "17"):
            with stream(other, given) as answer:
                assert answer.status == 410
                problem = json.loads(answer.read())
                assert problem["reason"] == "stream_gone"
                assert "open the stream without Last-Event-ID, then read the lists" in problem["detail"]


@pytest.mark.real
@pytest.mark.slow
def test_on_kafka_a_reader_goes_on_at_another_process(fresh: str, tmp_path: Path) -> None:
    kafka = ("--kafka", fresh)
    with Workers(fresh, tmp_path / "worker") as workers:
        with Stockline(tmp_path / "first", *kafka, verb="web") as first:
            workers.wait_owned()
            first.send(found("BEFORE", "n-0"))
            assert first.get("/v1/sync?wait=100")["lag"] == 0
            with stream(first) as answer:
                since, _ = told(answer, "")
            first.send(found("A", "n-1"), found("B", "n-2"))
            assert first.get("/v1/sync?wait=100")["lag"] == 0
        with Stockline(tmp_path / "second", *kafka, verb="web") as second:
            assert second.get("/v1/sync?wait=100")["lag"] == 0
            with stream(second, since, "?tables=positions") as answer:
                second.send(found("LAST", "n-3"))
                since, events = told(answer, "LAST")
            assert sorted(each["data"]["sku"] for each in events) == ["A", "B", "LAST"]
            with stream(second, "17") as answer:
                assert answer.status == 410
