"""The other calls: rows, answers to signals and alerts, the stream, health, what holds for every call."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientError
from prometheus_client.parser import text_string_to_metric_families

from engine.core.errors import EnvironmentFailure
from engine.runtime.subscriptions import Lagging
from engine.web import connections, descriptors
from engine.web.calls import stream
from tests.unit.fake_service import NOW
from tests.unit.test_web_events import GOOD, event, post
from tests.unit.web_client import SECONDS, Site, site, until


@pytest.fixture
async def web() -> AsyncIterator[Site]:
    async with site() as running:
        yield running


async def get(web: Site, path: str, **headers: str) -> tuple[int, Any]:
    async with web.client.get(path, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def send(web: Site, path: str, body: Any) -> tuple[int, Any]:
    async with web.client.post(path, data=body if isinstance(body, bytes) else json.dumps(body)) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_row_is_shown_with_a_projection_of_the_days_asked_for(web: Site) -> None:
    await post(web, GOOD)
    status, row = await get(web, "/v1/positions/A/L")
    assert (status, row["available"], len(row["projection"])) == (200, 1, 90)
    assert len((await get(web, "/v1/positions/A/L?days=365"))[1]["projection"]) == 365


@pytest.mark.parametrize("days", ["0", "366", "x", "-1"])
async def test_a_horizon_out_of_range_is_a_400(web: Site, days: str) -> None:
    assert (await get(web, f"/v1/positions/A/L?days={days}"))[0] == 400


async def test_the_events_of_a_row_come_newest_first(web: Site) -> None:
    for number in range(5):
        await post(web, event(number))
    first = (await get(web, "/v1/positions/A/L/events?limit=2"))[1]
    second = (await get(web, f"/v1/positions/A/L/events?limit=9&cursor={first['next']}"))[1]
    assert [item["id"] for item in first["items"] + second["items"]] == [f"grn-{n}" for n in (4, 3, 2, 1, 0)]
    assert (first["total"], second["next"]) == (5, None)


@pytest.mark.parametrize("path", ["/v1/positions/A/none", "/v1/positions/A/none/events"])
async def test_an_unknown_row_is_a_404(web: Site, path: str) -> None:
    status, problem = await get(web, path)
    assert (status, problem["reason"]) == (404, "unknown_row")


@pytest.mark.parametrize("query", ["sort=time", "limit=0", "cursor=x", "cursor=WyJhIl0"])
async def test_the_events_of_a_row_take_only_limit_and_cursor(web: Site, query: str) -> None:
    await post(web, GOOD)
    assert (await get(web, f"/v1/positions/A/L/events?{query}"))[0] == 400


async def test_a_signal_is_accepted_by_an_event_at_the_engines_time(web: Site) -> None:
    web.service.open_signal("sig-1")
    status, signal = await send(web, "/v1/signals/sig-1/accept", {"by": "ann", "qty": 96, "reason": "half a truck"})
    assert (status, signal["status"], signal["by"], signal["qty"]) == (200, "accepted", "ann", 96)
    [[raw]] = web.service.submitted
    sent = json.loads(raw)
    assert (sent["type"], sent["source"]) == ("signal.accepted", "stockline/api")
    assert sent["time"] == "2026-03-02T09:14:05Z"
    assert sent["data"] == {
        "sku": "A", "location": "L", "signal": "sig-1", "by": "ann", "qty": 96, "reason": "half a truck",
    }  # fmt: skip


async def test_what_the_life_cycle_refuses_is_a_409_with_its_reason(web: Site) -> None:
    web.service.open_signal("sig-1")
    assert (await send(web, "/v1/signals/sig-1/reject", {"by": "ann"}))[1]["status"] == "rejected"
    status, problem = await send(web, "/v1/signals/sig-1/accept", {"by": "ann"})
    assert (status, problem["reason"]) == (409, "signal_closed")


async def test_two_answers_never_share_an_id(web: Site) -> None:
    web.service.open_alert("al-1")
    for by in ("ann", "bob"):
        await send(web, "/v1/alerts/al-1/acknowledge", {"by": by})
    assert len({json.loads(raw)["id"] for [raw] in web.service.submitted}) == 2


@pytest.mark.parametrize(("verb", "status"), [("acknowledge", "acknowledged"), ("resolve", "resolved")])
async def test_an_alert_is_answered(web: Site, verb: str, status: str) -> None:
    web.service.open_alert("al-1")
    code, alert = await send(web, f"/v1/alerts/al-1/{verb}", {"by": "ann", "note": "seen"})
    assert (code, alert["status"], alert["by"]) == (200, status, "ann")
    assert (await get(web, "/v1/alerts/al-1"))[1] == alert


@pytest.mark.parametrize(
    "body",
    [{}, {"by": ""}, {"by": 1}, {"by": "x" * 65}, {"by": "a", "qty": 0}, {"by": "a", "qty": 1.5}, {"by": "a", "x": 1},
     b"[]", b"{", b'{"by":"\xff"}', b"[" * 100_000, {"by": "a", "qty": 10**13}],
)  # fmt: skip
async def test_an_answer_without_sense_is_a_400_and_no_event(web: Site, body: Any) -> None:
    web.service.open_signal("sig-1")
    status, problem = await send(web, "/v1/signals/sig-1/accept", body)
    assert (status, problem["reason"]) == (400, "invalid_body")
    assert web.service.submitted == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/signals/none", 404), ("POST", "/v1/signals/none/accept", 404), ("GET", "/v1/alerts/none", 404),
        ("POST", "/v1/alerts/none/resolve", 404), ("POST", "/v1/signals/sig-1/ignore", 404), ("GET", "/nothing", 404),
        ("GET", "/static/nothing", 404), ("GET", "/static/..%2Fserver.py", 404),
        ("GET", "/static/lib/../../site.py", 404), ("GET", "/static/page.html", 404), ("DELETE", "/v1/positions", 405),
        ("GET", "/v1/events", 405), ("PUT", "/", 405),
    ],
)  # fmt: skip
async def test_what_is_not_there_is_a_problem(web: Site, method: str, path: str, status: int) -> None:
    web.service.open_signal("sig-1")
    async with web.client.request(method, path, data=b'{"by":"a"}' if method == "POST" else None) as answer:
        problem = await answer.json(content_type="application/problem+json")
        assert answer.status == problem["status"] == status
        assert problem["type"] == "about:blank"
        assert problem["title"]
        assert problem["detail"]
        assert ("Allow" in answer.headers) == (status == 405)


async def test_sync_waits_and_answers(web: Site) -> None:
    await post(web, GOOD)
    expected = {"accepted": 1, "applied": 1, "lag": 0, "log": "log-of-the-fake"}
    assert await get(web, "/v1/sync?wait=2.5") == (200, expected)
    for wait in ("x", "-1", "nan", "inf", "301"):
        assert (await get(web, f"/v1/sync?wait={wait}"))[0] == 400


async def test_health_follows_the_engine(web: Site) -> None:
    assert await get(web, "/healthz") == (200, {"status": "ok", "detail": None})
    assert (await get(web, "/readyz"))[0] == 200
    web.service.broken = EnvironmentFailure("the disk is full")
    for path in ("/healthz", "/readyz"):
        assert await get(web, path) == (503, {"status": "failed", "detail": "the disk is full"})


async def test_business_figures_are_those_of_the_days_that_are_asked_for(web: Site) -> None:
    for query, days in (("", None), ("?days=1", 1), ("?days=35", 35)):
        async with web.client.get(f"/v1/kpis{query}") as answer:
            assert (answer.status, (await answer.json())["days"]) == (200, days)
    for query in ("0", "36", "-1", "1.5", "x", "", "9" * 5000, "\u0667"):
        async with web.client.get("/v1/kpis", params={"days": query}) as answer:
            assert (answer.status, (await answer.json())["reason"]) == (400, "invalid_parameter"), query


async def test_metrics_can_be_scraped(web: Site) -> None:
    await get(web, "/v1/positions/A/B")
    async with web.client.get("/metrics") as answer:
        assert answer.content_type == "text/plain"
        families = {family.name: family for family in text_string_to_metric_families(await answer.text())}
    assert families["stockline_lag_events"].samples[0].value == 1
    assert families["stockline_events_accepted"].samples[0].value == 3
    assert families["stockline_events_applied"].samples[0].value == 2
    outcomes = {sample.labels["outcome"]: sample.value for sample in families["stockline_events"].samples}
    assert outcomes == {"applied": 2, "duplicate": 1}
    routes = {sample.labels["route"] for sample in families["stockline_http_requests"].samples}
    assert routes == {"/v1/positions/{sku}/{location}"}


async def lines_of(answer: Any, count: int) -> list[str]:
    return [(await asyncio.wait_for(answer.content.readline(), SECONDS)).decode().rstrip("\n") for _ in range(count)]


async def test_the_stream_tells_every_change_of_the_tables_asked_for(web: Site) -> None:
    async with web.client.get("/v1/stream?tables=positions,alerts") as answer:
        assert answer.content_type == "text/event-stream"
        assert (await lines_of(answer, 3))[0] == "retry: 1000"
        web.service.open_signal("sig-1")
        web.service.receive("A", "L", 4)
        web.service.open_alert("al-1")
        first, second = await lines_of(answer, 3), await lines_of(answer, 3)
    assert first[0] == "event: position.changed"
    assert json.loads(first[1].removeprefix("data: "))["data"]["available"] == 4
    assert (second[0], second[2]) == ("event: alert.opened", "")


async def test_a_reader_who_leaves_is_noticed(web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    async with web.client.get("/v1/stream") as answer:
        assert (await lines_of(answer, 5))[3] == ": still here"
    await until(lambda: web.service.subscriptions[0].closed and not web.context.streams)


async def test_a_reader_who_is_too_slow_is_cut_off(web: Site) -> None:
    async with web.client.get("/v1/stream") as answer:
        await lines_of(answer, 3)
        web.service.subscriptions[0].queue.put_nowait(Lagging("too slow"))
        assert await asyncio.wait_for(answer.content.read(), SECONDS) == b""
    async with web.client.get("/metrics") as answer:
        assert "stockline_streams_cut_off_total 1.0" in await answer.text()


async def test_a_reader_who_does_not_read_holds_a_bounded_number_of_bytes(web: Site) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", web.port, limit=1)
    writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await until(lambda: bool(web.service.subscriptions))
    [subscription] = web.service.subscriptions
    for number in range(60_000):
        web.service.receive("A", "L", number)
    await asyncio.sleep(0.5)
    assert subscription.queue.qsize() > 10_000
    writer.close()


@pytest.mark.parametrize("query", ["tables=", "tables=rows", "tables=positions,rows", "table=positions"])
async def test_an_unknown_table_of_the_stream_is_a_400(web: Site, query: str) -> None:
    assert (await get(web, f"/v1/stream?{query}"))[0] == 400


async def test_streams_end_when_the_server_does() -> None:
    async with site() as web:
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await reader.readuntil(b"was before\n\n")
    assert (await asyncio.wait_for(reader.read(), SECONDS)).endswith(b"0\r\n\r\n")
    writer.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost:1"}, 202),
        ({"Host": "[::1]:80"}, 202),
    ],
)
async def test_a_page_of_a_foreign_site_cannot_write(web: Site, headers: dict[str, str], status: int) -> None:
    async with web.client.post("/v1/events", data=GOOD, headers=headers) as answer:
        assert answer.status == status
    assert len(web.service.submitted) == (status == 202)


async def test_a_page_of_this_site_can_write(web: Site) -> None:
    async with web.client.post("/v1/events", data=GOOD, headers={"Origin": web.url}) as answer:
        assert answer.status == 202


async def test_connections_beyond_the_limit_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "MAX_CONNECTIONS", 3)
    monkeypatch.setattr(descriptors, "FEWEST_CONNECTIONS", 3)
    async with site() as web:
        held = [await asyncio.open_connection("127.0.0.1", web.port) for _ in range(3)]
        for answer, each in held:
            each.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert (await asyncio.wait_for(answer.readline(), SECONDS)).startswith(b"HTTP/1.1 200 ")
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        assert (await asyncio.wait_for(reader.read(), SECONDS)).startswith(b"HTTP/1.1 503 ")
        for _, each in [*held, (reader, writer)]:
            each.close()
        async with asyncio.timeout(SECONDS):
            while not await admitted(web):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)


async def admitted(web: Site) -> bool:
    """Whether a call is answered; one beyond the limit may lose the 503 together with its connection."""
    try:
        async with web.client.get("/healthz") as answer:
            return answer.status == 200
    except ClientError:
        return False


async def test_a_connection_that_says_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.3)
    async with site() as web:
        for head in (b"", b"POST /v1/events HTTP/1.1\r\nHost: 127"):
            reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
            writer.write(head)
            assert await asyncio.wait_for(reader.read(), SECONDS) == b""
            writer.close()


async def test_times_are_the_engines_and_not_the_walls(web: Site) -> None:
    web.service.open_signal("sig-1")
    web.service.time = NOW - 365 * 86_400_000_000
    await send(web, "/v1/signals/sig-1/reject", {"by": "ann"})
    [[raw]] = web.service.submitted
    assert json.loads(raw)["time"].startswith("2025-03-02")
