"""Who is told what the engine publishes: at least once, in order by row, whatever the subscriber and the network do."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.client import EngineClient, Patience
from connectors.mapping.values import Unreadable
from connectors.ports import Batch, Tools, UntranslatedRecord
from connectors.profiles import Unreachable
from connectors.webhook import connect
from connectors.webhook.connector import SUBSCRIBERS, Subscribers, WebhookConnector
from connectors.webhook.outbox import FILE
from connectors.webhook.profile import Profile
from tests.connectors.far_side import SECRET, FarEngine, FarSubscriber, Kept, drawn
from tests.unit.test_epcis import Mapped

KEY = {"id": "k1", "secret": {"env": "WEBHOOK_TEST_SECRET"}}
QUICK = {"first_pause_seconds": 0.01, "longest_pause_seconds": 0.05}


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_TEST_SECRET", SECRET)


def profile(engine: str, *subscribers: dict[str, Any], linger: float = 0.5) -> Profile:
    told = [{"name": "shop", "key": KEY, "types": ["position.changed"], **QUICK, **each} for each in subscribers]
    return Profile.model_validate(
        {"kind": "webhook", "name": "out", "engine": engine, "linger_seconds": linger, "subscribers": told}
    )


@asynccontextmanager
async def opened(settings: Profile, folder: Path) -> AsyncIterator[tuple[WebhookConnector, EngineClient]]:
    async with (
        EngineClient(settings.engine, Patience(1, 1, 5)) as client,
        connect(settings, Tools(Mapped(), folder, Kept())) as connector,
    ):
        yield connector, client


async def a_round(connector: WebhookConnector, client: EngineClient) -> list[Batch]:
    """One round of the sink, with each batch durable; a subscriber in trouble ends it with `Unreachable`."""
    return [batch async for batch in connector.sinks[SUBSCRIBERS].pass_on(client, None)]


async def letters_of_a_round(connector: WebhookConnector, client: EngineClient) -> tuple[list[UntranslatedRecord], str]:
    """The dead letters of a round that ends because a subscriber is in trouble, and the words in which it does."""
    letters: list[UntranslatedRecord] = []
    try:
        async for batch in connector.sinks[SUBSCRIBERS].pass_on(client, None):
            letters += batch.untranslated
    except Unreachable as error:
        return letters, str(error)
    raise AssertionError("no subscriber was in trouble")


async def until(condition: Any, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        await asyncio.sleep(0.01)


async def test_a_subscriber_is_told_what_is_there_and_then_each_change(tmp_path: Path) -> None:
    async with FarEngine() as engine, FarSubscriber() as shop:
        engine.position("A", 3)
        types = ["position.changed", "signal.closed", "alert.resolved"]
        engine.signal("sig-1", "open", 1)
        async with opened(profile(engine.url, {"url": shop.hook, "types": types}), tmp_path) as (connector, client):
            assert await a_round(connector, client) == []
            assert [each["id"] for each in shop.taken] == ["A@LDS/3"]
            engine.position("A", 4)
            engine.signal("sig-1", "ordered", 2)
            engine.alert("al-1", "resolved", "2026-03-02T09:00:00Z")
            await until(lambda: len(shop.taken) == 4)
    told = {each["id"]: each for each in shop.taken}
    assert told["A@LDS/4"]["type"] == "position.changed"
    assert told["A@LDS/4"]["subject"] == "A@LDS"
    assert told["sig-1/2"]["type"] == "signal.closed"
    assert {each["type"] for each in shop.taken} == set(types)


async def test_nothing_that_was_told_is_told_again_after_a_restart_and_nothing_that_came_meanwhile_is_missed(
    tmp_path: Path,
) -> None:
    async with FarEngine() as engine, FarSubscriber() as shop:
        settings = profile(engine.url, {"url": shop.hook})
        engine.position("A", 1)
        engine.position("B", 1)
        for version in (2, 3):
            async with opened(settings, tmp_path) as (connector, client):
                await a_round(connector, client)
            engine.position("A", version)
        async with opened(settings, tmp_path) as (connector, client):
            await a_round(connector, client)
    assert shop.versions("A@LDS") == [1, 2, 3]
    assert shop.versions("B@LDS") == [1]


async def test_what_the_stream_does_not_say_is_found_when_it_is_connected_again(tmp_path: Path) -> None:
    async with FarEngine() as engine, FarSubscriber() as shop:
        engine.position("A", 1)
        async with opened(profile(engine.url, {"url": shop.hook}), tmp_path) as (connector, client):
            await a_round(connector, client)
            engine.tables["positions"]["A/LDS"]["version"] = 7
            await engine.cut()
            await until(lambda: shop.versions("A@LDS") == [1, 7])


async def test_another_log_begins_its_versions_again(tmp_path: Path) -> None:
    async with FarEngine() as engine, FarSubscriber() as shop:
        settings = profile(engine.url, {"url": shop.hook})
        engine.position("A", 9)
        async with opened(settings, tmp_path) as (connector, client):
            await a_round(connector, client)
        engine.log = "log-2"
        engine.position("A", 2)
        async with opened(settings, tmp_path) as (connector, client):
            await a_round(connector, client)
    assert shop.versions("A@LDS") == [9, 2]


@pytest.mark.parametrize("seed", range(6))
async def test_at_least_once_and_in_order_by_row_whatever_the_subscriber_does(seed: int, tmp_path: Path) -> None:
    faults = drawn(seed, ["500", "503", "429", "slow", "reset", "lost", "redirect"], 0.4)
    async with FarEngine() as engine, FarSubscriber(faults) as shop:
        settings = profile(engine.url, {"url": shop.hook, "attempts": 100, "timeout_seconds": 0.2}, linger=0.2)
        for version in range(1, 5):
            for sku in "ABC":
                engine.position(sku, version)
            try:
                async with opened(settings, tmp_path) as (connector, client), asyncio.timeout(0.3):
                    await a_round(connector, client)
            except (TimeoutError, Unreachable):
                pass  # The connector ends in the middle, as a crash would end it.
        async with opened(settings, tmp_path) as (connector, client):
            await until(
                _keeps_telling(connector, client, lambda: all(shop.versions(f"{s}@LDS")[-1:] == [4] for s in "ABC"))
            )
    for sku in "ABC":
        told = shop.versions(f"{sku}@LDS")
        assert told == sorted(told), f"seed {seed}: {told}"


def _keeps_telling(connector: WebhookConnector, client: EngineClient, done: Any) -> Any:
    """A condition, and in the background the rounds that make it true."""

    async def rounds() -> None:
        while True:
            try:
                await a_round(connector, client)
            except Unreachable:
                await asyncio.sleep(0.01)

    running = asyncio.create_task(rounds())

    def condition() -> bool:
        if done():
            running.cancel()
        return bool(done())

    return condition


async def test_a_slow_subscriber_holds_up_nobody_and_gets_the_latest_state(tmp_path: Path) -> None:
    down = True
    async with FarEngine() as engine, FarSubscriber(lambda: "500" if down else "") as slow, FarSubscriber() as quick:
        settings = profile(engine.url, {"url": slow.hook, "name": "slow", "attempts": 100}, {"url": quick.hook})
        async with opened(settings, tmp_path) as (connector, client):
            running = asyncio.ensure_future(a_round(connector, client))
            for version in range(1, 30):
                engine.position("A", version)
                await asyncio.sleep(0.01)
            await until(lambda: quick.versions("A@LDS")[-1:] == [29])
            assert slow.taken == []
            down = False
            await until(lambda: slow.versions("A@LDS") == [29])
            running.cancel()


async def test_after_the_limit_a_notification_is_a_dead_letter_and_a_replay_tells_the_present_state(
    tmp_path: Path,
) -> None:
    fault = "500"
    async with FarEngine() as engine, FarSubscriber(lambda: fault) as shop:
        settings = profile(engine.url, {"url": shop.hook, "attempts": 3})
        engine.position("A", 1)
        async with opened(settings, tmp_path) as (connector, client):
            [letter], trouble = await letters_of_a_round(connector, client)
            assert "shop: the subscriber answered 500" in trouble
            assert shop.calls == 3
            assert "shop was not told of A@LDS/1: the subscriber answered 500, after 3 attempts" in letter.detail
            assert letter.reason == "undelivered"
            with pytest.raises(Unreadable, match="answered 500"):
                await connector.sources[SUBSCRIBERS].replay(letter.record)
            fault = ""
            engine.position("A", 2)
            await until(lambda: shop.versions("A@LDS") == [2])
            assert await connector.sources[SUBSCRIBERS].replay(letter.record) == ()
        assert shop.versions("A@LDS") == [2, 2]


async def test_a_message_that_is_refused_for_good_is_not_tried_again(tmp_path: Path) -> None:
    async with FarEngine() as engine, FarSubscriber(lambda: "422") as shop:
        engine.position("A", 1)
        async with opened(profile(engine.url, {"url": shop.hook}), tmp_path) as (connector, client):
            letters, _ = await letters_of_a_round(connector, client)
        assert len(letters) == 1
        assert shop.calls == 1


async def test_each_is_told_only_what_it_asked_for(tmp_path: Path) -> None:
    async with FarEngine() as engine, FarSubscriber() as leeds, FarSubscriber() as alerts:
        leeds_only = {"url": leeds.hook, "locations": ["LDS"], "atp": True}
        alerts_only = {"url": alerts.hook, "name": "alerts", "types": ["alert.opened", "alert.resolved"]}
        engine.position("A", 1)
        engine.position("A", 1, "YRK")
        engine.alert("al-1", "open", "2026-03-02T00:00:00Z")
        engine.alert("al-2", "open", "2026-03-02T00:00:00.5Z")
        async with opened(profile(engine.url, leeds_only, alerts_only), tmp_path) as (connector, client):
            await a_round(connector, client)
    [told] = leeds.taken
    assert told["data"]["location"] == "LDS"
    assert told["data"]["atp"] == [{"date": "2026-03-02", "atp": 5}, {"date": "2026-03-04", "atp": 9}]
    assert [each["type"] for each in alerts.taken] == ["alert.opened"]


def damage(folder: Path) -> None:
    for file in folder.glob(f"{FILE}*"):
        file.write_bytes(b"no database" * 100)


async def test_an_outbox_that_is_gone_or_damaged_is_begun_anew(tmp_path: Path) -> None:
    async with FarEngine() as engine, FarSubscriber() as shop:
        settings = profile(engine.url, {"url": shop.hook})
        engine.position("A", 1)
        async with opened(settings, tmp_path) as (connector, client):
            await a_round(connector, client)
        damage(tmp_path)
        async with opened(settings, tmp_path) as (connector, client):
            with pytest.raises(Unreachable, match="it is begun anew"):
                await a_round(connector, client)
            await a_round(connector, client)
    assert shop.versions("A@LDS") == [1, 1]


async def test_a_check_tells_nobody_anything(tmp_path: Path) -> None:
    async with FarEngine() as engine, FarSubscriber() as shop:
        settings = profile(engine.url, {"url": shop.hook}, {"url": "http://127.0.0.1:9/x", "name": "gone"})
        async with opened(settings, tmp_path) as (connector, _):
            there, gone = await connector.check()
    assert (there.works, gone.works) == (True, False)
    assert "takes no connection" in gone.detail
    assert shop.calls == 0


@pytest.mark.parametrize("url", ["ftp://x/y", "file:///etc/passwd", "http:///x", "http://user:word@x/y", "x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="url is http or https"):
        profile("http://127.0.0.1:1", {"url": url})


def test_the_record_of_a_dead_letter_holds_no_secret() -> None:
    settings = profile("http://127.0.0.1:1", {"url": "http://x/y"})
    assert SECRET not in json.dumps(settings.model_dump(mode="json"))
    assert SECRET not in repr(Subscribers(settings, Tools(Mapped(), Path("x"), Kept())).__dict__)
