"""A shop behind JSON-RPC and one behind OData, with faults at every call: positions and lines come out right."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.base import JsonObject
from connectors.ports import Tools, Unmapped
from connectors.profiles import IdentifierKind, Unreachable
from connectors.rest import Profile, RestConnector, client, connect
from tests.simulation.order_world import SignalEngine
from tests.simulation.rest_dynamics import SECRET, DynamicsFace
from tests.simulation.rest_faces import Faults, served
from tests.simulation.rest_odoo import KEY, OdooFace
from tests.simulation.rest_shop import ITEMS, LOCATIONS, SUPPLIERS, Shop

EXAMPLES = Path(__file__).parents[2] / "connectors" / "rest" / "data"
NUMBERS = {"item": ITEMS, "location": LOCATIONS, "supplier": SUPPLIERS}
SIGNS = {"goods.received": 1, "stock.issued": -1, "stock.returned": 1, "stock.adjusted": 1}


class Numbers:
    """The identifiers of the shop, which are numbers."""

    def ours(self, kind: IdentifierKind, partner: str, theirs: str) -> str:
        for name, number in NUMBERS[kind].items():
            if str(number) == theirs:
                return name
        raise Unmapped(kind, partner, theirs)

    def theirs(self, kind: IdentifierKind, partner: str, ours: str) -> str:
        if ours not in NUMBERS[kind]:
            raise Unmapped(kind, partner, ours)
        return str(NUMBERS[kind][ours])


class Log(SignalEngine):
    """An engine that adds up stock as well."""

    def __init__(self) -> None:
        super().__init__()
        self.stock: Counter[tuple[str, str]] = Counter()

    def fold(self, kind: str, data: dict[str, Any], time: str) -> None:
        if kind in SIGNS:
            self.stock[data["sku"], data["location"]] += SIGNS[kind] * data["qty"]
        else:
            super().fold(kind, data, time)


class Run:
    """A connector of an example profile against a face of the shop; the host is as thin as can be."""

    def __init__(self, face: OdooFace | DynamicsFace, connector: RestConnector) -> None:
        self.face, self.connector, self.log = face, connector, Log()
        self.positions: dict[str, JsonObject | None] = {}

    async def round(self) -> None:
        draw = self.face.shop.draw
        for name, source in self.connector.sources.items():
            await self.deliver(name, source.pull(self.positions.get(name)))
        for name, sink in self.connector.sinks.items():
            await self.deliver(name, sink.pass_on(self.log, self.positions.get(name)))
        if draw.random() < 0.02 and self.face.faults.each:
            self.positions.clear()

    async def deliver(self, name: str, batches: AsyncIterator[Any]) -> None:
        try:
            async for batch in batches:
                assert not batch.untranslated
                await self.log.post_events(batch.events)
                if self.face.shop.draw.random() < self.face.faults.each:
                    return
                self.positions[name] = batch.position or self.positions.get(name)
        except Unreachable:
            pass

    def happens(self) -> None:
        """The engine proposes, people accept, and things change."""
        draw, log = self.face.shop.draw, self.log
        sku, location = draw.choice(list(ITEMS)), draw.choice(list(LOCATIONS))
        standing = log.standing(sku, location)
        if standing is None:
            log.open(sku, location, draw.randrange(1, 50), draw.choice(("auto", "review")))
        else:
            change = draw.choice(({"status": "accepted"}, {"qty": 77}, {"status": "withdrawn"}, {}))
            if log.published[standing]["status"] == "open" or "qty" not in change:
                log.revise(standing, **change)
        if draw.random() < 0.2:
            self.face.shop.confirms()

    def audit(self) -> None:
        assert {place: qty for place, qty in self.log.stock.items() if qty} == self.face.shop.stock()
        lines = Counter(line.signal for line in self.face.shop.lines() if line.order.state != "cancel")
        for ident, signal in self.log.published.items():
            wanted = signal["status"] == "accepted" or (signal["status"], signal["disposition"]) == ("open", "auto")
            kept = wanted or signal["status"] == "ordered" or signal["draft"]
            assert lines[ident] == (1 if kept else 0), f"{ident} is {signal['status']} and has {lines[ident]} lines"
            if signal["status"] == "ordered":
                assert any(line.signal == ident and line.order.state == "ordered" for line in self.face.shop.lines())


def profile_of(name: str, url: str, **limits: Any) -> Profile:
    """An example profile, at the address of a test, with small pages."""
    text = (EXAMPLES / f"{name}.toml").read_text()
    text = text.replace("https://odoo.example.com", url).replace("https://api.example.com", url)
    text = text.replace("https://login.example.com/oauth2/v2.0/token", f"{url}/token").replace(
        "size = 200", "size = 20"
    )
    content = tomllib.loads(text)
    content["limits"] = {"requests_per_second": 10_000, "attempts": 3} | limits
    content["orders"] |= {"retry_seconds": 0.001, "longest_retry_seconds": 0.002}
    return Profile.model_validate(content)


async def run(name: str, seed: int, faults: Faults, tmp_path: Path, rounds: int = 12) -> Run:
    """So many rounds, and calls that fail, then rounds of rest, then the audit."""
    shop = Shop(Random(seed))
    for _ in range(30):
        shop.books()
    face = OdooFace(shop, faults) if name == "odoo" else DynamicsFace(shop, faults)
    # A call that a stalled machine makes late would be drawn as another one: only where calls are slow is it given up.
    patience = 0.5 if faults.slow else 60.0
    async with served(face):
        tools = Tools(Numbers(), tmp_path, Log())
        async with connect(profile_of(name, face.url, timeout_seconds=patience), tools) as connector:
            found = Run(face, connector)
            while rounds > 0 or face.failed < faults.least:
                rounds -= 1
                for _ in range(shop.draw.randrange(4)):
                    found.happens()
                await found.round()
            faults.each = faults.slow = 0.0
            shop.alive = False
            for _ in range(4):
                await found.round()
            found.audit()
            (source,) = connector.sources
            latest = max(move.changed for move in shop.moves if move.done)
            assert found.positions[source] == {"changed": latest.isoformat()}, "it is read from the beginning each time"
    return found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setenv("ODOO_KEY", KEY)
    monkeypatch.setenv("DYNAMICS_SECRET", SECRET)


@pytest.mark.parametrize("name", ["odoo", "dynamics"])
@pytest.mark.parametrize("seed", range(25))
async def test_positions_are_the_shops_own_and_lines_are_there_once(name: str, seed: int, tmp_path: Path) -> None:
    found = await run(name, seed, Faults(each=0.08, least=6), tmp_path)
    assert found.log.count("signal.drafted") > 0


@pytest.mark.parametrize("name", ["odoo", "dynamics"])
async def test_a_slow_system_is_waited_for(name: str, tmp_path: Path) -> None:
    await run(name, 3, Faults(each=0.02, slow=0.05), tmp_path, rounds=6)


async def test_every_event_is_one_of_the_contract(tmp_path: Path) -> None:
    found = await run("odoo", 1, Faults(), tmp_path)
    types = {json.loads(line)["type"] for line in found.log.said.values()}
    assert types >= {"goods.received", "stock.issued", "stock.returned", "stock.adjusted", "signal.drafted"}
