"""`python -m benchmarks.view.replayed`: serves a recording, and replays what followed once it reads a line.

It prints its URL, and after the replay the instant of each commit (seconds of the Unix epoch) as JSON; it ends with
another line.
"""

import argparse
import asyncio
import json
import sys
import time

from benchmarks.view.recording import RULES, TICK_SECONDS, Recording, record
from engine.bus.memory.bus import MemoryBus
from engine.columns.columns import Columns
from engine.columns.loading import NotLoaded
from engine.processes.columns import filled
from engine.runtime.single.service import Service
from engine.telemetry import Figures, Telemetry
from engine.telemetry.fold import Business, Open
from engine.web import server
from engine.web.bodies import Intake, Limits
from engine.web.ports import Context

BODY_BYTES = 1 << 20


async def serve(recording: Recording) -> None:
    """Serve the recording's rows; replay what followed once a line is read."""
    bus = MemoryBus()
    bus.commit([recording.rows])
    # Its engine's thread is not started: nothing is folded here.
    service = Service(bus, RULES)
    with filled(bus, RULES, service.progress, service.now) as columns:
        rows, nothing = bus.published.count("positions"), Business(Open({}, {}), [])
        telemetry = Telemetry(lambda: Figures(0, rows, {}, {}, nothing))
        context = Context(service, columns, Intake(Limits(BODY_BYTES)), telemetry)
        async with server.serving(server.application(context), server.bind("127.0.0.1", 0)) as url:
            while not await asyncio.to_thread(_is_filled, columns):
                pass
            print(url, flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            print(json.dumps(await _replay(bus, recording)), flush=True)
            await asyncio.to_thread(sys.stdin.readline)


def _is_filled(columns: Columns) -> bool:
    try:
        columns.loading.wait()
    except NotLoaded:
        return False
    return True


async def _replay(bus: MemoryBus, recording: Recording) -> list[float]:
    """Commit tick after tick at their times; returns when each was committed."""
    committed = []
    started = time.monotonic()
    for number, commit in enumerate(recording.ticks):
        await asyncio.sleep(max(0.0, started + number * TICK_SECONDS - time.monotonic()))
        bus.commit([commit])
        committed.append(time.time())
    return committed


def main() -> None:
    """Record, serve and replay as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int)
    parser.add_argument("rate", type=int)
    parser.add_argument("seconds", type=float)
    options = parser.parse_args()
    asyncio.run(serve(record(options.rows, options.rate, options.seconds)))


if __name__ == "__main__":
    main()
