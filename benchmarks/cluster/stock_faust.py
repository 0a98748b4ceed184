"""What the engine is compared with: a stock Faust agent and table that do the plain stock part of the job.

Run as a process: it folds balances per (sku, location) from `stockline.events` and prints, once it has seen as many
events as it was told, how long that took and what it cost. Faust is used as its manual shows it: at least once, a table
with its changelog, one event at a time.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import NoReturn

import faust
import orjson

SIGN = {"stock.issued": -1, "goods.received": 1, "stock.returned": 1, "stock.adjusted": 1}


def app_of(address: str, events: int, place: Path) -> faust.App:
    """The app that ends itself after `events` events."""
    app = faust.App(
        "plain-faust", broker=f"kafka://{address}", store="memory://", value_serializer="raw", web_enabled=False,
        topic_partitions=8, topic_replication_factor=1, datadir=place,
    )  # fmt: skip
    stock = app.Table("stock", default=int, partitions=8)
    topic = app.topic("stockline.events", value_type=bytes)
    seen = 0
    began = used = 0.0

    @app.agent(topic)
    async def fold(stream: faust.StreamT[bytes]) -> None:
        nonlocal seen, began, used
        async for raw in stream:
            if not seen:
                began, used = time.monotonic(), time.process_time()
            seen += 1
            event = orjson.loads(raw)
            kind, data = event["type"], event["data"]
            if kind in SIGN:
                key = f"{data['sku']}@{data['location']}"
                stock[key] = stock[key] + SIGN[kind] * data["qty"]
            elif kind == "stock.counted":
                stock[f"{data['sku']}@{data['location']}"] = data["qty"]
            if seen == events:
                _end(seen, time.monotonic() - began, time.process_time() - used)

    return app


def _end(events: int, seconds: float, cpu_seconds: float) -> NoReturn:
    print(json.dumps({"events": events, "seconds": seconds, "cpu_seconds": cpu_seconds}), flush=True)
    os._exit(0)


async def main(address: str, events: int, place: Path) -> None:
    """Run the app until it ends itself."""
    app = app_of(address, events, place)
    await app.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
