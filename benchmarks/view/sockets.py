"""Pages without a browser: they follow a window over the live socket, and note when they were shown what."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp

from benchmarks.view.recording import PROBE
from benchmarks.view.staleness import Sample

Json = dict[str, Any]
FIRST_SECONDS = 60.0
FOLLOW: Json = {"view": "stock", "table": "positions", "query": "sort=sku", "offset": 0, "limit": 60, "mode": "frozen"}


async def watch(
    url: str, pages: int, seconds: float, sku: str = PROBE, begin: Callable[[], None] = lambda: None
) -> list[Sample]:
    """Open some pages, of which twenty look at different windows, for a while.

    Calls `begin` once all of them are shown something. Returns when the first was shown which position of the item
    `sku`, which all of them show.
    """
    async with (
        aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as session,
        AsyncExitStack() as open_,
    ):
        opened = [await open_.enter_async_context(session.ws_connect("/v1/live")) for _ in range(pages)]
        for number, page in enumerate(opened):
            await page.send_json({**FOLLOW, "limit": 60 - number % 20})
        first = [await _sample(page, sku, FIRST_SECONDS) for page in opened]
        begin()
        followed = await asyncio.gather(*(_follow(page, sku, seconds) for page in opened))
        return [first[0], *followed[0]]


async def _follow(page: aiohttp.ClientWebSocketResponse, sku: str, seconds: float) -> list[Sample]:
    samples = []
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            samples.append(await _sample(page, sku, left))
        except TimeoutError:
            break
    return samples


async def _sample(page: aiohttp.ClientWebSocketResponse, sku: str, seconds: float) -> Sample:
    frame: Json = await page.receive_json(timeout=seconds)
    shown = next(row for row in frame["items"] if row["sku"] == sku)
    return Sample(time.time(), shown["position"])


def main() -> None:
    """`python -m benchmarks.view.sockets URL PAGES SECONDS SKU`: print what the first page was shown as JSON."""
    url, pages, seconds, sku = sys.argv[1:]
    print(json.dumps(asyncio.run(watch(url, int(pages), float(seconds), sku))))


if __name__ == "__main__":
    main()
