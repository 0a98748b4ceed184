"""One worker process of a simulated cluster: what it is told and what it fetches arrives late, and twice."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Protocol

from engine.bus.cluster import Fetched
from engine.bus.memory.broker import MemoryBroker
from engine.bus.memory.cluster import Request
from engine.core.rules import Rules
from engine.runtime.clock import WallClock
from engine.runtime.cluster.surroundings import Machine, Pacing
from engine.runtime.cluster.worker import Worker
from tests.simulation.faults import Fate, FaultyCluster

RULES = Rules(clock="wall")


class World(Protocol):
    """What a process needs of the world around it."""

    broker: MemoryBroker
    random: Random
    pacing: Pacing
    calm: bool

    def now(self) -> int:
        """Wall time, in microseconds."""

    def fate(self, name: str, request: Request) -> Fate:
        """What becomes of a request of a process."""


class Process:
    """One worker process: a worker, its access to the broker, and what is on its way to it."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.world = world
        self.cluster = FaultyCluster(world.broker, name, world.fate)
        machine = Machine(WallClock(world.now, world.now), world.random.random)
        self.worker = Worker(self.cluster, RULES, 64 << 20, world.pacing, machine)
        self.cluster.attach(self.worker)
        self.share: frozenset[int] = frozenset()
        self.asked = asyncio.Event()
        self._told = asyncio.Lock()
        self._wire: list[Fetched] = []
        self._echoes: list[Fetched] = []
        self.run = asyncio.create_task(self.worker.run(self.asked))
        asyncio.create_task(self._carry())  # noqa: RUF006 - the loop keeps a process's tasks

    async def hear(self, after: float, pause: float) -> None:
        """What the group has decided arrives, late; meanwhile it may have decided anew."""
        await asyncio.sleep(after)
        async with self._told:
            await self.cluster.pause()
            await asyncio.sleep(pause)
            await self.cluster.assign(self.share)

    async def _carry(self) -> None:
        """The network: fetches of any length, each partition's in their order, some of them once more much later."""
        random = self.world.random
        while True:
            await asyncio.sleep(0.01 if self.world.calm else random.choice((0.01, 0.05, 0.3)))
            self._fetch(random)
            if self._wire and random.random() < 0.8:
                partition = random.choice(self._wire).partition
                fetched = next(fetched for fetched in self._wire if fetched.partition == partition)
                self._wire.remove(fetched)
                await self.worker.take(fetched)
                if random.random() < 0.2:
                    self._echoes.append(fetched)
            elif self._echoes:
                await self.worker.take(self._echoes.pop(random.randrange(len(self._echoes))))

    def _fetch(self, random: Random) -> None:
        for partition in self.cluster.fetching:
            if self.worker.wants(partition) and (self.world.calm or random.random() < 0.5):
                fetched = self.cluster.fetch(partition, random.choice((1, 2, 5, 50)))
                if fetched is not None:
                    self._wire.append(fetched)
