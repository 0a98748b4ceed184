"""The parts of a run: a broker of its own, the shipped worker command, a preloaded log, and what processes cost."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import aiohttp
from aiokafka import AIOKafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from engine.core.values import partition_of
from tests.real.kafka import THOROUGH, Broker, free_port

ROOT = Path(__file__).parents[2]
EVENTS = "stockline.events"
PARTITIONS = 8
CHUNK = 20_000
READY_SECONDS = 120.0
POLL_SECONDS = 0.05


class Cost(NamedTuple):
    """A moment of a worker: what it has folded, what is left, and the processor time it has used."""

    at: float
    folded: int
    lag: int
    partitions: int
    cpu_seconds: float


@contextmanager
def broker(place: Path) -> Iterator[Broker]:
    """A broker with empty logs."""
    with Broker(place / "kafka", compiler=THOROUGH) as started:
        yield started


class Worker:
    """One `stockline worker` process; its figures come from its own metrics."""

    def __init__(self, address: str, data: Path, session: aiohttp.ClientSession) -> None:
        self._port = free_port()
        self._session = session
        command = [sys.executable, "-m", "engine", "worker", "--kafka", address, "--data", str(data)]
        self.process = subprocess.Popen(
            [*command, "--port", str(self._port)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    async def look(self) -> Cost | None:
        """Where it is now, None while it does not answer."""
        with suppress(aiohttp.ClientError, OSError):
            async with self._session.get(f"http://127.0.0.1:{self._port}/metrics") as answer:
                text = await answer.text()
            figures: dict[str, float] = {}
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    figures[sample.name] = figures.get(sample.name, 0.0) + sample.value
            folded, lag = int(figures["stockline_events_total"]), int(figures["stockline_lag_events"])
            owned = int(figures["stockline_partitions"])
            return Cost(time.monotonic(), folded, lag, owned, cpu_seconds(self.process.pid))
        return None

    async def ready(self) -> bool:
        """Whether all its partitions are restored."""
        with suppress(aiohttp.ClientError, OSError):
            async with self._session.get(f"http://127.0.0.1:{self._port}/readyz") as answer:
                return answer.status == 200
        return False

    def end(self) -> None:
        """Stop it in good order."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.process.kill()
        self.process.wait()


@asynccontextmanager
async def workers(address: str, data: Path, count: int) -> AsyncIterator[list[Worker]]:
    """Some workers on one data directory, stopped at the end."""
    async with aiohttp.ClientSession() as session:
        started = [Worker(address, data, session) for _ in range(count)]
        try:
            yield started
        finally:
            for worker in started:
                worker.end()


async def until_topics(address: str, place: Path) -> None:
    """Let a worker make the topics."""
    async with workers(address, place / "first", 1) as (worker,):
        deadline = time.monotonic() + READY_SECONDS
        while not ((cost := await worker.look()) and cost.partitions == PARTITIONS):
            if time.monotonic() > deadline:
                raise TimeoutError("the first worker does not become ready")
            await asyncio.sleep(POLL_SECONDS)


async def preload(address: str, events: Iterable[bytes]) -> int:
    """Put events into the log, each into the partition of its sku; how many."""
    producer = AIOKafkaProducer(
        bootstrap_servers=address, acks="all", enable_idempotence=True, linger_ms=20, max_batch_size=1 << 20
    )
    await producer.start()
    places: dict[str, int] = {}
    sent, waiting = 0, []
    for raw in events:
        sku = json.loads(raw)["data"]["sku"]
        partition = places.setdefault(sku, partition_of(sku, PARTITIONS))
        waiting.append(await producer.send(EVENTS, raw, sku.encode(), partition))
        if len(waiting) >= CHUNK:
            await asyncio.gather(*waiting)
            sent, waiting = sent + len(waiting), []
    await asyncio.gather(*waiting)
    await producer.stop()
    return sent + len(waiting)


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
