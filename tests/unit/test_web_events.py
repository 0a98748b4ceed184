"""POST /v1/events and the dead letters."""

import asyncio
import gzip
import io
import json
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from engine.core.errors import BrokenInvariant, Busy, DiskFull
from engine.web.bodies import Limits
from tests.unit.web_client import SECONDS, Site, site, until


def event(number: int, **data: Any) -> bytes:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": f"grn-{number}",
            "source": "wms/leeds",
            "type": "goods.received",
            "time": "2026-03-02T09:14:05+00:00",
            "data": {"receipt": "7781", "sku": "A", "location": "L", "qty": 1, **data},
        }
    ).encode()


GOOD, OTHER, BAD = event(1), event(2), event(3, qty=1.5)


@pytest.fixture
async def web() -> AsyncIterator[Site]:
    async with site() as running:
        yield running


async def post(web: Site, body: bytes, content_type: str = "application/json", **headers: str) -> tuple[int, Any]:
    sent = io.BytesIO(body)
    async with web.client.post("/v1/events", data=sent, headers={"Content-Type": content_type, **headers}) as answer:
        return answer.status, await answer.json(content_type=None)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (GOOD, "application/cloudevents+json"),
        (GOOD, "application/json"),
        (b"[" + GOOD + b"]", "application/json"),
        (b"[" + GOOD + b"]", "application/cloudevents-batch+json"),
        (GOOD + b"\n", "application/x-ndjson"),
        (GOOD, "application/x-www-form-urlencoded"),
        (BOM_UTF8 + GOOD, "application/json"),
        (BOM_UTF8 + GOOD, "application/cloudevents+json"),
        (BOM_UTF8 + b"[" + GOOD + b"]", "application/cloudevents-batch+json"),
        (BOM_UTF8 + GOOD + b"\n", "application/x-ndjson"),
    ],
)
async def test_an_event_is_taken_in_every_form(web: Site, body: bytes, content_type: str) -> None:
    assert await post(web, body, content_type) == (202, {"accepted": 1, "refused": []})
    [items] = web.service.submitted
    assert [item.strip() for item in items] == [GOOD]


async def test_a_batch_costs_only_the_items_at_fault(web: Site) -> None:
    status, answer = await post(web, b"\n".join([GOOD, BAD, b"{", OTHER]), "application/x-ndjson")
    assert (status, answer["accepted"]) == (202, 2)
    assert [(item["index"], item["reason"]) for item in answer["refused"]] == [(1, "invalid_event"), (2, "not_json")]
    assert all(item["detail"] for item in answer["refused"])


async def test_an_event_that_is_json_but_refused_is_named_in_a_202(web: Site) -> None:
    status, answer = await post(web, BAD)
    assert (status, answer["accepted"], len(answer["refused"])) == (202, 0, 1)


async def test_a_body_that_is_not_json_is_a_dead_letter_and_a_400(web: Site) -> None:
    status, problem = await post(web, b"\xff\xfenothing")
    assert (status, problem["status"], problem["title"]) == (400, 400, "Bad Request")
    assert problem["reason"] in ("not_json", "not_utf8")
    async with web.client.get("/v1/dead-letters") as answer:
        [letter] = (await answer.json())["items"]
    assert letter["raw_base64"] == "//5ub3RoaW5n"


@pytest.mark.parametrize(("body", "status"), [(b"", 400), (b" \n", 400), (b"[]", 202)])
async def test_a_body_without_events_submits_nothing(web: Site, body: bytes, status: int) -> None:
    assert (await post(web, body))[0] == status
    assert web.service.submitted == []


async def test_a_long_body_is_taken_whole(web: Site) -> None:
    lines = [event(number) for number in range(8000)]
    assert len(b"\n".join(lines)) > 1024 * 1024
    assert await post(web, b"\n".join(lines), "application/x-ndjson") == (202, {"accepted": 8000, "refused": []})
    assert await post(web, b"[" + b",".join(lines) + b"]") == (202, {"accepted": 8000, "refused": []})
    assert web.service.submitted == [lines, lines]


async def test_a_packed_body_is_unpacked(web: Site) -> None:
    answer = await post(web, gzip.compress(GOOD), **{"Content-Encoding": "gzip"})
    assert answer == (202, {"accepted": 1, "refused": []})


async def test_a_body_that_unpacks_wrongly_is_a_400(web: Site) -> None:
    status, problem = await post(web, b"not gzip", **{"Content-Encoding": "gzip"})
    assert (status, problem["reason"]) == (400, "unreadable_body")


@pytest.mark.parametrize(
    ("error", "status", "reason", "retry"),
    [
        (Busy("the engine is behind"), 429, "busy", "1"),
        (DiskFull("no space is left"), 503, "unavailable", None),
        (BrokenInvariant("a bug"), 503, "unavailable", None),
        (KeyError("x"), 500, "unexpected", None),
    ],
)
async def test_a_failure_of_the_engine_is_a_problem(
    web: Site, error: Exception, status: int, reason: str, retry: str | None
) -> None:
    web.service.error = error
    async with web.client.post("/v1/events", data=GOOD) as answer:
        problem = await answer.json(content_type="application/problem+json")
        assert (answer.status, answer.headers.get("Retry-After")) == (status, retry)
    assert (problem["status"], problem["reason"]) == (status, reason)
    assert problem["detail"]
    assert "KeyError" not in str(problem)


async def raw(web: Site, request: bytes) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(request)
    await writer.drain()
    return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS), reader, writer


async def until_held(web: Site, size: int) -> None:
    """Wait until the server has so many bytes of bodies that are not whole."""
    await until(lambda: web.context.intake._held == size)  # noqa: SLF001 - nobody tells


HEAD = b"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"


async def test_a_body_announced_too_long_is_refused_before_it_is_sent() -> None:
    async with site(Limits(body_bytes=1000)) as web:
        head, _, writer = await raw(web, HEAD + b"Content-Length: 1001\r\n\r\n")
        writer.close()
        assert head.startswith(b"HTTP/1.1 413 ")
        assert web.service.submitted == []


async def test_a_body_of_unknown_length_is_refused_as_soon_as_it_is_too_long() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(10_000):
            yield b" " * 100

    async with site(Limits(body_bytes=1000)) as web:
        async with web.client.post("/v1/events", data=endless()) as answer:
            problem = await answer.json(content_type="application/problem+json")
        assert (answer.status, problem["reason"]) == (413, "body_too_long")


async def test_a_small_body_that_unpacks_too_long_is_refused() -> None:
    async with site(Limits(body_bytes=100_000)) as web:
        status, problem = await post(web, gzip.compress(b" " * 10_000_000), **{"Content-Encoding": "gzip"})
        assert (status, problem["reason"]) == (413, "body_too_long")


async def test_a_body_as_long_as_the_limit_is_taken() -> None:
    async with site(Limits(body_bytes=len(GOOD))) as web:
        assert (await post(web, GOOD))[0] == 202


async def test_a_half_sent_body_is_given_up_and_holds_nobody_up() -> None:
    half = HEAD + b"Content-Length: 500\r\n\r\n" + GOOD[:100]
    async with site(Limits(body_bytes=10_000, idle_seconds=600)) as web:
        held = [await asyncio.open_connection("127.0.0.1", web.port) for _ in range(50)]
        for _, writer in held:
            writer.write(half)
        await until_held(web, 50 * 100)
        async with asyncio.timeout(SECONDS):
            assert await post(web, GOOD) == (202, {"accepted": 1, "refused": []})
        for _, writer in held:
            writer.close()
        await until_held(web, 0)
    async with site(Limits(body_bytes=10_000, idle_seconds=0.2)) as web:
        for head, _, writer in await asyncio.gather(*(raw(web, half) for _ in range(50))):
            assert head.startswith(b"HTTP/1.1 408 ")
            writer.close()


async def test_a_body_that_trickles_is_given_up_in_the_end() -> None:
    async def trickle() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" "
            await asyncio.sleep(0.02)

    async with (
        site(Limits(body_bytes=10_000, idle_seconds=1, total_seconds=0.3)) as web,
        web.client.post("/v1/events", data=trickle()) as answer,
    ):
        assert answer.status == 408


async def test_bodies_in_flight_are_bounded_together() -> None:
    async with site(Limits(body_bytes=1000, all_bodies_bytes=1500, idle_seconds=600)) as web:
        _, held = await asyncio.open_connection("127.0.0.1", web.port)
        held.write(HEAD + b"Content-Length: 1000\r\n\r\n" + b" " * 900)
        await until_held(web, 900)
        assert (await post(web, b" " * 900))[0] == 429
        held.close()
        await until_held(web, 0)
        assert (await post(web, GOOD))[0] == 202


async def test_a_dead_letter_is_replayed_with_its_exact_bytes(web: Site) -> None:
    await post(web, b"[" + BAD + b"]")
    async with web.client.get("/v1/dead-letters") as answer:
        [letter] = (await answer.json())["items"]
    async with web.client.get(f"/v1/dead-letters/{letter['id']}") as answer:
        assert await answer.json() == letter | {"status": "open"}
    async with web.client.post(f"/v1/dead-letters/{letter['id']}/replay") as answer:
        assert answer.status == 202
        assert [item["reason"] for item in (await answer.json())["refused"]] == ["invalid_event"]
    assert web.service.submitted[-2] == [BAD]


async def test_a_dead_letter_that_is_not_utf8_is_replayed_with_its_exact_bytes(web: Site) -> None:
    await post(web, b'{"\xff":1}', "application/x-ndjson")
    async with web.client.get("/v1/dead-letters") as answer:
        [letter] = (await answer.json())["items"]
    async with web.client.post(f"/v1/dead-letters/{letter['id']}/replay"):
        pass
    assert web.service.submitted[-2] == [b'{"\xff":1}']


@pytest.mark.parametrize("call", ["get", "post"])
async def test_an_unknown_dead_letter_is_a_404(web: Site, call: str) -> None:
    send: Callable[..., Any] = getattr(web.client, call)
    async with send("/v1/dead-letters/none" + ("/replay" if call == "post" else "")) as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["reason"]) == (404, "unknown_dead_letter")
