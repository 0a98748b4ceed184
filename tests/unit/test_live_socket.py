"""The live socket of the page: windows of lists, their order, and pages that are slow, gone, rude or many."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector, WSMsgType, WSServerHandshakeError

from engine.web.calls import live
from engine.web.live import connection, windows
from engine.web.live.messages import MAX_MESSAGE_BYTES
from tests.unit.web_client import Site, site

ROWS = {"view": "stock", "table": "positions", "query": "sort=-position", "limit": 3}
SECONDS = 120


@pytest.fixture
async def web() -> AsyncIterator[Site]:
    async with site() as web:
        for number in range(6):
            web.service.receive(f"S{number}", "L", 10 + number)
        yield web


async def frame(page: ClientWebSocketResponse) -> Any:
    return await page.receive_json(timeout=SECONDS)


def skus(shown: Any) -> list[str]:
    return [row["sku"] for row in shown["items"]]


async def silent(page: ClientWebSocketResponse, seconds: float) -> bool:
    try:
        await page.receive(timeout=seconds)
    except TimeoutError:
        return True
    return False


async def metric(web: Site, name: str) -> float:
    async with web.client.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).rpartition(" ")[2])


async def test_a_window_is_shown_at_once_and_again_only_when_something_in_it_changes(web: Site) -> None:
    async with web.client.ws_connect("/v1/live") as page:
        await page.send_json({**ROWS, "mode": "live"})
        first = await frame(page)
        assert (first["view"], first["seq"], first["total"], first["offset"], first["moved"]) == ("stock", 1, 6, 0, 0)
        assert skus(first) == ["S5", "S4", "S3"]
        web.service.receive("S0", "L", 1)
        assert await silent(page, 0.6)
        web.service.receive("S0", "L", 50)
        second = await frame(page)
        assert (second["seq"], skus(second)) == (2, ["S0", "S5", "S4"])


async def test_a_frozen_window_keeps_its_rows_and_tells_how_many_have_moved(web: Site) -> None:
    async with web.client.ws_connect("/v1/live") as page:
        await page.send_json({**ROWS, "mode": "frozen"})
        assert skus(await frame(page)) == ["S5", "S4", "S3"]
        web.service.receive("S3", "L", 50)
        shown = await frame(page)
        while shown["moved"] == 0:
            shown = await frame(page)
        assert skus(shown) == ["S5", "S4", "S3"]
        assert [row["position"] for row in shown["items"]] == [15, 14, 63]
        assert shown["moved"] == 1
        await page.send_json({**ROWS, "mode": "frozen"})
        anew = await frame(page)
        assert (skus(anew), anew["moved"], anew["seq"]) == (["S3", "S5", "S4"], 0, 1)


async def test_a_page_may_name_the_rows_that_it_shows(web: Site) -> None:
    async with web.client.ws_connect("/v1/live") as page:
        await page.send_json({**ROWS, "rows": [["S1", "L"], ["gone", "L"], ["S4", "L"]]})
        assert skus(await frame(page)) == ["S1", "S4"]
        web.service.receive("S1", "L", 1)
        assert [row["position"] for row in (await frame(page))["items"]] == [12, 14]


async def test_pages_that_look_at_the_same_share_one_question(web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "FRESH_SECONDS", 600.0)
    pages = [await web.client.ws_connect("/v1/live") for _ in range(10)]
    for page in pages:
        await page.send_json({**ROWS, "mode": "live"})
    frames = [await frame(page) for page in pages]
    assert {tuple(skus(shown)) for shown in frames} == {("S5", "S4", "S3")}
    assert await metric(web, "stockline_view_query_seconds_count") == 1
    assert await metric(web, "stockline_live_clients") == 10
    assert await metric(web, "stockline_live_frames_total") == 10
    for page in pages:
        await page.close()


async def test_a_hidden_page_is_shown_a_frame_a_second(web: Site) -> None:
    async with web.client.ws_connect("/v1/live") as page:
        await page.send_json({"hidden": True})
        # From before the first of three frames to after the last: a machine that is slow only makes it longer.
        began = time.monotonic()
        await page.send_json({**ROWS, "mode": "live"})
        await frame(page)
        for number in range(2):
            web.service.receive("S5", "L", 1 + number)
            await frame(page)
        assert time.monotonic() - began > 1.9
        await page.send_json({"hidden": False})
        web.service.receive("S5", "L", 9)
        await frame(page)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("no json", "malformed"),
        ("[]", "Expected `object`"),
        ('{"view": "v"}', "missing required field `table`"),
        ('{"view": "v", "table": "positions", "colour": 1}', "unknown field `colour`"),
        ('{"view": "v", "table": "positions", "limit": 501}', "<= 500"),
        ('{"view": "v", "table": "secrets"}', "`table` is one of positions"),
        ('{"view": "v", "table": "positions", "query": "colour=red"}', "`colour` is no filter"),
        ('{"view": "v", "table": "positions", "query": "position.min=many"}', "`position.min`"),
        ('{"view": "v", "table": "positions", "mode": "thawed"}', "thawed"),
    ],
)
async def test_what_is_no_message_is_refused_and_the_socket_stays(web: Site, message: str, why: str) -> None:
    async with web.client.ws_connect("/v1/live") as page:
        await page.send_str(message)
        refused = await frame(page)
        assert (refused["problem"]["type"], refused["problem"]["status"]) == ("about:blank", 400)
        assert why in refused["problem"]["detail"]
        await page.send_json(ROWS)
        assert (await frame(page))["view"] == "stock"


async def test_a_page_follows_a_bounded_number_of_windows_and_may_leave_one(web: Site) -> None:
    async with web.client.ws_connect("/v1/live") as page:
        for number in range(connection.MAX_VIEWS):
            await page.send_json({**ROWS, "view": f"v{number}"})
            assert (await frame(page))["view"] == f"v{number}"
        await page.send_json({**ROWS, "view": "more"})
        refused = await frame(page)
        assert (refused["view"], refused["problem"]["reason"]) == ("more", "invalid_parameter")
        await page.send_json({"leave": "v0"})
        await page.send_json({**ROWS, "view": "more"})
        assert (await frame(page))["view"] == "more"


async def closed(page: ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(SECONDS):
        while (await page.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR):
            pass
    return page.close_code


async def test_a_page_that_says_too_much_is_closed(web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MESSAGES_A_SECOND", 0)
    async with web.client.ws_connect("/v1/live") as page:
        for _ in range(connection.MESSAGES_AT_ONCE + 1):
            await page.send_json({"hidden": False})
        assert await closed(page) == 1008
    async with web.client.ws_connect("/v1/live") as page:
        await page.send_str(json.dumps({**ROWS, "query": "q=" + "x" * MAX_MESSAGE_BYTES}))
        assert await closed(page) == 1009
    async with web.client.ws_connect("/v1/live") as page:
        await page.send_bytes(b"{}")
        assert await closed(page) == 1003


async def test_only_pages_of_this_origin_open_sockets(web: Site) -> None:
    for origin in ("https://evil.example", "null", "http://[broken"):
        with pytest.raises(WSServerHandshakeError, match="403"):
            await web.client.ws_connect("/v1/live", headers={"Origin": origin})
    async with web.client.ws_connect("/v1/live", headers={"Origin": web.url}) as page:
        await page.send_json(ROWS)
        await frame(page)
    async with web.client.get("/v1/live") as answer:
        assert answer.status == 426
        assert (await answer.json(content_type=None))["reason"] == "no_websocket"


HANDSHAKE = (
    b"GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)


def deaf_page(port: int) -> socket.socket:
    """A page that follows a window and takes nothing; its own buffer is small."""
    page = socket.socket()
    page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    page.connect(("127.0.0.1", port))
    text = json.dumps({**ROWS, "limit": 500, "mode": "live"}).encode()
    page.sendall(HANDSHAKE + bytes([0x81, 0xFE]) + len(text).to_bytes(2, "big") + bytes(4) + text)
    return page


async def test_a_page_that_takes_nothing_is_closed_and_the_others_go_on(
    web: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(connection, "FRAME_SECONDS", 0.01)
    for number in range(600):
        web.service.receive(f"T{number}", "L", number)
    deaf = deaf_page(web.port)
    async with web.client.ws_connect("/v1/live") as page:
        await page.send_json({**ROWS, "mode": "live"})
        async with asyncio.timeout(2 * SECONDS):
            number = 0
            while not number or await metric(web, "stockline_live_clients") > 1:
                number += 1
                web.service.receive("T599", "L", 1)
                await asyncio.sleep(0.02)
        web.service.receive("T599", "L", 1_000_000)
        while (await frame(page))["items"][0]["position"] < 1_000_000:
            pass
    deaf.close()


async def test_a_socket_whose_other_end_is_gone_is_noticed(web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PING_SECONDS", 0.2)
    deaf = deaf_page(web.port)
    async with asyncio.timeout(SECONDS):
        while not web.context.streams:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        while web.context.streams:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
    deaf.close()


async def test_an_open_page_is_told_that_the_server_ends() -> None:
    async with ClientSession() as client:
        async with site() as web:
            page = await client.ws_connect(f"{web.url}/v1/live")
            await page.send_json(ROWS)
            await frame(page)
            ending = asyncio.create_task(closed(page))
        assert await ending == 1001


async def test_five_hundred_pages_are_served_in_bounded_memory(web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    # A page that is not read does not answer pings, and here they are read one after the other.
    monkeypatch.setattr(live, "PING_SECONDS", 600.0)
    client = ClientSession(web.url, connector=TCPConnector(limit=0))
    pages = [await client.ws_connect("/v1/live") for _ in range(500)]
    for number, page in enumerate(pages):
        await page.send_json({**ROWS, "mode": "live", "limit": 1 + number % 5})
    for page in pages:
        await frame(page)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(100):
        web.service.receive("S5", "L", 1 + number)
        if number % 10 == 0:
            await asyncio.sleep(0.001)
    newest = 15 + sum(range(1, 101))
    for page in pages:
        while (await frame(page))["items"][0]["position"] < newest:
            pass
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 16 << 20
    assert await metric(web, "stockline_live_clients") == 500
    async with web.client.get("/v1/positions?limit=1") as answer:
        assert answer.status == 200
    await client.close()
