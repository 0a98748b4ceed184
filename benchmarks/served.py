"""The engine as shipped, in a process of its own, over HTTP: throughput, memory, restart, latency."""

import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.mix import START, Mix
from engine.core.values import DAY, iso

BATCH = 1_000
CONNECTIONS = 3
SERVES = re.compile(rb"stockline serves (http://127\.0\.0\.1:\d+) from")
LATE_SECONDS = 60.0
"""So long the last signals may take."""


@asynccontextmanager
async def engine(data: Path) -> AsyncIterator[tuple[aiohttp.ClientSession, subprocess.Popen[bytes], float]]:
    """The shipped command on a data directory: a session, its process, and the seconds until it was ready."""
    # A port that is free now may be another's when the engine is so far, so it takes one itself and tells it.
    command = [sys.executable, "-m", "engine", "run", "--data", str(data), "--port", "0"]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: ASYNC220
    try:
        async with aiohttp.ClientSession(await asyncio.to_thread(_url, process)) as session:
            while not await _ready(session):
                if process.poll() is not None:
                    raise RuntimeError(f"the engine ended with exit code {process.returncode} before it was ready")
                await asyncio.sleep(0.02)
            yield session, process, time.monotonic() - started
    finally:
        process.terminate()
        # It waits for the end, and closes the pipe.
        with process:
            pass


def _url(process: subprocess.Popen[bytes]) -> str:
    """Where an engine says that it serves."""
    assert process.stdout is not None
    told = SERVES.match(process.stdout.readline())
    if told is None:
        raise RuntimeError(f"the engine ended with exit code {process.wait()} before it served")
    return told[1].decode()


async def _ready(session: aiohttp.ClientSession) -> bool:
    try:
        async with session.get("/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientConnectionError:
        return False


async def post(session: aiohttp.ClientSession, lines: Sequence[bytes]) -> int:
    """Post events as NDJSON; answer how many were accepted. Waits as the engine says where it is behind."""
    while True:
        async with session.post(
            "/v1/events", data=b"\n".join(lines), headers={"content-type": "application/x-ndjson"}
        ) as answer:
            if answer.status == 202:
                accepted: int = (await answer.json())["accepted"]
                return accepted
            if answer.status != 429:
                raise RuntimeError(f"POST /v1/events answered {answer.status}: {await answer.text()}")
            await asyncio.sleep(float(answer.headers["Retry-After"]))


async def load(session: aiohttp.ClientSession, events: Sequence[bytes]) -> float:
    """Post events over some connections at once; answer events a second, until all are durable and applied."""
    batches = iter([events[n : n + BATCH] for n in range(0, len(events), BATCH)])

    async def send() -> int:
        return sum([await post(session, batch) for batch in batches])

    started = time.monotonic()
    accepted = sum(await asyncio.gather(*(send() for _ in range(CONNECTIONS))))
    if accepted != len(events):
        raise RuntimeError(f"{len(events) - accepted} of {len(events)} events were refused")
    return len(events) / (time.monotonic() - started)


def resident_mib(process: subprocess.Popen[bytes]) -> int:
    """The resident memory of a process in MiB."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS:"))) // 1024


async def throughput(data: Path, rows: int, events: int) -> dict[str, Any]:
    """Events a second end to end at a number of rows, memory, and the time to start again."""
    mix = Mix(rows)
    async with engine(data) as (session, process, _):
        setup_rate = await load(session, list(mix.setup()))
        rate = await load(session, list(mix.stream(events)))
        memory = resident_mib(process)
        async with session.get("/v1/kpis") as answer:
            kpis = await answer.json()
    async with engine(data) as (_, _, restart_seconds):
        pass
    return {
        "rows": kpis["rows"],
        "events": events,
        "setup_rate": round(setup_rate),
        "rate": round(rate),
        "memory_mib": memory,
        "restart_seconds": round(restart_seconds, 2),
        "signals": sum(kpis["signals"]["opened"].values()),
    }


async def latency(data: Path, rate: int, seconds: int) -> dict[str, Any]:
    """Milliseconds from the POST of an issue to its signal on the stream, at a steady rate of single-second batches."""
    async with engine(data) as (session, _, _):
        await load(session, list(Mix(rate + 1).setup()))
        sent: dict[str, float] = {}
        seen: list[float] = []
        async with session.get("/v1/stream?tables=signals") as stream:
            listener = asyncio.create_task(_listen(stream, sent, seen))
            await _issue(session, sent, rate, seconds)
            latest = time.monotonic() + LATE_SECONDS
            while len(seen) < len(sent) and time.monotonic() < latest:  # noqa: ASYNC110 - the listener tells nobody
                await asyncio.sleep(0.05)
            listener.cancel()
    if len(seen) < len(sent):
        raise RuntimeError(f"{len(sent) - len(seen)} of {len(sent)} signals did not come")
    quantiles = statistics.quantiles(seen, n=100)
    return {
        "events_per_second": rate,
        "signals": len(seen),
        "p50_ms": round(quantiles[49] * 1000, 1),
        "p99_ms": round(quantiles[98] * 1000, 1),
    }


async def _issue(session: aiohttp.ClientSession, sent: dict[str, float], rate: int, seconds: int) -> None:
    """Post `rate` issues a second, ten POSTs a second; each tenth event takes a row below its trigger."""
    posts, size = seconds * 10, rate // 10
    started = time.monotonic()
    row = 0
    for n in range(posts):
        await asyncio.sleep(max(0.0, started + n / 10 - time.monotonic()))
        lines = []
        for k in range(size):
            deep = k % 10 == 0 and row < rate
            qty = 550 if deep else 1
            sku = f"SKU{row if deep else rate:07d}"
            row += deep
            lines.append(_issued(f"lat-{n}-{k}", sku, qty))
            if deep:
                sent[sku] = time.monotonic()
        await post(session, lines)


def _issued(name: str, sku: str, qty: int) -> bytes:
    event = {"specversion": "1.0", "id": name, "source": "bench", "type": "stock.issued", "time": iso(START + DAY // 2)}
    return json.dumps({**event, "data": {"sku": sku, "location": "LDS", "qty": qty}}).encode()


async def _listen(stream: aiohttp.ClientResponse, sent: dict[str, float], seen: list[float]) -> None:
    async for line in stream.content:
        if line.startswith(b"data:"):
            event = json.loads(line[5:])
            at = sent.get(event["data"]["sku"])
            if event["type"] == "signal.opened" and at is not None:
                seen.append(time.monotonic() - at)
