"""A worker goes on from rows of the version before and says what they lack; of its own rows it says nothing."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from engine.bus.memory.broker import MemoryBroker
from engine.bus.memory.cluster import MemoryCluster
from engine.bus.single import Commit, Record
from engine.core.rules import Rules
from engine.runtime.cluster.surroundings import Pacing
from engine.runtime.cluster.worker import Worker
from engine.runtime.marker import Marker, read_marker
from tables.catalogue import FORMER_ROWS, ROWS
from tests.auditor.events import defined
from tests.auditor.model import instant
from tests.auditor.workload import encoded
from tests.simulation.loop import virtual_time

BEFORE = instant("2020-03-04T00:00:00+00:00")
"""An arrival that no clock of a machine finds too late."""
FORMER = msgspec.msgpack.encode([0, BEFORE, {}, Rules()])
"""A marker as the version before wrote it."""
OWN = msgspec.msgpack.encode(Marker(rows=ROWS))
SECONDS = 5


def broker_with(marker: bytes) -> MemoryBroker:
    broker = MemoryBroker(1)
    owned = broker.own(0)
    broker.commit(owned.epoch, Commit(0, (), (), (), (), marker, 0), ())
    return broker


async def work(broker: MemoryBroker) -> None:
    """Let a worker fold one event."""
    cluster, asked = MemoryCluster(broker, "worker"), asyncio.Event()
    worker = Worker(cluster, Rules(), 1 << 20, Pacing())
    running = asyncio.create_task(worker.run(asked))
    await cluster.start(worker)
    broker.append([Record(0, 0, "", encoded(defined()), BEFORE)])
    await asyncio.sleep(SECONDS)
    asked.set()
    await running
    await cluster.stop()


@pytest.mark.parametrize(("rows", "marker"), [(FORMER_ROWS, FORMER), (ROWS, OWN)], ids=["former", "own"])
def test_rows_of_the_version_before_are_gone_on_with_and_told_of(
    rows: int, marker: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    broker = broker_with(marker)
    with virtual_time() as runner:
        runner.run(work(broker))
    gone_on = read_marker(broker.marker(0))
    assert (gone_on.next_offset > 0, gone_on.rows) == (True, rows)
    assert ("one from then cannot be reversed" in caplog.text) == (rows == FORMER_ROWS)
