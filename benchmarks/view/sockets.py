"""Pages without a browser: they follow a window over the live socket, and note when they were shown what."""

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp

from benchmarks.view.recording import PROBE
from benchmarks.view.staleness import Sample

Json = dict[str, Any]
FOLLOW: Json = {"view": "stock", "table": "positions", "query": "sort=sku", "offset": 0, "limit": 60, "mode": "frozen"}


async def watch(url: str, pages: int, seconds: float, sku: str = PROBE) -> list[Sample]:
    """Open some pages, of which twenty look at different windows, for a while.

    Returns when the first was shown which position of the item `sku`, which all of them show.
    """
    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as session:
        watching = [_watch(session, {**FOLLOW, "limit": 60 - number % 20}, seconds, sku) for number in range(pages)]
        return (await asyncio.gather(*watching))[0]


async def _watch(session: aiohttp.ClientSession, follow: Json, seconds: float, sku: str) -> list[Sample]:
    samples = []
    async with session.ws_connect("/v1/live") as page:
        await page.send_json(follow)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                frame: Json = await page.receive_json(timeout=left)
            except TimeoutError:
                break
            shown = next(row for row in frame["items"] if row["sku"] == sku)
            samples.append(Sample(time.time(), shown["position"]))
    return samples


def main() -> None:
    """`python -m benchmarks.view.sockets URL PAGES SECONDS SKU`: print what the first page was shown as JSON."""
    url, pages, seconds, sku = sys.argv[1:]
    print(json.dumps(asyncio.run(watch(url, int(pages), float(seconds), sku))))


if __name__ == "__main__":
    main()
