"""What no handler sees, or should have to see: every answer to it is a problem, and no log is filled by it."""

import asyncio
import logging
from collections.abc import AsyncIterator

import msgspec
import pytest

from tests.unit.web_client import Site, site


@pytest.fixture
async def web() -> AsyncIterator[Site]:
    async with site() as running:
        yield running


async def ask(web: Site, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """The status, headers and body of the first answer to the bytes of a request; the connection must end with it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(request)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split(" ")[1]), headers, body


HOST = b"Host: 127.0.0.1\r\n"
POST = b"POST /v1/events HTTP/1.1\r\n" + HOST
UNREADABLE = {
    "a path of 9,000 letters": (b"GET /%b HTTP/1.1\r\n%b\r\n" % (b"a" * 9000, HOST), "longer than 8 KiB"),
    "a header of 9,000 letters": (b"GET / HTTP/1.1\r\n%bA: %b\r\n\r\n" % (HOST, b"a" * 9000), "longer than 8 KiB"),
    "no HTTP": (b"\x16\x03\x01 hello\r\n\r\n", "no request of HTTP/1.1"),
    "a control character in a header": (b"GET / HTTP/1.1\r\n%bA: \x01\r\n\r\n" % HOST, "no request of HTTP/1.1"),
    "a space before the colon": (b"GET / HTTP/1.1\r\n%bA : b\r\n\r\n" % HOST, "no request of HTTP/1.1"),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", "no request of HTTP/1.1"),
    "a length and chunks": (
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "no request of HTTP/1.1",
    ),
}
BROTLI = POST + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}"
"""A body in an encoding that the server would undo if its library were there."""


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_as_http_is_told_so_and_not_logged(
    web: Site, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    request, why = UNREADABLE[name]
    with caplog.at_level(logging.INFO):
        status, headers, body = await ask(web, request)
    problem = msgspec.json.decode(body)
    assert (status, headers["content-type"]) == (400, "application/problem+json")
    assert (problem["status"], problem["reason"]) == (400, "unreadable_request")
    assert why in problem["detail"]
    assert (headers["x-content-type-options"], headers["server"]) == ("nosniff", "stockline")
    assert caplog.records == []


async def test_a_body_in_an_encoding_without_a_library_is_one_that_cannot_be_read(web: Site) -> None:
    status, _, body = await ask(web, BROTLI)
    problem = msgspec.json.decode(body)
    assert (status, problem["reason"]) == (400, "unreadable_body")
    assert "`Content-Encoding`" in problem["detail"]


async def test_who_leaves_in_the_middle_of_a_call_is_not_logged(web: Site, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(POST + b"Content-Length: 100\r\n\r\n{}")
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        async with web.client.get("/healthz") as response:
            assert (response.status, response.headers["Server"]) == (200, "stockline")
    assert caplog.records == []


@pytest.mark.parametrize("encoding", ["zz", "gzip, gzip", "x-gzip"])
async def test_a_body_in_an_unknown_encoding_is_not_taken_for_events(web: Site, encoding: str) -> None:
    async with web.client.post("/v1/events", data=b"bytes", headers={"Content-Encoding": encoding}) as response:
        assert (response.status, (await response.json())["reason"]) == (400, "unreadable_body")
    assert web.service.submitted == []


async def test_a_body_that_is_no_gzip_is_told_so_and_not_logged(web: Site, caplog: pytest.LogCaptureFixture) -> None:
    request = POST + b"Content-Encoding: gzip\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
    with caplog.at_level(logging.INFO):
        status, _, body = await ask(web, request)
    assert (status, msgspec.json.decode(body)["reason"]) == (400, "unreadable_body")
    assert caplog.records == []


@pytest.mark.parametrize("value", ["sNaN", "NaN", "-Infinity"])
async def test_a_filter_by_what_is_no_number_is_the_callers_fault(web: Site, value: str) -> None:
    async with web.client.get("/v1/positions", params={"value.min": value}) as response:
        assert (response.status, (await response.json())["reason"]) == (400, "invalid_parameter")


@pytest.mark.parametrize(
    "path", ["positions/A/L?asof=", "signals/sig-1?asof=", "alerts/al-1?a", "kpis?day=7", "sync?w=1"]
)
async def test_a_parameter_that_there_is_not_is_never_passed_over(web: Site, path: str) -> None:
    web.service.open_signal("sig-1")
    web.service.open_alert("al-1")
    async with web.client.get(f"/v1/{path}") as response:
        assert (response.status, (await response.json())["reason"]) == (400, "invalid_parameter")


async def test_an_answer_without_a_body_is_told_that_it_is_empty(web: Site) -> None:
    web.service.open_signal("sig-1")
    for body in (b"", b" \r\n"):
        async with web.client.post("/v1/signals/sig-1/accept", data=body) as response:
            problem = await response.json()
        assert (response.status, problem["reason"], problem["detail"]) == (400, "empty_body", "the body is empty")
    assert web.service.submitted == []


@pytest.mark.parametrize("host", ["a b", "127.0.0.1/x", "ann@127.0.0.1", "127.0.0.1:http", "127.0.0.1?x", "[::1", ""])
async def test_a_host_that_is_none_is_malformed(web: Site, host: str) -> None:
    async with web.client.get("/v1/me", headers={"Host": host}) as answer:
        assert (answer.status, (await answer.json())["reason"]) == (400, "malformed_host")
