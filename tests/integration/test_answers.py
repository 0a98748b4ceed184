"""Answers over a lost connection and a killed process, and what is kept of them, with the shipped command."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.integration.process import Answer, Client, Stockline, event
from tests.integration.test_api import fill


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Stockline]:
    with Stockline(tmp_path / "data", "--clock", "log") as running:
        yield running


def ask(engine: Client, method: str, path: str, value: Any = None, **headers: str) -> Answer:
    """A call with headers; the answer without its date."""
    connection = HTTPConnection("127.0.0.1", engine.port, timeout=120)
    try:
        body = None if value is None else json.dumps(value).encode()
        connection.request(method, path, body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        told = {name.lower(): text for name, text in answer.getheaders() if name != "Date"}
        return Answer(answer.status, told, answer.read())
    finally:
        connection.close()


def short_of(engine: Stockline) -> dict[str, Any]:
    """The open signal of a row that has too little."""
    fill(engine)
    [signal] = engine.get("/v1/signals?status=open&location=LDS")["items"]
    found: dict[str, Any] = signal
    return found


def test_an_answer_with_a_key_is_one_event_also_where_the_process_is_killed(tmp_path: Path) -> None:
    body, key = {"by": "ann", "qty": 96, "reason": "a promotion"}, {"Idempotency-Key": "k-1"}
    with Stockline(tmp_path / "data", "--clock", "log") as engine:
        path = f"/v1/signals/{short_of(engine)['id']}/accept"

        def lost() -> None:
            # The process is killed before it answers, or after.
            with suppress(OSError, HTTPException):
                ask(engine, "POST", path, body, **key)

        caller = threading.Thread(target=lost)
        caller.start()
        time.sleep(0.01)
        engine.kill()
        caller.join()
    for _ in range(2):
        with Stockline(tmp_path / "data", "--clock", "log") as engine:
            answer = ask(engine, "POST", path, body, **key)
            assert (answer.status, answer.json["status"], answer.json["qty"]) == (200, "accepted", 96)
            assert ask(engine, "POST", path, body, **key) == answer
            other = ask(engine, "POST", path, body | {"qty": 1}, **key)
            assert (other.status, other.json["reason"]) == (422, "idempotency_key_reused")
            [decision] = engine.get("/v1/decisions")["items"]
            assert decision["after"] == answer.json
            kinds = [each["type"] for each in engine.get("/v1/positions/85123A/LDS/events")["items"]]
            assert kinds.count("signal.accepted") == 1
            assert engine.get("/v1/dead-letters")["total"] == 0
            engine.kill()


def test_a_planner_who_answers_what_has_changed_is_told_so(engine: Stockline) -> None:
    signal = short_of(engine)
    path = f"/v1/signals/{signal['id']}"
    seen = ask(engine, "GET", path)
    assert seen.headers["etag"] == '"1"'
    engine.send(event("stock.issued", "more", sku="85123A", location="LDS", qty=24))
    changed = ask(engine, "POST", f"{path}/accept", {"by": "ann"}, **{"If-Match": '"1"'})
    assert (changed.status, changed.json["reason"], changed.json["current"]["qty"]) == (412, "changed", 108)
    assert changed.json["current"] == engine.get(path)
    tag = changed.headers["etag"]
    assert ask(engine, "POST", f"{path}/accept", {"by": "ann"}, **{"If-Match": tag}).status == 200
    assert ask(engine, "GET", path, **{"If-None-Match": tag}).status == 200


def test_who_decided_what_on_what_numbers_is_kept(engine: Stockline) -> None:
    signal = short_of(engine)
    path = f"/v1/signals/{signal['id']}"
    for verb, body in (
        ("accept", {"by": "ann", "qty": 96}),
        ("reopen", {"by": "ann"}),
        ("reject", {"by": "bob", "reason": "too much"}),
        ("reopen", {"by": "bob"}),
        ("snooze", {"by": "ann", "until": "2100-01-01T00:00:00Z"}),
        ("assign", {"by": "ann", "to": "bob"}),
    ):
        assert engine.post(f"{path}/{verb}", body).status == 200
    assert engine.get("/v1/signals?owner=bob")["items"][0]["id"] == signal["id"]
    engine.send(
        event("signal.ordered", "po", sku="85123A", location="LDS", signal=signal["id"], by="erp", order="PO-1")
    )
    told = engine.get("/v1/decisions?sku=85123A&location=LDS")["items"]
    assert [(each["kind"], each["by"]) for each in told] == [
        ("assign", "ann"), ("snooze", "ann"),
        ("reopen", "bob"), ("reject", "bob"), ("reopen", "ann"), ("accept", "ann"),
    ]  # fmt: skip
    assert told[-1]["before"] == signal
    assert [(each["before"]["revision"], each["after"]["revision"]) for each in told] == [
        (6, 7), (5, 6), (4, 5), (3, 4), (2, 3), (1, 2),
    ]  # fmt: skip
    [ordered] = engine.get("/v1/decisions?kind=order")["items"]
    assert (ordered["by"], ordered["automatic"], ordered["answer"]) == ("erp", True, {"order": "PO-1"})
    assert len(engine.get("/v1/decisions?automatic=true")["items"]) == 7
