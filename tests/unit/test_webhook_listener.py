"""What others send here: believed only when it is signed, answered only when it is durable, and bounded."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import ValidationError

from connectors.base import RejectedEvent, Submission
from connectors.ports import Batch, Tools
from connectors.webhook import connect
from connectors.webhook.connector import LISTEN
from connectors.webhook.listener import Listener
from connectors.webhook.profile import Profile
from connectors.webhook.signing import HEADER, Message
from engine.core.errors import UsageError
from tests.connectors.far_side import Kept
from tests.unit.epcis_events import event
from tests.unit.test_epcis import Mapped

SECONDS = 120.0
EVENT = {"specversion": "1.0", "id": "1", "source": "wms", "type": "stock.issued", "time": "2026-03-02T09:00:00Z",
         "data": {"sku": "A", "location": "LDS", "qty": 2}}  # fmt: skip
STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
BINARY = {"Content-Type": "application/json"} | {
    f"ce-{name}": str(value) for name, value in EVENT.items() if name != "data"
}


def profile(**listen: Any) -> Profile:
    settings = {"port": 0, **({} if "keys" in listen else {"unsigned": True}), **listen}
    return Profile.model_validate({"kind": "webhook", "name": "in", "linger_seconds": 0.1, "listen": settings})


class Host:
    """Pulls a listener as the host does; `durable` says whether a batch can be posted now."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.batches: list[Batch] = []
        self.durable: Callable[[], bool] = lambda: True
        self.answer = Submission(0, ())

    async def run(self) -> None:
        while True:
            stream = self.listener.pull(None)
            async for batch in stream:
                if not self.durable():
                    await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
                    break
                self.batches.append(batch)
                if batch.answered is not None:
                    batch.answered(self.answer)

    @property
    def events(self) -> list[Any]:
        return [json.loads(each) for batch in self.batches for each in batch.events]


@asynccontextmanager
async def listening(settings: Profile, pulled: bool = True) -> AsyncIterator[tuple[Host, str, aiohttp.ClientSession]]:
    async with (
        connect(settings, Tools(Mapped(), Path("unused"), Kept())) as connector,
        aiohttp.ClientSession() as session,
    ):
        listener = connector.sources[LISTEN]
        assert isinstance(listener, Listener)
        host = Host(listener)
        running = asyncio.create_task(host.run())
        while not listener.port:  # noqa: ASYNC110 - the port is bound by the first pull
            await asyncio.sleep(0.005)
        if not pulled:
            running.cancel()
        yield host, f"http://127.0.0.1:{listener.port}/events", session
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (STRUCTURED, json.dumps(EVENT, indent=2)),
        (BINARY, json.dumps(EVENT["data"], indent=2)),
        ({"Content-Type": "application/cloudevents-batch+json"}, json.dumps([EVENT])),
    ],
    ids=["structured", "binary", "batch"],
)
async def test_a_cloud_event_in_each_mode_is_one_line_and_answered_when_durable(headers: Any, body: str) -> None:
    async with listening(profile()) as (host, url, session):
        async with session.post(url, data=body, headers=headers) as answer:
            assert answer.status == 202
            assert await answer.json() == {"accepted": 1, "refused": 0, "untranslated": 0, "skipped": 0}
        assert host.events == [EVENT]
        assert b"\n" not in host.batches[0].events[0]


async def test_requests_that_wait_are_one_batch_and_a_broken_event_of_a_batch_costs_itself() -> None:
    async with listening(profile()) as (host, url, session):
        host.answer = Submission(1, (RejectedEvent(1, "2", "invalid_event"),))
        body = json.dumps([EVENT, 7, EVENT | {"id": "2"}])
        headers = {"Content-Type": "application/cloudevents-batch+json"}
        async with session.post(url, data=body, headers=headers) as answer:
            assert await answer.json() == {"accepted": 1, "refused": 1, "untranslated": 1, "skipped": 0}
        [letter] = [each for batch in host.batches for each in batch.untranslated]
        assert letter.detail == "the JSON is not an object"
        assert json.loads(letter.record)["body"] == "7"


@pytest.mark.parametrize(
    ("headers", "body", "detail"),
    [
        ({"Content-Type": "text/plain"}, "x", "neither a CloudEvent in structured mode"),
        (STRUCTURED, "{", "not JSON"),
        ({"Content-Type": "application/cloudevents+avro"}, "x", "are not read"),
        (BINARY | {"Content-Type": "text/csv"}, "a;b", "data as text/csv are not read"),
        ({"Content-Type": "application/cloudevents-batch+json"}, "{}", "not a JSON array"),
        (STRUCTURED, b"\xff", "not UTF-8"),
    ],
)
async def test_what_is_no_event_becomes_a_dead_letter_in_full(headers: Any, body: Any, detail: str) -> None:
    async with listening(profile()) as (host, url, session):
        for _ in range(2):
            async with session.post(url, data=body, headers=headers) as answer:
                assert (answer.status, (await answer.json())["untranslated"]) == (202, 1)
        first, second = [each for batch in host.batches for each in batch.untranslated]
        assert detail in first.detail
        assert first == second


async def test_a_dead_letter_is_translated_again_when_the_profile_has_changed() -> None:
    foreign = EVENT | {"type": "wms.out", "data": {"item": "A", "n": 2}}
    rule = {"when": {"type": "wms.out"}, "type": "stock.issued", "data": {
        "sku": {"column": "data.item"}, "location": "LDS", "qty": {"column": "data.n", "as": "integer"}}}  # fmt: skip
    other = {"when": {"type": "wms.in"}, "skip": "not ours"}
    async with listening(profile(reading={"rules": [other]})) as (host, url, session):
        headers = {f"ce-{name}": str(value) for name, value in foreign.items() if name != "data"}
        data = json.dumps(foreign["data"])
        async with session.post(url, data=data, headers=headers | {"Content-Type": "application/json"}) as answer:
            assert (await answer.json())["untranslated"] == 1
        async with session.post(url, json=EVENT | {"type": "wms.in"}, headers=STRUCTURED) as answer:
            assert await answer.json() == {"accepted": 0, "refused": 0, "untranslated": 0, "skipped": 1}
        [letter] = [each for batch in host.batches for each in batch.untranslated]
        assert letter.detail == "no rule fits"
    async with listening(profile(reading={"rules": [other, rule]})) as (host, _, _):
        [replayed] = await host.listener.replay(letter.record)
    assert json.loads(replayed) == EVENT | {"time": "2026-03-02T09:00:00+00:00"}


async def test_json_documents_and_epcis_documents_are_read_by_the_profile() -> None:
    rule = {"type": "stock.counted", "data": {
        "sku": {"column": "item"}, "location": "LDS", "qty": {"column": "n", "as": "integer"}}}  # fmt: skip
    reading = {"format": "json", "id": "{no}", "time": {"columns": ["at"]}, "rules": [rule]}
    async with listening(profile(reading=reading)) as (host, url, session):
        async with session.post(url, json={"no": 5, "at": "2026-03-02T09:00:00Z", "item": "A", "n": 4}) as answer:
            assert answer.status == 202
        assert [(each["id"], each["source"], each["data"]["qty"]) for each in host.events] == [("5", "webhook/in", 4)]
    async with listening(profile(epcis={"partner": "acme"})) as (host, url, session):
        document = {"type": "EPCISDocument", "epcisBody": {"eventList": [event("holding"), event("x"), {"type": "y"}]}}
        async with session.post(url, json=document) as answer:
            assert await answer.json() == {"accepted": 1, "refused": 0, "untranslated": 1, "skipped": 1}
        assert [(each["type"], each["data"]["sku"]) for each in host.events] == [("stock.held", "85123A")]


def signed(
    body: bytes, secret: str = "new", key: str = "k2", at: float = 0.0, attributes: Any = None
) -> dict[str, str]:
    return {HEADER: Message(attributes or {}, body).signature(int(time.time() + at), key, secret)}


async def test_only_what_is_signed_by_a_valid_key_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLD_KEY", "old")
    monkeypatch.setenv("NEW_KEY", "new")
    keys = [{"id": "k1", "secret": {"env": "OLD_KEY"}}, {"id": "k2", "secret": {"env": "NEW_KEY"}}]
    body = json.dumps(EVENT).encode()
    data = json.dumps(EVENT["data"]).encode()
    names = {name: str(value) for name, value in EVENT.items() if name != "data"}
    cases: list[tuple[bytes, dict[str, str], int]] = [
        (body, STRUCTURED | signed(body), 202),
        (body, STRUCTURED | signed(body, "old", "k1"), 202),
        (data, BINARY | signed(data, attributes=names), 202),
        (body, STRUCTURED, 401),
        (body, STRUCTURED | {HEADER: "t=1,key=k1,v1=" + "0" * 64}, 401),
        (body + b" ", STRUCTURED | signed(body), 401),
        (body, STRUCTURED | signed(body, "old", "k2"), 401),
        (body, STRUCTURED | signed(body, key="k3"), 401),
        (body, STRUCTURED | signed(body, at=-400), 401),
        (body, STRUCTURED | signed(body, at=400), 401),
        (body, STRUCTURED | signed(body) | {"ce-id": "other"}, 401),
        (data, BINARY | signed(data, attributes=names) | {"ce-type": "stock.returned"}, 401),
    ]
    async with listening(profile(keys=keys)) as (host, url, session):
        for index, (sent, headers, status) in enumerate(cases):
            async with session.post(url, data=sent, headers=headers) as answer:
                assert answer.status == status, index
        assert len(host.events) == 3
    async with listening(profile(keys=keys[1:])) as (_, url, session):
        answer = await session.post(url, data=body, headers=STRUCTURED | signed(body, "old", "k1"))
        assert answer.status == 401


async def test_nothing_is_answered_202_that_is_not_durable() -> None:
    async with listening(profile(answer_seconds=1)) as (host, url, session):
        host.durable = lambda: False
        async with session.post(url, json=EVENT, headers=STRUCTURED) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        host.durable = lambda: True
        async with session.post(url, json=EVENT, headers=STRUCTURED) as answer:
            assert answer.status == 202
        assert host.events == [EVENT]


async def test_bodies_that_wait_are_bounded_and_whoever_comes_then_is_told_to_come_again() -> None:
    settings = profile(max_body_bytes=1024, max_waiting_bytes=2048, answer_seconds=1)
    async with listening(settings, pulled=False) as (_, url, session):
        body = json.dumps(EVENT | {"subject": "x" * 700})

        async def post() -> int:
            async with session.post(url, data=body, headers=STRUCTURED) as answer:
                return answer.status

        assert sorted(await asyncio.gather(*(post() for _ in range(5)))) == [429, 429, 429, 503, 503]
        async with session.post(url, data="x" * 2000, headers=STRUCTURED) as answer:
            assert answer.status == 413

        async def drip() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b"x" * 100

        async with session.post(url, data=drip(), headers=STRUCTURED) as answer:
            assert answer.status == 413


async def test_a_body_that_does_not_come_and_connections_beyond_the_limit_are_ended() -> None:
    async with listening(profile(body_seconds=0.1, max_connections=2)) as (host, _, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", host.listener.port)
        writer.write(b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert b" 408 " in await asyncio.wait_for(reader.readline(), SECONDS)
        writer.close()
        held = [await asyncio.open_connection("127.0.0.1", host.listener.port) for _ in range(4)]
        endings = [asyncio.create_task(_ended(each[0])) for each in held]
        for ending in islice(asyncio.as_completed(endings, timeout=SECONDS), 2):
            await ending
        for _, each in held:
            each.close()
        await asyncio.gather(*endings)


async def _ended(reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        assert await reader.read(1) == b""


async def test_the_handshake_allows_the_origins_of_the_profile() -> None:
    async with listening(profile(origins=["events.example.org"])) as (_, url, session):
        for origin, status in (("events.example.org", 200), ("other.example.org", 403)):
            async with session.options(url, headers={"WebHook-Request-Origin": origin}) as answer:
                assert answer.status == status
                assert answer.headers.get("WebHook-Allowed-Origin") == (origin if status == 200 else None)


async def test_a_page_in_a_browser_cannot_send_where_nobody_signs() -> None:
    async with listening(profile()) as (host, url, session):
        answer = await session.post(url, json=EVENT, headers=STRUCTURED | {"Origin": "http://evil.example.org"})
        assert answer.status == 403
        assert host.batches == []


async def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = profile(port=taken.getsockname()[1])
        async with connect(settings, Tools(Mapped(), Path("unused"), Kept())) as connector:
            with pytest.raises(UsageError, match="another process listens at"):
                await anext(connector.sources[LISTEN].pull(None))


@pytest.mark.parametrize(
    ("listen", "words"),
    [
        ({"unsigned": False}, "has `keys`, or says `unsigned = true`"),
        ({"host": "0.0.0.0"}, "this machine's own address only"),
        ({"reading": {"format": "json"}}, "need `rules`"),
        ({"reading": {"time_zone": "Europe/London"}}, "only what has rules is translated"),
        ({"keys": [{"id": "a", "secret": {"env": "X"}}] * 2}, "two keys have the same id"),
        ({"path": "events"}, "pattern"),
    ],
)
def test_a_profile_that_is_not_right_is_named(listen: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        profile(**listen)
