"""A worker that is asked to stop ends well, whatever the broker or the other workers do meanwhile."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from engine.bus.memory.broker import MemoryBroker
from engine.bus.memory.cluster import MemoryCluster
from engine.core.errors import BrokenInvariant, EnvironmentFailure
from engine.core.rules import Rules
from engine.runtime.cluster.surroundings import Pacing
from engine.runtime.cluster.worker import Worker
from tests.integration.process import ROOT

GONE = EnvironmentFailure("the group cannot be kept up")


async def stopped(error: Exception, asked_before: bool) -> None:
    """Run a worker that hears of an error just after it was asked to stop, or before; raises what ended it."""
    cluster = MemoryCluster(MemoryBroker(1), "worker")
    worker = Worker(cluster, Rules(), 1 << 20, Pacing())
    asked = asyncio.Event()
    running = asyncio.create_task(worker.run(asked))
    await cluster.start(worker)
    if asked_before:
        asked.set()
    worker.failed(error)
    try:
        await running
    finally:
        await cluster.stop()


async def test_a_worker_that_was_asked_to_stop_is_not_ended_by_its_surroundings() -> None:
    await stopped(GONE, asked_before=True)


async def test_a_worker_that_was_not_asked_is_ended_by_its_surroundings() -> None:
    with pytest.raises(EnvironmentFailure, match="cannot be kept up"):
        await stopped(GONE, asked_before=False)


async def test_a_bug_is_said_also_while_a_worker_stops() -> None:
    with pytest.raises(BrokenInvariant):
        await stopped(ValueError("a bug"), asked_before=True)


def test_a_process_that_cannot_leave_kafka_ends_within_its_time() -> None:
    # A thread that is no daemon keeps an interpreter alive, as that of the Kafka client would.
    hanging = "import threading; from engine.processes.lifecycle import end_within; end_within(0.2)"
    hanging += "; threading.Thread(target=threading.Event().wait).start()"
    done = subprocess.run([sys.executable, "-c", hanging], cwd=ROOT, capture_output=True, timeout=120)
    assert done.returncode == 0
    assert b"not left within 0.2 s" in done.stderr
