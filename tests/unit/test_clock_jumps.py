"""A jump of the machine's clock while an engine runs: it takes nothing until the clocks agree or a person accepts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec
import pytest
from aiohttp import ClientSession

from engine.bus.memory.bus import MemoryBus
from engine.core.events import encode
from engine.core.payloads import ClockAcceptedData
from engine.core.rules import Rules
from engine.core.values import DAY, HOUR, MINUTE, SECOND, iso, moment, partition_of
from engine.processes.single import figures
from engine.runtime.audit import audit
from engine.runtime.clock import WallClock, accepted_of
from engine.runtime.single.engine import Engine
from engine.runtime.single.service import Service
from engine.telemetry import Telemetry
from engine.web import server
from engine.web.bodies import Intake, Limits
from engine.web.ports import Context
from tests.unit.listed import listed
from tests.unit.test_feeds import event, feed
from tests.unit.test_wall_clock import NOW, YEAR, Machine


class Running(NamedTuple):
    machine: Machine
    service: Service
    http: ClientSession

    async def post(self, path: str, body: bytes) -> tuple[int, Any, Any]:
        async with self.http.post(path, data=body) as answer:
            return answer.status, answer.headers, await answer.json(content_type=None)

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.http.get(path) as answer:
            return answer.status, await answer.json(content_type=None)

    def log(self) -> list[dict[str, Any]]:
        records = [r for p in range(self.service.bus.partitions) for r in self.service.bus.read_log(p, 0, 10**6)]
        return [json.loads(record.value) for record in records]


@asynccontextmanager
async def running(rules: Rules | None = None, partitions: int = 2) -> AsyncIterator[Running]:
    machine = Machine()
    bus = MemoryBus(partitions)
    service = Service(bus, rules, clock=machine.clock)
    service.start()
    try:
        context = Context(service, listed(bus), Intake(Limits(1 << 20)), Telemetry(lambda: figures(service)))
        async with (
            server.serving(server.application(context), server.bind("127.0.0.1", 0)) as url,
            ClientSession(url) as http,
        ):
            yield Running(machine, service, http)
    finally:
        await asyncio.to_thread(service.stop)


def counted(qty: int, at: int) -> bytes:
    return event("stock.counted", at, sku="A", location="L", qty=qty)


@pytest.mark.parametrize("clock", ["wall", "log"])
async def test_after_a_jump_nothing_is_taken_until_the_clocks_agree_again(clock: Any) -> None:
    async with running(Rules(clock=clock)) as run:
        assert (await run.post("/v1/events", counted(1, NOW)))[0] == 202
        before = len(run.log())
        run.machine.wall += YEAR
        status, headers, problem = await run.post("/v1/events", counted(2, NOW + SECOND))
        assert (status, problem["reason"], int(headers["Retry-After"]) > 0) == (503, "clock_jump", True)
        assert "stockline clock accept" in problem["detail"]
        status, health = await run.get("/readyz")
        assert (status, health["status"]) == (503, "waiting")
        assert "365 days" in health["detail"]
        assert (await run.get("/healthz"))[0] == 200
        async with run.http.get("/metrics") as answer:
            assert "stockline_clock_ahead_seconds 3.1536e+07" in await answer.text()
        assert len(run.log()) == before
        run.machine.wall -= YEAR
        assert (await run.post("/v1/events", counted(2, NOW + SECOND)))[0] == 202
        assert (await run.get("/readyz"))[0] == 200


async def test_one_fault_of_a_year_expires_no_reservation() -> None:
    async with running() as run:
        row = {"sku": "A", "location": "L"}
        reserved = event("stock.reserved", NOW, **row, reservation="r", qty=4, expires=iso(NOW + DAY))
        assert (await run.post("/v1/events", reserved))[0] == 202
        run.machine.wall += YEAR
        run.machine.steady += MINUTE
        await run.post("/v1/events", counted(9, NOW))
        run.machine.wall += MINUTE - YEAR
        assert (await run.post("/v1/events", counted(9, NOW)))[0] == 202
        _, found = await run.get("/v1/positions/A/L")
        assert (found["available"], found["reserved"]) == (9, 4)


async def test_an_operator_accepts_the_clock_and_the_log_says_so() -> None:
    async with running() as run:
        await run.post("/v1/events", counted(1, NOW))
        status, _, problem = await run.post("/v1/clock/accept", b'{"by": "ann"}')
        assert (status, problem["reason"]) == (409, "clock_agrees")
        run.machine.wall += YEAR
        status, _, accepted = await run.post("/v1/clock/accept", b'{"by": "ann"}')
        assert (status, accepted["jumped_seconds"], accepted["by"]) == (200, YEAR // SECOND, "ann")
        said = [event for event in run.log() if event["type"] == "clock.accepted"]
        assert [event["data"] for event in said] == [accepted] * 2
        assert (await run.post("/v1/events", counted(2, NOW + YEAR)))[0] == 202
        assert run.service.now() == NOW + YEAR
        _, page = await run.get("/v1/alerts?kind=clock_jump")
        [alert] = page["items"]
        assert (alert["sku"], alert["location"]) == ("clock", "*")
        assert (alert["severity"], alert["status"]) == ("critical", "open")
        assert alert["evidence"]["jumped_seconds"] == YEAR // SECOND
        status, _, resolved = await run.post(f"/v1/alerts/{alert['id']}/resolve", b'{"by": "ann"}')
        assert (status, resolved["status"]) == (200, "resolved")


async def test_what_a_tick_leaves_is_ticked_at_once_and_events_come_between() -> None:
    async with running(partitions=1) as run:
        for start in range(0, 1_000, 200):
            told = b"\n".join(feed(f"f{n}", seconds=60) for n in range(start, start + 200))
            assert (await run.post("/v1/events", told))[0] == 202
        run.machine.run(HOUR)
        assert (await run.post("/v1/events", counted(1, NOW + HOUR)))[0] == 202
        assert (await run.service.wait(120)).lag == 0
        log = run.log()[1_000:]
        kinds = [event["type"] for event in log]
        assert kinds == ["clock.ticked", "stock.counted", *["clock.ticked"] * 4]
        _, page = await run.get("/v1/alerts?kind=stale_feed&status=open&limit=1")
        assert page["total"] == 1_000


async def test_the_log_clock_stands_still_until_all_portions_are_taken() -> None:
    async with running(Rules(clock="log"), partitions=1) as run:
        told = b"\n".join(feed(f"f{n}", seconds=60) for n in range(1_000))
        assert (await run.post("/v1/events", told))[0] == 202
        assert (await run.post("/v1/events", counted(1, NOW + HOUR)))[0] == 202
        await run.get("/v1/sync?wait=120")
        ticks = [event["time"] for event in run.log() if event["type"] == "clock.ticked"]
        assert ticks[1:] == [iso(NOW + HOUR)] * 5
        _, page = await run.get("/v1/alerts?kind=stale_feed&status=open&limit=1")
        assert page["total"] == 1_000


async def test_a_clock_that_was_set_back_does_not_stop_ticks() -> None:
    async with running() as run:
        row = {"sku": "A", "location": "L"}
        reserved = event("stock.reserved", NOW, **row, reservation="r", qty=4, expires=iso(NOW + 10 * MINUTE))
        assert (await run.post("/v1/events", reserved))[0] == 202
        run.machine.wall -= 7 * DAY
        for _ in range(3):
            run.machine.run(10 * MINUTE)
            assert (await run.post("/v1/events", counted(5, NOW - 7 * DAY)))[0] == 202
        assert (await run.get("/v1/positions/A/L"))[1]["reserved"] == 0
        arrivals = [record.arrived_at for record in run.service.bus.read_log(partition_of("A", 2), 0, 100)]
        assert arrivals == sorted(arrivals)


def test_only_the_engine_itself_accepts_a_clock() -> None:
    engine = Engine(MemoryBus(2), Rules())
    data = ClockAcceptedData(at=moment(NOW), jumped_seconds=7200, by="mallory")
    said = msgspec.structs.replace(accepted_of(NOW, data), source="mallory")
    [refusal] = engine.submit([encode(said)], NOW).refused
    assert refusal.reason == "reserved_type"


def test_the_alert_of_a_jump_ages_out_and_a_later_jump_keeps_it() -> None:
    bus = MemoryBus(2)
    engine = Engine(bus, Rules())
    jump(engine, NOW)
    jump(engine, NOW + 3 * DAY)
    states = []
    for day in (6, 7, 9, 10):
        engine.tick_due(NOW + day * DAY)
        [alert] = [json.loads(value)["data"] for _, value in bus.published.things("alerts")]
        states.append(alert["status"])
    assert states == ["open", "open", "open", "resolved"]
    assert [fold.due(NOW + YEAR) for fold in engine.folds] == [False, False]
    assert audit(bus, MemoryBus(2), lambda *_: None).differences == []


def jump(engine: Engine, at: int) -> None:
    machine = Machine()
    machine.wall = at
    machine.clock = WallClock(lambda: machine.wall, lambda: machine.steady)
    machine.wall += 2 * HOUR
    accepted = machine.clock.accept("ann")
    assert accepted is not None
    assert engine.submit([encode(accepted_of(at, accepted))], at).refused == []
