"""The shipped command over HTTP: the calls of the contract, batches, start and stop."""

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.integration.process import Stockline, event, stockline

ROW = {"sku": "85123A", "location": "LDS"}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Stockline]:
    with Stockline(tmp_path / "data", "--clock", "log") as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stockline]:
    """For tests that leave each other alone."""
    with Stockline(tmp_path_factory.mktemp("shared") / "data", "--clock", "log") as running:
        yield running


def fill(engine: Stockline) -> None:
    """Stock of 40 against a minimum of 50: a signal; then more issued than there is: an alert."""
    engine.send(
        event("item.defined", "item", sku="85123A", base_unit="each", units={"case": 12}),
        event(
            "policy.set",
            "policy",
            **ROW,
            policy={"kind": "min_max", "min": 50, "max": 120},
            multiple=12,
            supplier="ACME",
        ),
        event("goods.received", "grn-1", **ROW, receipt="7781", qty=5, uom="case"),
        event("stock.issued", "sale-1", **ROW, qty=20),
        event("stock.issued", "sale-2", "", **{**ROW, "location": "YRK"}, qty=3),
    )


# The calls of the contract


def test_a_goods_receipt_goes_all_the_way(engine: Stockline) -> None:
    fill(engine)
    page = engine.get("/v1/positions")
    assert [(row["sku"], row["location"], row["available"], row["position"]) for row in page["items"]] == [
        ("85123A", "LDS", 40, 40),
        ("85123A", "YRK", -3, -3),
    ]
    assert (page["next"], page["total"]) == (None, 2)
    row = engine.get("/v1/positions/85123A/LDS")
    assert len(row["projection"]) == 90
    assert {"orders", "transfers", "reservations", "forecast", "policy", "signal", "alerts"} <= row.keys()
    events = engine.get("/v1/positions/85123A/LDS/events?limit=2")
    assert [each["id"] for each in events["items"]] == ["sale-1", "grn-1"]
    following = engine.get(f"/v1/positions/85123A/LDS/events?limit=2&cursor={events['next']}")
    assert [each["id"] for each in following["items"]] == ["policy"]
    assert engine.call("GET", "/v1/positions/85123A/nowhere").status == 404


def test_the_stock_of_a_moment_is_read_with_what_came_late(engine: Stockline) -> None:
    at = [f"2026-03-02T09:{minute:02}:00Z" for minute in range(4)]
    engine.send(
        event("stock.counted", "count", at[0], **ROW, qty=40),
        event("stock.issued", "sale", at[2], **ROW, qty=3),
        event("stock.held", "late", at[1], **ROW, qty=5),
    )
    balances = [engine.get(f"/v1/positions/85123A/LDS?as_of={each}") for each in at[:3]]
    assert [(row["available"], row["held"], row["on_hand"]) for row in balances] == [
        (40, 0, 40),
        (35, 5, 40),
        (32, 5, 37),
    ]
    assert engine.call("GET", "/v1/positions/85123A/LDS?as_of=2026-03-02T08:59:00Z").status == 404
    assert engine.call("GET", f"/v1/positions/85123A/LDS?as_of={at[3]}").json["reason"] == "invalid_parameter"
    engine.send(event("stock.counted", "much later", "2026-03-09T09:00:00Z", **ROW, qty=9))
    assert engine.call("GET", f"/v1/positions/85123A/LDS?as_of={at[1]}").json["reason"] == "history_gone"
    assert engine.get("/v1/positions/85123A/LDS?as_of=2026-03-08T00:00:00Z")["on_hand"] == 37


def test_a_signal_is_opened_explained_and_accepted(engine: Stockline) -> None:
    fill(engine)
    [signal] = engine.get("/v1/signals?status=open&location=LDS")["items"]
    # From 40 up to the maximum of 120 are 80, in multiples of 12 that is 84.
    assert (signal["qty"], signal["supplier"], signal["revision"]) == (84, "ACME", 1)
    assert engine.get(f"/v1/signals/{signal['id']}") == signal
    assert signal["explanation"]["sentence"]
    assert "test/sale-1" in signal["explanation"]["events"]
    told = stockline("explain", signal["id"], "--url", engine.url)
    assert told.returncode == 0
    assert signal["explanation"]["sentence"] in told.stdout.decode()
    answer = engine.post(f"/v1/signals/{signal['id']}/accept", {"by": "ann", "qty": 96})
    assert (answer.status, answer.json["status"], answer.json["by"]) == (200, "accepted", "ann")
    assert engine.get(f"/v1/signals/{signal['id']}") == answer.json
    again = engine.post(f"/v1/signals/{signal['id']}/reject", {"by": "bob"})
    assert again.status == 200 or again.json["reason"]
    assert engine.post("/v1/signals/none/accept", {"by": "ann"}).status == 404


def test_an_accepted_quantity_that_breaks_the_policy_is_taken_and_noted(engine: Stockline) -> None:
    fill(engine)
    [signal] = engine.get("/v1/signals?status=open&location=LDS")["items"]
    assert "notes" not in signal["explanation"]
    limits = {"moq": 24, "multiple": 12, "max_qty": 240, "supplier": "ACME"}
    policy = {"sku": "85123A", "location": "LDS", "policy": {"kind": "min_max", "min": 50, "max": 120}, **limits}
    engine.send(event("policy.set", "limits", **policy))
    answer = engine.post(f"/v1/signals/{signal['id']}/accept", {"by": "ann", "qty": 10})
    notes = ["10 is below the minimum order quantity 24", "10 is no multiple of 12"]
    assert (answer.status, answer.json["qty"], answer.json["explanation"]["notes"]) == (200, 10, notes)
    told = stockline("explain", signal["id"], "--url", engine.url).stdout.decode()
    assert all(f"note: {note}" in told for note in notes)

    ordered = {"sku": "85123A", "location": "LDS", "signal": signal["id"], "by": "erp"}
    engine.send(event("signal.ordered", "too many", **ordered, qty=252))
    assert engine.get(f"/v1/signals/{signal['id']}")["explanation"]["notes"] == ["252 is above the maximum 240"]
    engine.send(event("signal.ordered", "just right", **ordered, qty=96))
    assert "notes" not in engine.get(f"/v1/signals/{signal['id']}")["explanation"]


def test_a_rejected_signal_cannot_be_accepted(engine: Stockline) -> None:
    fill(engine)
    [signal] = engine.get("/v1/signals?status=open&location=LDS")["items"]
    assert (
        engine.post(f"/v1/signals/{signal['id']}/reject", {"by": "ann", "reason": "too much"}).json["status"]
        == "rejected"
    )
    refused = engine.post(f"/v1/signals/{signal['id']}/accept", {"by": "ann"})
    assert (refused.status, refused.headers["content-type"]) == (409, "application/problem+json")
    assert refused.json["reason"]


def test_an_alert_is_opened_acknowledged_and_resolved(engine: Stockline) -> None:
    fill(engine)
    engine.send(event("stock.issued", "sale-3", "2026-03-20T00:00:00Z", **{**ROW, "location": "YRK"}, qty=1))
    engine.send(event("stock.issued", "later", "2026-03-22T00:00:00Z", **ROW, qty=1))
    alerts = {alert["kind"]: alert for alert in engine.get("/v1/alerts?location=YRK")["items"]}
    alert = alerts["negative_stock"]
    assert (alert["status"], alert["severity"]) == ("open", alert["severity"])
    answer = engine.post(f"/v1/alerts/{alert['id']}/acknowledge", {"by": "ann", "note": "counting"})
    assert (answer.status, answer.json["status"], answer.json["by"]) == (200, "acknowledged", "ann")
    answer = engine.post(f"/v1/alerts/{alert['id']}/resolve", {"by": "ann"})
    assert (answer.status, answer.json["status"]) == (200, "resolved")
    assert engine.post(f"/v1/alerts/{alert['id']}/resolve", {"by": "bob"}).status == 409


def test_a_dead_letter_is_replayed_once_its_cause_is_gone(engine: Stockline) -> None:
    by_case = json.dumps(event("goods.received", "grn-9", sku="X1", location="LDS", receipt="1", qty=2, uom="case"))
    answer = engine.call("POST", "/v1/events", by_case.encode())
    assert (answer.status, answer.json["accepted"]) == (202, 0)
    [refused] = answer.json["refused"]
    assert (refused["index"], refused["id"], refused["reason"]) == (0, "grn-9", "unknown_unit")
    [letter] = engine.get("/v1/dead-letters")["items"]
    assert (letter["raw"], letter["reason"], letter["event_id"]) == (by_case, "unknown_unit", "grn-9")
    assert engine.call("POST", f"/v1/dead-letters/{letter['id']}/replay", b"").json["refused"]
    engine.send(event("item.defined", "item-x1", sku="X1", base_unit="each", units={"case": 6}))
    replayed = stockline("dead-letters", "replay", letter["id"], "--url", engine.url)
    assert replayed.returncode == 0, replayed.stderr
    assert engine.get("/v1/positions/X1/LDS")["available"] == 12


def test_figures_and_progress_agree(engine: Stockline) -> None:
    fill(engine)
    fill_again = engine.get("/v1/kpis")
    assert fill_again["rows"] == 2
    assert fill_again["events"]["stock.issued"] == 2
    sync = engine.get("/v1/sync?wait=5")
    assert sync["lag"] == 0
    assert sync["accepted"] == sync["applied"] >= 5


def test_the_stream_tells_positions_signals_and_alerts_as_they_happen(engine: Stockline) -> None:
    connection = HTTPConnection("127.0.0.1", engine.port, timeout=60)
    connection.request("GET", "/v1/stream?tables=positions,signals")
    answer = connection.getresponse()
    assert answer.headers["Content-Type"] == "text/event-stream"
    filling = threading.Thread(target=fill, args=[engine])
    filling.start()
    found: dict[str, Any] = {}
    while not {"position.changed", "signal.opened"} <= found.keys():
        line = answer.readline().decode().rstrip("\n")
        if line.startswith("data: "):
            told = json.loads(line.removeprefix("data: "))
            found[told["type"]] = told
    connection.close()
    # The stream may tell of the events before the call that sends them is answered, and the engine ends with the test.
    filling.join()
    assert found["signal.opened"]["data"]["sku"] == "85123A"
    assert found["position.changed"]["specversion"] == "1.0"
    assert not [kind for kind in found if kind.startswith("alert")]


def test_the_process_describes_itself(shared: Stockline) -> None:
    assert shared.get("/healthz")["status"] == shared.get("/readyz")["status"] == "ok"
    assert shared.get("/openapi.json")["openapi"].startswith("3.1")
    assert shared.get("/asyncapi.json")["asyncapi"] == "3.0.0"
    assert b"stockline_events_applied_total" in shared.call("GET", "/metrics").body
    page = shared.call("GET", "/")
    assert page.status == 200
    assert "<title>Today · Stockline</title>" in page.body.decode()
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert shared.call("GET", "/static/lib/shell.js").status == 200


def test_the_commands_look_at_the_engine(engine: Stockline) -> None:
    fill(engine)
    shown = stockline("positions", "--sku", "85123A", "--json", "--url", engine.url)
    assert [json.loads(line)["location"] for line in shown.stdout.splitlines()] == ["LDS", "YRK"]
    assert b"84" in stockline("signals", "--status", "open", "--url", engine.url).stdout
    assert stockline("alerts", "--url", engine.url).returncode == 0
    assert stockline("explain", "none", "--url", engine.url).returncode == 1


def test_the_shipped_command_sends_a_file(engine: Stockline, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    lines = [json.dumps(event("stock.counted", f"c-{n}", sku=f"S{n}", location="LDS", qty=n)) for n in range(50)]
    file.write_text("\n".join([*lines[:25], "{broken", *lines[25:]]) + "\n")
    sent = stockline("send", str(file), "--url", engine.url)
    assert sent.returncode == 1
    assert b"line 26" in sent.stderr
    assert engine.get("/v1/positions")["total"] == 50


# What a batch is


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        ("application/cloudevents-batch+json", "[%s]"),
        ("application/json", "[%s]"),
        ("application/x-ndjson", "%s"),
        ("text/plain", "%s"),
    ],
)
def test_a_batch_costs_only_the_item_at_fault(shared: Stockline, content_type: str, form: str) -> None:
    name = f"{content_type}-{form[0]}"
    good = [json.dumps(event("stock.counted", f"{name}-{n}", **ROW, qty=n)) for n in range(3)]
    bad = json.dumps(event("stock.counted", f"{name}-bad", **ROW, qty=-1))
    separator = ",\n" if form == "[%s]" else "\n"
    body = form % separator.join([*good[:2], bad, good[2]])
    answer = shared.call("POST", "/v1/events", body.encode(), content_type)
    assert (answer.status, answer.json["accepted"]) == (202, 3)
    assert [(item["index"], item["reason"]) for item in answer.json["refused"]] == [(2, "invalid_event")]


def test_a_duplicate_is_counted_and_a_conflict_is_refused(engine: Stockline) -> None:
    first = event("stock.adjusted", "adj-1", **ROW, qty=7, reason="found")
    engine.send(first, first)
    engine.send(first)
    conflict = engine.post("/v1/events", {**first, "data": {**first["data"], "qty": 8}})
    assert [item["reason"] for item in conflict.json["refused"]] == ["conflict"]
    assert engine.get("/v1/positions/85123A/LDS")["available"] == 7
    assert engine.get("/v1/kpis")["duplicates"] == 2
