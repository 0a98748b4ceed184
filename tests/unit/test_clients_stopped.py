"""A client of Kafka that is stopped takes nobody with it, and who stops it can still be cancelled."""

from __future__ import annotations

import asyncio

import pytest

from engine.kafka.connection import stopped


class Consumer:
    """A consumer whose end waits for its background work, as that of aiokafka does."""

    def __init__(self, work: asyncio.Task[None], cancels: bool) -> None:
        self.work, self.cancels, self.begun = work, cancels, asyncio.Event()

    async def stop(self) -> None:
        self.begun.set()
        if self.cancels:
            self.work.cancel()
        await self.work


async def work() -> None:
    await asyncio.Event().wait()


async def test_the_cancellation_of_its_own_work_does_not_reach_who_stops_it() -> None:
    await stopped(Consumer(asyncio.create_task(work()), cancels=True))


async def test_who_stops_it_can_be_cancelled() -> None:
    consumer = Consumer(asyncio.create_task(work()), cancels=False)
    stopping = asyncio.create_task(stopped(consumer))
    await consumer.begun.wait()
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
