"""The shipped command over HTTP: the calls of the contract, bad input, limits, start and stop."""

import base64
import json
import socket
import threading
import time
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
    assert engine.post(f"/v1/alerts/{alert['id']}/resolve", {"by": "ann"}).status == 409


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
    connection = HTTPConnection("127.0.0.1", engine.port, timeout=10)
    connection.request("GET", "/v1/stream?tables=positions,signals")
    answer = connection.getresponse()
    assert answer.headers["Content-Type"] == "text/event-stream"
    threading.Timer(0.2, fill, [engine]).start()
    found: dict[str, Any] = {}
    number = 0
    while not {"position.changed", "signal.opened"} <= found.keys():
        line = answer.readline().decode().rstrip("\n")
        if line.startswith("id: "):
            number += 1
            assert line == f"id: {number}"
        elif line.startswith("data: "):
            told = json.loads(line.removeprefix("data: "))
            found[told["type"]] = told
    connection.close()
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
    assert b"<title>Stockline</title>" in page.body
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert shared.call("GET", "/static/stockline.js").status == 200


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


# Bad input


def changed(**attributes: Any) -> bytes:
    whole = {**event("stock.counted", f"bad-{time.monotonic_ns()}", **ROW, qty=1), **attributes}
    return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


def with_data(kind: str = "stock.counted", **data: Any) -> bytes:
    return changed(type=kind, data={**ROW, **data})


BAD_INPUT = {
    "not JSON": (b"hello", {"not_json"}),
    "cut off": (changed()[:-1], {"not_json"}),
    "another encoding": ('{"id":"ü"}'.encode("utf-16"), {"not_json", "not_utf8"}),
    "bad UTF-8": (changed().replace(b"LDS", b"L\xff\xfe"), {"not_utf8", "not_json"}),
    "NaN": (with_data().replace(b'"LDS"', b'"LDS","qty":NaN'), {"not_json"}),
    "Infinity": (with_data().replace(b'"LDS"', b'"LDS","qty":Infinity'), {"not_json"}),
    "deep nesting": (b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}", {"too_deep", "not_json"}),
    "an array where an event is": (b'"just text"', {"invalid_event"}),
    "a number": (b"42", {"invalid_event"}),
    "null": (b"null", {"invalid_event"}),
    "no type": (changed(type=None), {"invalid_event"}),
    "an unknown type": (changed(type="stock.eaten"), {"unknown_type"}),
    "another version": (changed(specversion="0.3"), {"invalid_event"}),
    "no id": (changed(id=None), {"invalid_event"}),
    "an empty id": (changed(id=""), {"invalid_event"}),
    "an id with a control character": (changed(id="a\nb"), {"invalid_event"}),
    "a source with a control character": (changed(source="a\x00b"), {"invalid_event"}),
    "a time without offset": (changed(time="2026-03-02T09:14:05"), {"invalid_event"}),
    "a time that is none": (changed(time="yesterday"), {"invalid_event"}),
    "a time far in the future": (changed(time="2999-01-01T00:00:00Z"), {"time_in_future"}),
    "an unknown field": (with_data(qty=1, colour="red"), {"invalid_event"}),
    "a wrong type": (with_data(qty="1"), {"invalid_event"}),
    "a negative count": (with_data(qty=-1), {"invalid_event"}),
    "a fraction": (with_data(qty=1.5), {"invalid_event"}),
    "an absurd quantity": (with_data(qty=10**30), {"invalid_event", "quantity_out_of_range"}),
    "a quantity beyond the limit": (with_data(qty=10**12 + 1), {"quantity_out_of_range"}),
    "nothing issued": (with_data("stock.issued", qty=0), {"invalid_event"}),
    "nothing adjusted": (with_data("stock.adjusted", qty=0, reason="none"), {"invalid_event"}),
    "an empty sku": (with_data(qty=1, sku=""), {"invalid_event"}),
    "a long sku": (with_data(qty=1, sku="A" * 65), {"invalid_event"}),
    "a sku with space at its end": (with_data(qty=1, sku="A "), {"invalid_event"}),
    "a sku with a tab": (with_data(qty=1, sku="A\tB"), {"invalid_event"}),
    "a unit that there is not": (with_data(qty=1, uom="pallet"), {"unknown_unit"}),
    "an event of half a megabyte": (with_data("stock.held", qty=1, reason="x" * 500_000), {"too_large"}),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_a_dead_letter_with_its_bytes_and_a_reason(shared: Stockline, name: str) -> None:
    bad, reasons = BAD_INPUT[name]
    good = json.dumps(event("stock.counted", f"good beside {name}", **ROW, qty=1)).encode()
    answer = shared.call("POST", "/v1/events", bad + b"\n" + good, "application/x-ndjson")
    assert (answer.status, answer.json["accepted"]) == (202, 1)
    [refused] = answer.json["refused"]
    assert refused["index"] == 0
    assert refused["reason"] in reasons
    assert refused["detail"]
    letter = shared.get("/v1/dead-letters?limit=1")["items"][0]
    raw = letter["raw"].encode() if "raw" in letter else base64.b64decode(letter["raw_base64"])
    assert raw == bad
    assert letter["reason"] == refused["reason"]


def test_a_body_that_is_no_event_at_all_is_a_400(shared: Stockline) -> None:
    before = shared.get("/v1/dead-letters?limit=1")["total"]
    answer = shared.call("POST", "/v1/events", b"\x00\x01\x02", "application/octet-stream")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert shared.get("/v1/dead-letters?limit=1")["total"] == before + 1


# Limits


def test_a_body_over_the_limit_is_a_413_and_takes_nothing(shared: Stockline) -> None:
    before = shared.get("/v1/sync")["accepted"]
    answer = shared.call("POST", "/v1/events", b" " * (16 * 1024 * 1024 + 1), "application/x-ndjson")
    assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")
    assert shared.get("/v1/sync")["accepted"] == before


def test_half_sent_requests_hold_nobody_up(shared: Stockline) -> None:
    held = []
    for text in [
        b"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\n{",
        b"GET /v1/pos",
        b"",
    ] * 60:
        held.append(socket.create_connection(("127.0.0.1", shared.port)))
        held[-1].sendall(text)
    started = time.monotonic()
    shared.send(event("stock.counted", "while others dawdle", **ROW, qty=1))
    assert time.monotonic() - started < 2
    for each in held:
        each.close()


def test_a_thousand_callers_at_once_are_all_answered(shared: Stockline) -> None:
    statuses: list[int] = []

    def one(number: int) -> None:
        for part in range(20):
            body = event(
                "stock.adjusted", f"at-once-{number}-{part}", sku="AT-ONCE", location="LDS", qty=1, reason="found"
            )
            statuses.append(shared.post("/v1/events", body).status)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [202] * 1000
    assert shared.get("/v1/positions/AT-ONCE/LDS")["available"] == 1000


# Start and stop


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
    connection = HTTPConnection("127.0.0.1", engine.port, timeout=10)
    connection.request("GET", "/v1/stream")
    answer = connection.getresponse()
    answer.readline()
    started = time.monotonic()
    assert engine.stop() == 0
    assert time.monotonic() - started < 5
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


def test_a_directory_that_cannot_be_is_exit_3(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    refused = stockline("run", "--data", str(tmp_path / "file" / "data"), "--port", "0")
    assert refused.returncode == 3
    assert refused.stderr.startswith(b"stockline: ")


def test_an_address_beyond_this_machine_needs_to_be_asked_for(tmp_path: Path) -> None:
    refused = stockline("run", "--data", str(tmp_path / "data"), "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 2
    assert not (tmp_path / "data").exists()
