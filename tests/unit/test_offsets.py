"""The offsets that a worker publishes to its group: together where they come fast, again where a broker fails."""

from __future__ import annotations

import asyncio

from engine.bus.memory.broker import MemoryBroker
from engine.bus.memory.cluster import MemoryCluster
from engine.core.errors import EnvironmentFailure
from engine.runtime.cluster.offsets import OffsetReporter
from tests.simulation.loop import virtual_time


class Group(MemoryCluster):
    """A group that notes the offsets that are published to it, and fails some calls."""

    def __init__(self, failing: int) -> None:
        super().__init__(MemoryBroker(3), "worker")
        self.failing = failing
        self.published: list[dict[int, int]] = []

    async def committed(self, offsets: dict[int, int]) -> None:
        await asyncio.sleep(0.1)
        self.published.append(offsets)
        if len(self.published) <= self.failing:
            raise EnvironmentFailure("no broker answers")


async def published(group: Group, owned: set[int]) -> list[dict[int, int]]:
    """What is published of five reports, four of which come while the first is on its way."""
    reporter = OffsetReporter(group, owned.__contains__)
    reporter.consumed(0, 1)
    await asyncio.sleep(0.05)
    for partition, end in ((0, 2), (1, 5), (0, 3), (2, 7)):
        reporter.consumed(partition, end)
    await asyncio.sleep(2)
    await reporter.close()
    return group.published


def test_offsets_that_come_during_a_call_go_together() -> None:
    with virtual_time() as runner:
        assert runner.run(published(Group(0), {0, 1, 2})) == [{0: 1}, {0: 3, 1: 5, 2: 7}]


def test_a_failed_call_is_repeated_for_partitions_that_are_still_owned_with_their_newest_offsets() -> None:
    with virtual_time() as runner:
        assert runner.run(published(Group(2), {0, 1})) == [{0: 1}, {0: 3, 1: 5, 2: 7}, {0: 3, 1: 5}]


def test_a_worker_that_ends_publishes_what_is_left_and_repeats_nothing() -> None:
    async def ended() -> list[dict[int, int]]:
        group = Group(9)
        reporter = OffsetReporter(group, {0}.__contains__)
        reporter.consumed(0, 1)
        await reporter.close()
        return group.published

    with virtual_time() as runner:
        assert runner.run(ended()) == [{0: 1}]
