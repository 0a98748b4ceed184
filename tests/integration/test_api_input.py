"""The shipped command against bad input, bodies over the limit, and callers who dawdle or come all at once."""

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.process import Stockline, event

ROW = {"sku": "85123A", "location": "LDS"}
GIVEN_UP_SECONDS = 30
"""After so long without a byte the engine lets go of a request."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stockline]:
    """For tests that leave each other alone."""
    with Stockline(tmp_path_factory.mktemp("shared") / "data", "--clock", "log") as running:
        yield running


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
    assert time.monotonic() - started < GIVEN_UP_SECONDS
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
