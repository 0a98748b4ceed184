"""A worker's ticks: none while nothing is due, at once where portions are left, none by a clock that has jumped."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession

from engine.bus.memory import cluster as memory_cluster
from engine.bus.memory.broker import MemoryBroker
from engine.bus.memory.cluster import MemoryCluster
from engine.bus.single import Record
from engine.core.rules import Rules
from engine.core.values import DAY, HOUR, MINUTE, SECOND, partition_of
from engine.runtime.clock import WallClock
from engine.runtime.cluster.surroundings import Machine, Pacing
from engine.runtime.cluster.worker import Worker
from engine.web import server
from engine.web.probes import application
from tests.simulation.loop import virtual_time
from tests.unit.test_feeds import NOW, arrival, event, feed

YEAR = 365 * DAY
PARTITIONS = 2


@pytest.fixture(autouse=True)
def _rare_fetches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours of virtual time are short only where little happens in them."""
    monkeypatch.setattr(memory_cluster, "IDLE_SECONDS", 0.2)


class World:
    """Workers on one broker. `jump` is how far the workers' clocks are off, `broker_jump` how far the broker's is."""

    def __init__(self, workers: int = 1) -> None:
        self.broker = MemoryBroker(PARTITIONS)
        self.jump = self.broker_jump = 0
        self.clusters = [MemoryCluster(self.broker, f"worker-{n}") for n in range(workers)]
        self.workers = [
            Worker(cluster, Rules(), 1 << 20, Pacing(), Machine(WallClock(self.wall, self.steady), lambda: 0.0))
            for cluster in self.clusters
        ]

    def steady(self) -> int:
        return int(asyncio.get_running_loop().time() * SECOND)

    def wall(self) -> int:
        return NOW + self.steady() + self.jump

    def send(self, *raws: bytes, sku: str | None = None) -> None:
        at = NOW + self.steady() + self.broker_jump
        targets = range(PARTITIONS) if sku is None else [partition_of(sku, PARTITIONS)]
        self.broker.append([Record(p, 0, sku or "t", raw, at) for raw in raws for p in targets], everywhere=True)

    def log(self) -> Counter[str]:
        fetched = [self.broker.fetch(p, 0, 10**6) for p in range(PARTITIONS)]
        return Counter(json.loads(r.value)["type"] for part in fetched if part for r in part.records)

    def alerts(self, kind: str) -> list[dict[str, Any]]:
        outputs = [output for p in range(PARTITIONS) for output in self.broker.outputs("alerts", p)]
        latest = {output.id: json.loads(output.value)["data"] for output in outputs}
        return [alert for alert in latest.values() if alert["kind"] == kind and alert["status"] == "open"]

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        asked = asyncio.Event()
        running = [asyncio.create_task(worker.run(asked)) for worker in self.workers]
        for cluster, worker in zip(self.clusters, self.workers, strict=True):
            await cluster.start(worker)
        await asyncio.sleep(2)
        yield
        asked.set()
        await asyncio.gather(*running)
        for cluster in self.clusters:
            await cluster.stop()


def run(live: Callable[[World], Awaitable[None]], workers: int = 1) -> None:
    async def lead() -> None:
        world = World(workers)
        async with world.working():
            await live(world)

    with virtual_time() as runner:
        runner.run(lead())


@pytest.mark.parametrize("workers", [1, 2])
def test_an_idle_cluster_ticks_once_for_what_is_due_and_no_more(workers: int) -> None:
    async def live(world: World) -> None:
        world.send(event("stock.counted", NOW, sku="A", location="L", qty=500), sku="A")
        world.send(event("location.defined", NOW, location="L"), feed("wms", seconds=600))
        await asyncio.sleep(60)
        before = world.log()["clock.ticked"]
        assert before <= workers * PARTITIONS  # who begins says once which feeds are alive
        await asyncio.sleep(20_000)
        assert world.log()["clock.ticked"] == before + PARTITIONS
        assert [alert["sku"] for alert in world.alerts("stale_feed")] == ["wms"]

    run(live, workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_feed_that_speaks_to_one_partition_is_alive_in_all(workers: int) -> None:
    async def live(world: World) -> None:
        world.send(feed("wms", seconds=600))
        for minute in range(120):
            world.send(arrival(NOW + minute * MINUTE, "wms"), sku="A")
            await asyncio.sleep(60)
        assert world.alerts("stale_feed") == []
        assert 0 < world.log()["clock.ticked"] <= PARTITIONS * (120 * 60 // 240 + 1)

    run(live, workers)


def test_portions_follow_each_other_at_once() -> None:
    async def live(world: World) -> None:
        world.send(*(feed(f"f{n}", seconds=60) for n in range(1_000)))
        await asyncio.sleep(50)
        before = world.log()["clock.ticked"]
        assert world.alerts("stale_feed") == []
        await asyncio.sleep(17)
        assert len(world.alerts("stale_feed")) == 1_000
        assert world.log()["clock.ticked"] == before + PARTITIONS * 5

    run(live)


def test_a_worker_whose_clock_has_jumped_writes_no_ticks_until_it_agrees() -> None:
    async def live(world: World) -> None:
        world.send(feed("wms", seconds=3600))
        await asyncio.sleep(60)
        world.jump = YEAR
        before = world.log()["clock.ticked"]
        await asyncio.sleep(60)
        assert world.log()["clock.ticked"] == before
        assert "365 days" in (world.workers[0].trouble() or "")
        world.jump = 0
        assert world.workers[0].trouble() is None
        await asyncio.sleep(3600)
        assert world.log()["clock.ticked"] == before + PARTITIONS

    run(live)


def test_what_arrives_by_a_broker_whose_clock_has_jumped_waits_for_an_operator() -> None:
    async def live(world: World) -> None:
        [worker] = world.workers
        world.broker_jump = YEAR
        world.send(event("stock.counted", NOW, sku="A", location="L", qty=500), sku="A")
        await asyncio.sleep(60)
        mine = partition_of("A", PARTITIONS)
        assert world.broker.next_offset(mine) == 0
        assert "364 days" in (worker.trouble() or "")
        assert worker.ahead // DAY == 364
        accepted = await worker.accept_clock("ann")
        assert accepted is not None
        await asyncio.sleep(5)
        assert world.broker.next_offset(mine) >= 2
        assert worker.trouble() is None
        [alert] = world.alerts("clock_jump")
        assert alert["evidence"]["by"] == "ann"
        assert await worker.accept_clock("ann") is None

    run(live)


def test_what_arrives_a_little_early_is_taken_when_the_clocks_agree() -> None:
    async def live(world: World) -> None:
        world.broker_jump = HOUR + MINUTE
        world.send(event("stock.counted", NOW, sku="A", location="L", qty=500), sku="A")
        await asyncio.sleep(30)
        assert world.broker.next_offset(partition_of("A", PARTITIONS)) == 0
        await asyncio.sleep(40)
        assert world.broker.next_offset(partition_of("A", PARTITIONS)) == 1

    run(live)


async def test_a_worker_says_over_http_why_it_waits_and_takes_the_answer() -> None:
    world, wall = World.__new__(World), [NOW]
    world.broker = MemoryBroker(PARTITIONS)
    clock = WallClock(lambda: wall[0], lambda: 0)
    cluster = MemoryCluster(world.broker, "worker")
    worker = Worker(cluster, Rules(), 1 << 20, Pacing(), Machine(clock, lambda: 0.0))
    worker.joined = True
    app = application(worker, lambda: b"", local_only=True)
    async with server.serving(app, server.bind("127.0.0.1", 0)) as url, ClientSession(url) as http:
        assert await asked(http.get("/readyz")) == (200, "ok")
        assert await asked(http.post("/v1/clock/accept", data=b'{"by": "ann"}')) == (409, 409)
        wall[0] += YEAR
        assert await asked(http.get("/readyz")) == (503, "waiting")
        assert await asked(http.get("/healthz")) == (200, "ok")
        foreign = http.post("/v1/clock/accept", data=b'{"by": "ann"}', headers={"Origin": "http://example.com"})
        assert (await asked(foreign))[0] == 403
        async with http.post("/v1/clock/accept", data=b'{"by": "ann"}') as answer:
            assert (await answer.json())["jumped_seconds"] == YEAR // SECOND
        assert await asked(http.get("/readyz")) == (200, "ok")
    assert world.log()["clock.accepted"] == PARTITIONS


async def asked(call: Any) -> tuple[int, Any]:
    async with call as answer:
        return answer.status, (await answer.json(content_type=None))["status"]
