"""The REST connector as a process that is killed, beside a real engine and a shop in the shape of Dynamics' OData."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.integration.process import COMMAND, ROOT, Stockline, environment, event
from tests.simulation.rest_dynamics import SECRET, DynamicsFace
from tests.simulation.rest_faces import Faults, served
from tests.simulation.rest_shop import ITEMS, LOCATIONS, SUPPLIERS, Shop

pytestmark = pytest.mark.slow

EXAMPLE = ROOT / "connectors" / "rest" / "data" / "dynamics.toml"
PATIENCE_SECONDS = 180.0


def write_profile(folder: Path, shop: str, engine: str) -> Path:
    """The example profile, at the addresses of the test."""
    text = EXAMPLE.read_text().replace("https://api.example.com/v2.0", f"{shop}/v2.0")
    text = text.replace("https://login.example.com/oauth2/v2.0", shop).replace("size = 200", "size = 20")
    text = text.replace("requests_per_second = 10", "requests_per_second = 1000\ntimeout_seconds = 5")
    text = text.replace("add_each = true", "add_each = true\nretry_seconds = 0.1\nlongest_retry_seconds = 0.5")
    text = text.replace('kind = "rest"', f'kind = "rest"\nengine = "{engine}"\ninterval_seconds = 0.2')
    rows = [("item", ITEMS), ("location", LOCATIONS), ("supplier", SUPPLIERS)]
    lines = [f"dynamics,{kind},{number},{name}" for kind, numbers in rows for name, number in numbers.items()]
    (folder / "identifiers.csv").write_text("\n".join(["partner,kind,theirs,ours", *lines, ""]))
    (folder / "shop.toml").write_text(text)
    return folder / "shop.toml"


@asynccontextmanager
async def connecting(profile: Path) -> AsyncIterator[None]:
    """`stockline connectors run`, killed at the end."""
    state = str(profile.parent / "state")
    with (profile.parent / "connector.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "connectors", "run", str(profile), "--state", state,
            cwd=ROOT, env=environment() | {"DYNAMICS_SECRET": SECRET}, stdout=log, stderr=log,
        )  # fmt: skip
    # The shop is served by this loop, so the process runs beside it.
    try:
        yield
        assert process.returncode is None, (profile.parent / "connector.log").read_text()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def policies() -> list[dict[str, Any]]:
    """Each row orders up to 5,000, by itself, of one supplier."""
    return [
        event(
            "policy.set", f"policy-{sku}-{location}", "2026-03-01T00:00:00Z", sku=sku, location=location,
            policy={"kind": "min_max", "min": 4000, "max": 5000}, supplier=f"SUP{number % 3}", lead_time_days=5,
            auto={"max_qty": 100_000},
        )
        for number, sku in enumerate(ITEMS)
        for location in LOCATIONS
    ]  # fmt: skip


class Watch:
    def __init__(self, engine: Stockline, shop: Shop) -> None:
        self.engine, self.shop = engine, shop

    def differences(self) -> list[str]:
        """What engine and shop do not agree on."""
        rows = self.engine.everything("/v1/positions")
        stock = {(row["sku"], row["location"]): row["on_hand"] for row in rows if row["on_hand"]}
        found = [] if stock == self.shop.stock() else [f"stock: {stock} and {self.shop.stock()}"]
        lines = Counter(line.signal for line in self.shop.lines() if line.order.state != "cancel")
        for signal in self.engine.everything("/v1/signals"):
            wanted = (signal["status"], signal["disposition"]) == ("open", "auto")
            drafted = signal.get("draft") is not None
            if lines[signal["id"]] != (1 if wanted or drafted or signal["status"] == "ordered" else 0):
                found.append(f"{signal['id']} is {signal['status']} and has {lines[signal['id']]} lines")
            if wanted and not drafted:
                found.append(f"{signal['id']} has no draft")
        return found

    async def until_agreed(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while found := await asyncio.to_thread(self.differences):
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.2)


async def test_positions_and_lines_are_right_though_the_process_is_killed(tmp_path: Path) -> None:
    draw, faults = Random(11), Faults(each=0.05)
    shop = Shop(draw)
    for _ in range(60):
        shop.books()
    face = DynamicsFace(shop, faults)
    async with served(face):
        with await asyncio.to_thread(Stockline, tmp_path / "data") as engine:
            profile = write_profile(tmp_path, face.url, engine.url)
            await asyncio.to_thread(engine.send, *policies())
            for crash in range(4):
                async with connecting(profile):
                    await asyncio.sleep(2 + 2 * draw.random())
                if crash == 1:
                    shutil.rmtree(tmp_path / "state", ignore_errors=True)
            faults.each, shop.alive = 0.0, False
            watch = Watch(engine, shop)
            async with connecting(profile):
                await watch.until_agreed()
                drafted = [line.signal for line in shop.lines()]
                assert drafted
                assert len(shop.orders) <= len(SUPPLIERS) * len(LOCATIONS)
                for order in shop.orders:
                    order.state = "ordered"
                deadline = time.monotonic() + PATIENCE_SECONDS
                while {each["status"] for each in await signals(engine, drafted)} != {"ordered"}:
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.2)


async def signals(engine: Stockline, idents: list[str | None]) -> list[Any]:
    return [await asyncio.to_thread(engine.get, f"/v1/signals/{ident}") for ident in idents]
