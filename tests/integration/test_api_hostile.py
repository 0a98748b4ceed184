"""The shipped command against calls that no client of good will sends: whatever is in them, the caller is told so."""

import base64
import json
import socket
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.integration.process import Stockline, event

ROW = {"sku": "85123A", "location": "LDS"}
PROBLEM = b"Content-Type: application/problem+json"
LISTS = ["/v1/positions", "/v1/signals", "/v1/alerts", "/v1/dead-letters", "/v1/positions/85123A/LDS/events"]
PATHS = [*LISTS, "/v1/positions/85123A/LDS", "/v1/sync", "/v1/kpis", "/v1/signals/{}", "/v1/positions/{}/{}", "/{}"]
FIELDS = ["available", "updated", "qty", "due", "status", "sku", "arrived", "opened"]
NAMES = ["limit", "cursor", "sort", "q", "days", "wait", *FIELDS, *(f"{field}.min" for field in FIELDS), "unknown"]

# Bytes that a header or a path may hold without the parser of HTTP itself refusing them.
ODD = ["[", "]", "::1", "127.0.0.1", "http://", "%00", "%ff", "%ED%A0%80", "*", "@", ":", "nan", "1e309", "-1", "0"]
header_bytes = st.one_of(
    st.lists(st.sampled_from([*map(str.encode, ODD), b"\xff", b"\xed\xa0\x80"]), max_size=4).map(b"".join),
    st.binary(max_size=12).map(lambda raw: bytes(byte for byte in raw if byte >= 32 and byte != 127)),
)
url_text = st.one_of(
    st.lists(st.sampled_from(ODD), max_size=4).map("".join),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#?&/"), max_size=12),
)
moments = st.sampled_from(["2026-01-01T00:00:00", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01"])
scalars = st.one_of(st.none(), st.integers(), st.floats(allow_nan=False), moments, st.text(max_size=3), st.just([]))
orders = st.sampled_from([None, *FIELDS, *(f"-{field}" for field in FIELDS)])


def as_cursor(position: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


cursors = st.one_of(st.tuples(scalars), st.tuples(orders, scalars, st.text(max_size=3))).map(as_cursor)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stockline]:
    with Stockline(tmp_path_factory.mktemp("hostile") / "data", "--clock", "log") as instance:
        instance.send(
            event("stock.counted", "count", **ROW, qty=1),
            event("policy.set", "policy", **ROW, policy={"kind": "min_max", "min": 5, "max": 9}),
            event("stock.issued", "too many", **ROW, qty=9),
        )
        instance.post("/v1/events", {"no": "event"})
        yield instance


def ask(instance: Stockline, request: bytes) -> tuple[int, bytes]:
    """Send the bytes of a request; the status and all of the answer."""
    with socket.create_connection(("127.0.0.1", instance.port), timeout=120) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(answer.split(b" ", 2)[1]), answer


def call(instance: Stockline, path: str, host: bytes, origin: bytes | None, method: str = "GET") -> tuple[int, bytes]:
    head = b"%b %b HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n" % (method.encode(), path.encode(), host)
    return ask(instance, head + (b"" if origin is None else b"Origin: %b\r\n" % origin) + b"\r\n")


@given(header_bytes, st.none() | header_bytes, st.sampled_from(["GET", "POST"]))
@settings(max_examples=150)
@example(b"[::1", None, "GET")
@example(b"127.0.0.1", b"http://[", "POST")
@example(b"127.0.0.1", b"http://\xff", "POST")
@example(b"\xff", None, "GET")
@example(b"[::1]]:80", b"[", "POST")
def test_a_header_without_sense_is_the_callers_fault(
    running: Stockline, host: bytes, origin: bytes | None, method: str
) -> None:
    status, answer = call(running, "/v1/kpis" if method == "GET" else "/v1/events", host, origin, method)
    assert status in (200, 400, 403, 421)
    assert status == 200 or PROBLEM in answer


@given(st.sampled_from(PATHS), url_text, st.sampled_from(NAMES), url_text)
@settings(max_examples=200)
def test_a_parameter_without_sense_is_the_callers_fault(
    running: Stockline, path: str, part: str, name: str, value: str
) -> None:
    status, answer = call(running, f"{path.replace('{}', part)}?{name}={value}", b"127.0.0.1", None)
    assert status in (200, 400, 404)
    assert status == 200 or PROBLEM in answer


@given(st.sampled_from(LISTS), orders, cursors)
@settings(max_examples=200)
@example("/v1/positions/85123A/LDS/events", None, as_cursor([-1]))
@example("/v1/positions/85123A/LDS/events", None, as_cursor([10**30]))
@example("/v1/alerts", "-updated", as_cursor(["-updated", "2026-01-01T00:00:00", ""]))
def test_a_cursor_of_ones_own_making_is_the_callers_fault(
    running: Stockline, path: str, order: str | None, cursor: str
) -> None:
    sort = "" if order is None or path.endswith("events") else f"&sort={order}"
    status, answer = call(running, f"{path}?cursor={cursor}{sort}", b"127.0.0.1", None)
    assert status in (200, 400)
    assert status == 200 or PROBLEM in answer


@pytest.mark.parametrize("by", ["anna ", " anna", "*", "an\tna", "an\u200bna"])
@pytest.mark.parametrize(
    "verb", ["signals/{}/accept", "signals/{}/reject", "alerts/{}/acknowledge", "alerts/{}/resolve"]
)
def test_an_answer_by_nobody_says_what_is_wrong_and_is_no_event(running: Stockline, verb: str, by: str) -> None:
    thing = verb.split("/", maxsplit=1)[0]
    name = running.get(f"/v1/{thing}?status=open")["items"][0]["id"]
    before = running.get("/v1/sync")["accepted"]
    answer = running.post(f"/v1/{verb.format(name)}", {"by": by})
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "not printable or a space at an end" in answer.json["detail"]
    assert running.get("/v1/sync")["accepted"] == before


def test_a_body_within_the_limit_is_taken_however_many_events_it_has(running: Stockline) -> None:
    line = (
        b'{"specversion":"1.0","id":"c","source":"w","type":"stock.counted","time":"2026-03-02T09:14:05Z",'
        b'"data":{"sku":"A","location":"L","qty":1}}\n'
    )
    body = line * 110_000
    assert len(body) <= 16 * 1024 * 1024
    answer = running.call("POST", "/v1/events", body, "application/x-ndjson")
    assert (answer.status, answer.json) == (202, {"accepted": 110_000, "refused": [], "duplicates": 109_999})
    assert running.get("/v1/positions/A/L")["version"] == 1
