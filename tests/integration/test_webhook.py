"""Webhooks through the shipped commands: signed events in, notifications out, the connector killed at any moment."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest

from connectors.webhook.signing import HEADER, Message
from tests.connectors.far_side import SECRET, FarSubscriber, drawn
from tests.integration.process import COMMAND, ROOT, Stockline, environment, stockline
from tests.real.kafka import free_port

EVENTS, KILLS = 60, 3
APART_SECONDS, SECONDS = 0.1, 180.0
SKUS = ("A", "B", "C")

pytestmark = pytest.mark.slow


def written(folder: Path, engine: str, port: int, hook: str) -> Path:
    path = folder / "partners.toml"
    key = '{ id = "k1", secret = { env = "WEBHOOK_TEST_SECRET" } }'
    path.write_text(
        f'kind = "webhook"\nname = "partners"\nengine = "{engine}"\n[listen]\nport = {port}\nkeys = [{key}]\n'
        f'[[subscribers]]\nname = "shop"\nurl = "{hook}"\nkey = {key}\ntypes = ["position.changed"]\nattempts = 100\n'
        "first_pause_seconds = 0.05\nlongest_pause_seconds = 0.2\ntimeout_seconds = 1\n"
    )
    return path


@contextmanager
def running(profile: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`stockline connectors run`, which is killed when it still runs at the end."""
    process = subprocess.Popen(
        [*COMMAND, "connectors", "run", str(profile), "--state", str(profile.parent / "state")],
        cwd=ROOT, env=environment() | {"WEBHOOK_TEST_SECRET": SECRET}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def adjustment(number: int) -> bytes:
    data = {"sku": SKUS[number % 3], "location": "LDS", "qty": number + 1, "reason": "test"}
    envelope = {"specversion": "1.0", "id": f"e{number}", "source": "wms", "type": "stock.adjusted"}
    return json.dumps(envelope | {"time": "2026-03-02T09:00:00Z", "data": data}, indent=1).encode()


async def sent(port: int, number: int, session: aiohttp.ClientSession) -> None:
    """Send one event as a webhook's sender does: again until it gets its 202."""
    body = adjustment(number)
    await asyncio.sleep(number * APART_SECONDS)
    while True:
        headers = {"Content-Type": "application/cloudevents+json"}
        headers[HEADER] = Message({}, body).signature(int(time.time()), "k1", SECRET)
        try:
            async with session.post(f"http://127.0.0.1:{port}/events", data=body, headers=headers) as answer:
                if answer.status == 202:
                    return
                assert answer.status in (429, 503), await answer.text()
        except (aiohttp.ClientError, OSError):
            pass
        await asyncio.sleep(0.1)


def rows(engine: Stockline) -> dict[str, Any]:
    return {row["sku"]: row for row in engine.everything("/v1/positions")}


async def test_killed_at_any_moment_nothing_is_lost_or_counted_twice_and_rows_stay_in_order(tmp_path: Path) -> None:
    random, port = Random(7), free_port()
    with Stockline(tmp_path / "data") as engine:
        async with FarSubscriber(drawn(7, ["500", "reset", "lost"], 0.2)) as shop, aiohttp.ClientSession() as session:
            profile = written(tmp_path, engine.url, port, shop.hook)
            sending = [asyncio.create_task(sent(port, number, session)) for number in range(EVENTS)]
            for _ in range(KILLS):
                with running(profile):
                    await asyncio.sleep(random.uniform(1.5, 2.5))
            with running(profile) as process:
                await asyncio.wait_for(asyncio.gather(*sending), SECONDS)
                await asyncio.to_thread(engine.get, "/v1/sync?wait=10")
                positions = await asyncio.to_thread(rows, engine)
                expected = {sku: sum(n + 1 for n in range(EVENTS) if SKUS[n % 3] == sku) for sku in SKUS}
                assert {sku: positions[sku]["available"] for sku in SKUS} == expected
                last = {sku: [positions[sku]["version"]] for sku in SKUS}
                deadline = time.monotonic() + SECONDS
                while {sku: shop.versions(f"{sku}@LDS")[-1:] for sku in SKUS} != last:
                    assert time.monotonic() < deadline, shop.taken[-3:]
                    await asyncio.sleep(0.05)
                process.terminate()
                assert await asyncio.to_thread(process.wait, SECONDS) == 0
    for sku in SKUS:
        versions = shop.versions(f"{sku}@LDS")
        assert versions == sorted(versions)


async def test_what_cannot_be_read_is_a_dead_letter_and_a_check_and_a_file_of_epcis_work(tmp_path: Path) -> None:
    port = free_port()
    with Stockline(tmp_path / "data") as engine:
        async with FarSubscriber() as shop, aiohttp.ClientSession() as session:
            profile = written(tmp_path, engine.url, port, shop.hook)
            checked = await asyncio.to_thread(
                stockline, "connectors", "check", str(profile), WEBHOOK_TEST_SECRET=SECRET
            )
            assert checked.returncode == 0, checked.stdout
            with running(profile):
                await asyncio.wait_for(sent(port, 1, session), SECONDS)
                body = b'{"specversion": "1.0",'
                signature = Message({}, body).signature(int(time.time()), "k1", SECRET)
                headers = {"Content-Type": "application/cloudevents+json", HEADER: signature}
                async with session.post(f"http://127.0.0.1:{port}/events", data=body, headers=headers) as answer:
                    assert (answer.status, (await answer.json())["untranslated"]) == (202, 1)
            [letter] = engine.everything("/v1/dead-letters")
            assert (letter["reason"], letter["event_source"]) == ("untranslatable", "webhook/partners")
            assert SECRET not in json.dumps(letter)
        example = ROOT / "tests" / "data" / "epcis" / "Example_9.6.1-ObjectEvent.jsonld"
        command = ("send", str(example), "--url", engine.url, "--state", str(tmp_path / "sent"))
        assert stockline(*command).returncode == 0
        engine.get("/v1/sync?wait=10")
        positions = {(row["sku"], row["location"]): row["available"] for row in engine.everything("/v1/positions")}
        assert positions["10614141073464", "0614141073467"] == -2
        assert positions["10614141073464", "0012345111112"] == 1
