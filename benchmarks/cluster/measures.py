"""The measures: drain, latency, restore, take-over."""

import asyncio
import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.cluster.rig import (
    EVENTS,
    PARTITIONS,
    POLL_SECONDS,
    READY_SECONDS,
    ROOT,
    Worker,
    broker,
    preload,
    until_topics,
    workers,
)
from benchmarks.mix import START, Mix
from engine.core.values import DAY, SECOND, iso, partition_of

ROWS = 4_000
APART = 42 * SECOND
"""Between two events: with as many rows the demo's 269,700 events of 5,840 rows in 90 days would be as far apart."""
Chunk = dict[int, list[tuple[bytes, bytes]]]
PROBES_PER_SECOND = 20
WARM_UP_SECONDS = 5
"""Of the same load, left out of the figures: the rows come into memory."""
FAUST_SECONDS = 1_800.0


def story(rows: int, events: int) -> Iterator[bytes]:
    """Three events to set up each of `rows` rows, then `events` of the demo's mix about them."""
    mix = Mix(rows)
    yield from mix.setup()
    yield from mix.stream(events, APART)


async def drain(place: Path, events: int, count: int, with_faust: bool) -> dict[str, Any]:
    """Fold a preloaded log with `count` workers; with `with_faust` let stock Faust read the same log after them."""
    with broker(place) as kafka:
        await until_topics(kafka.address, place)
        total = await preload(kafka.address, story(ROWS, events))
        broker_cpu = kafka.cpu_seconds()
        async with workers(kafka.address, place / "rows", count) as started:
            result = await _drained(started, total)
        result["broker_cpu_us_per_event"] = round((kafka.cpu_seconds() - broker_cpu) / total * 1e6, 1)
        if with_faust:
            result["stock_faust"] = _faust(kafka.address, total, place)
            ratio = result["stock_faust"]["cpu_us_per_event"] / result["cpu_us_per_event"]
            result["times_stock_faust_per_cpu_second"] = round(ratio, 2)
        return result


async def _drained(started: list[Worker], total: int) -> dict[str, Any]:
    first: dict[int, Any] = {}
    deadline = time.monotonic() + READY_SECONDS + total / 1_000
    while time.monotonic() < deadline:
        looks = [(worker, await worker.look()) for worker in started]
        for worker, cost in looks:
            if cost is not None and cost.folded and worker.process.pid not in first:
                first[worker.process.pid] = cost
        known = [(first.get(worker.process.pid), cost) for worker, cost in looks if cost is not None]
        if len(known) == len(started) and sum(cost.folded for _, cost in known) >= total:
            return _rates(known)
        await asyncio.sleep(POLL_SECONDS)
    raise TimeoutError(f"{total} events were not folded in time")


def _rates(known: list[Any]) -> dict[str, Any]:
    began, ended = min(one.at for one, _ in known if one), max(cost.at for _, cost in known)
    events = sum(cost.folded - one.folded for one, cost in known if one)
    cpu = sum(cost.cpu_seconds - one.cpu_seconds for one, cost in known if one)
    return {
        "workers": len(known),
        "events": events,
        "events_per_second": round(events / (ended - began)),
        "events_per_worker_cpu_second": round(events / cpu),
        "cpu_us_per_event": round(cpu / events * 1e6, 1),
    }


def _faust(address: str, events: int, place: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.cluster.stock_faust", address, str(events), str(place / "faust")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=FAUST_SECONDS, check=True)
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {
        "events": said["events"],
        "events_per_second": round(said["events"] / said["seconds"]),
        "cpu_us_per_event": round(said["cpu_seconds"] / said["events"] * 1e6, 1),
    }


async def latency(place: Path, per_second: int, seconds: int) -> dict[str, Any]:
    """Milliseconds from sending an event to reading its signal, committed, with one worker under a steady load."""
    with broker(place) as kafka:
        await until_topics(kafka.address, place)
        probes = PROBES_PER_SECOND * (WARM_UP_SECONDS + seconds)
        mix = Mix(ROWS)
        await preload(kafka.address, [*mix.setup(), *(raw for n in range(probes) for raw in _probe_setup(n))])
        async with workers(kafka.address, place / "rows", 1) as (worker,):
            await _caught_up(worker)
            times = await _probed(kafka.address, _background(mix, per_second, probes))
        lost = probes - len(times)
        times = sorted(times[WARM_UP_SECONDS * PROBES_PER_SECOND :])
        return {
            "per_second": per_second,
            "probes": len(times),
            "lost": lost,
            "p50_ms": round(statistics.median(times) * 1e3, 1),
            "p99_ms": round(times[int(len(times) * 0.99) - 1] * 1e3, 1),
        }


async def _caught_up(worker: Worker) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        cost = await worker.look()
        if cost is not None and cost.partitions == PARTITIONS and cost.folded and not cost.lag:
            return
        await asyncio.sleep(POLL_SECONDS)
    raise TimeoutError("the worker does not catch up")


def _probe_setup(n: int) -> Iterator[bytes]:
    row = {"sku": f"PROBE-{n}", "location": "LDS"}
    policy = {"kind": "min_max", "min": 100, "max": 500}
    for kind, data in (("stock.counted", {**row, "qty": 500}), ("policy.set", {**row, "policy": policy})):
        yield _event(kind, f"probe-{kind}-{n}", data, START)


def _event(kind: str, name: str, data: dict[str, Any], at: int) -> bytes:
    event = {"specversion": "1.0", "id": name, "source": "probe", "type": kind, "time": iso(at), "data": data}
    return json.dumps(event).encode()


async def _probed(address: str, chunks: list[Chunk]) -> list[float]:
    producer = AIOKafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=True, max_batch_size=1 << 18)
    consumer = AIOKafkaConsumer(
        "stockline.signals", bootstrap_servers=address, isolation_level="read_committed", fetch_max_wait_ms=20
    )
    await producer.start()
    await consumer.start()
    await consumer.seek_to_end()
    sent: dict[str, float] = {}
    found: dict[str, float] = {}
    listening = asyncio.create_task(_listen(consumer, found))
    probes, began = len(chunks), time.monotonic()
    for n in range(probes):
        await _send_chunk(producer, chunks[n])
        name = f"PROBE-{n}"
        sent[name] = time.monotonic()
        raw = _event("stock.issued", f"probe-{n}", {"sku": name, "location": "LDS", "qty": 450}, START + DAY)
        await producer.send(EVENTS, raw, name.encode(), partition_of(name, PARTITIONS))
        await asyncio.sleep(max(0.0, began + (n + 1) / PROBES_PER_SECOND - time.monotonic()))
    for _ in range(200):
        if len(found) >= probes:
            break
        await asyncio.sleep(0.05)
    listening.cancel()
    await producer.stop()
    await consumer.stop()
    return [found[name] - at for name, at in sent.items() if name in found]


def _background(mix: Mix, per_second: int, probes: int) -> list[Chunk]:
    """The load between two probes, by partition: made beforehand, so that its making does not count."""
    per_chunk = per_second // PROBES_PER_SECOND
    stream = mix.stream(per_chunk * probes, APART)
    chunks: list[Chunk] = []
    for _ in range(probes):
        chunk: Chunk = {}
        for _, raw in zip(range(per_chunk), stream, strict=False):
            sku = json.loads(raw)["data"]["sku"]
            chunk.setdefault(partition_of(sku, PARTITIONS), []).append((sku.encode(), raw))
        chunks.append(chunk)
    return chunks


async def _send_chunk(producer: AIOKafkaProducer, chunk: Chunk) -> None:
    for partition, records in chunk.items():
        batch = producer.create_batch()
        for key, raw in records:
            if batch.append(key=key, value=raw, timestamp=None) is None:
                await producer.send_batch(batch, EVENTS, partition=partition)
                batch = producer.create_batch()
                batch.append(key=key, value=raw, timestamp=None)
        await producer.send_batch(batch, EVENTS, partition=partition)


async def _listen(consumer: AIOKafkaConsumer, found: dict[str, float]) -> None:
    async for record in consumer:
        sku = json.loads(record.value)["data"]["sku"]
        if sku.startswith("PROBE-"):
            found.setdefault(sku, time.monotonic())


async def restore(place: Path, rows: int) -> dict[str, Any]:
    """Seconds until workers with empty directories own all partitions of `rows` rows, and take-over after kill -9."""
    with broker(place) as kafka:
        await until_topics(kafka.address, place)
        await preload(kafka.address, _counted(rows))
        async with workers(kafka.address, place / "rows", 2) as started:
            await _drained(started, rows)
            taken = await _taken_over(started)
        result: dict[str, Any] = {"rows": rows, "take_over_seconds": round(taken, 2)}
        for count in (1, 2):
            result[f"seconds_{count}_workers"] = await _restored(kafka.address, place / f"anew-{count}", count)
        return result


def _counted(rows: int) -> Iterator[bytes]:
    for n in range(rows):
        yield _event(
            "stock.counted", f"count-{n}", {"sku": f"SKU{n:07d}", "location": "LDS", "qty": 10 + n % 90}, START
        )


async def _taken_over(started: list[Worker]) -> float:
    """Kill one of two workers; seconds until the other owns and has restored all partitions."""
    victim, heir = started
    victim.process.send_signal(signal.SIGKILL)
    began = time.monotonic()
    while time.monotonic() - began < READY_SECONDS:
        cost = await heir.look()
        if cost is not None and cost.partitions == PARTITIONS:
            return time.monotonic() - began
        await asyncio.sleep(POLL_SECONDS)
    raise TimeoutError("nobody takes over")


async def _restored(address: str, data: Path, count: int) -> float:
    began = time.monotonic()
    async with workers(address, data, count) as started:
        while time.monotonic() - began < 10 * READY_SECONDS:
            costs = [await worker.look() for worker in started]
            if sum(cost.partitions for cost in costs if cost) == PARTITIONS and all(costs):
                return round(time.monotonic() - began, 2)
            await asyncio.sleep(POLL_SECONDS)
    raise TimeoutError("the rows are not restored")
