"""What an open page costs the engine: CPU time per event of the shipped command, with a page and without, in turns."""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.mix import Mix
from benchmarks.served import engine, load, post

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
POSTS_A_SECOND = 10
SETTLE_SECONDS = 2.0


async def cost(data: Path, rows: int, rate: int, seconds: float, turns: int) -> dict[str, Any]:
    """CPU microseconds of the engine per event, without and with an open page.

    Args:
        data: the data directory.
        rows: how many rows there are.
        rate: how many events are posted in a second.
        seconds: how long each turn lasts.
        turns: how many turns there are of both.
    """
    mix = Mix(rows)
    spent: dict[bool, list[float]] = {False: [], True: []}
    async with engine(data) as (session, process, _):
        await load(session, list(mix.setup()))
        async with session.get("/readyz") as answer:
            url = str(answer.url.origin())
        await asyncio.sleep(SETTLE_SECONDS)
        for viewed in [False, True] * turns:
            events = list(mix.stream(int(rate * seconds)))
            page = _page(url, seconds + SETTLE_SECONDS) if viewed else None
            await asyncio.sleep(SETTLE_SECONDS)
            spent[viewed].append(await _turn(session, process.pid, events, rate))
            if page is not None:
                page.wait()
    return {"rows": rows, "rate": rate, **_compared(spent[False], spent[True])}


def _compared(alone: list[float], watched: list[float]) -> dict[str, float]:
    """The medians of the turns of both kinds, and by what share a view makes an event dearer."""
    without, beside = statistics.median(alone), statistics.median(watched)
    more = round(beside / without - 1, 4)
    return {"us_per_event": round(without, 1), "us_per_event_watched": round(beside, 1), "more": more}


async def _turn(session: aiohttp.ClientSession, pid: int, events: Sequence[bytes], rate: int) -> float:
    """Post events at a steady rate; returns the CPU time of the engine for each, in microseconds."""
    before, started = _cpu_seconds(pid), time.monotonic()
    size = rate // POSTS_A_SECOND
    for number, start in enumerate(range(0, len(events), size)):
        await asyncio.sleep(max(0.0, started + number / POSTS_A_SECOND - time.monotonic()))
        await post(session, events[start : start + size])
    return (_cpu_seconds(pid) - before) * 1e6 / len(events)


def _page(url: str, seconds: float) -> "subprocess.Popen[bytes]":
    """A page in a process of its own, whose work is not the engine's."""
    command = [sys.executable, "-m", "benchmarks.view.sockets", url, "1", str(seconds), "SKU0000000"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND
