"""`python -m benchmarks.cluster.drains`: one preloaded log folded from its beginning again and again; shows any stall.

Between two drains the workers end, and all that they have written is deleted: rows, outputs, the group. What counts is
what the group is told after a commit, held against the ends that the log had before the workers started, so that their
own ticks do not count.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from benchmarks.cluster.measures import ROWS, story
from benchmarks.cluster.rig import EVENTS, PARTITIONS, ROOT, broker, preload, until_topics
from tests.real.kafka import Broker, Missing

LOOK_SECONDS = 0.1
SESSION_MS = 5_000
"""After so long the group gives the partitions of a worker that was killed to the others."""
STALL_SECONDS = 10.0
"""Of no progress, with workers and broker asleep for half of it or more."""
PATIENCE_SECONDS = 240.0
STOP_SECONDS = 120.0
PLACES = [TopicPartition(EVENTS, partition) for partition in range(PARTITIONS)]


class Drain(NamedTuple):
    """One drain: what was done to the workers, how fast it was, and the longest time in which nothing was folded.

    `seconds` count from the first commit to the last, `waited` from the start of the workers to the first commit.
    `idle` is the share of the longest pause in which neither a worker nor the broker ran or waited for a processor: on
    a machine that others use they may stand still for long without a fault of theirs.
    """

    pattern: str
    waited: float
    seconds: float
    events_per_second: int
    longest_pause: float
    idle: float
    ended: bool


class Crew:
    """The workers of one drain, on one directory of rows."""

    def __init__(self, address: str, group: str, place: Path) -> None:
        self._settings = {
            "STOCKLINE_KAFKA": address, "STOCKLINE_GROUP": group, "STOCKLINE_SESSION_TIMEOUT_MS": str(SESSION_MS)
        }  # fmt: skip
        self._place = place
        self.living: list[subprocess.Popen[bytes]] = []

    def join(self) -> None:
        """Start one more worker."""
        command = [sys.executable, "-m", "engine", "worker", "--port", "0", "--data", str(self._place / "rows")]
        # SIGABRT then writes where every thread is.
        environment = os.environ | self._settings | {"PYTHONFAULTHANDLER": "1"}
        with (self._place / "workers.log").open("ab") as log:
            self.living.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))

    def lose(self, number: signal.Signals) -> None:
        """End the worker that has lived longest by a signal."""
        leaving = self.living.pop(0)
        leaving.send_signal(number)
        leaving.wait(STOP_SECONDS)

    def replace(self, number: signal.Signals) -> None:
        """End the worker that has lived longest by a signal, and start another."""
        self.lose(number)
        self.join()

    def end(self) -> None:
        """End all in good order; AssertionError where one ends otherwise. One that has just begun has no order yet."""
        for worker in self.living:
            worker.send_signal(signal.SIGTERM)
        codes = [worker.wait(STOP_SECONDS) for worker in self.living]
        self.living = []
        assert not set(codes) - {0, -signal.SIGTERM}, f"workers ended with {codes}; {self._place / 'workers.log'}"

    def dump(self) -> None:
        """Kill all; each writes where its threads are."""
        for worker in self.living:
            worker.send_signal(signal.SIGABRT)
            worker.wait(STOP_SECONDS)
        self.living = []


Change = Callable[[Crew], None]


PATTERNS: dict[str, tuple[int, Change]] = {
    "one worker": (1, lambda _: None),
    "two workers": (2, lambda _: None),
    "a second joins": (1, lambda crew: crew.join()),
    "one of two leaves": (2, lambda crew: crew.lose(signal.SIGTERM)),
    "one of two is killed and replaced": (2, lambda crew: crew.replace(signal.SIGKILL)),
}
"""How many workers begin, and what happens once a part of the log is folded."""


class Watcher:
    """Looks at the log and the group from outside."""

    def __init__(self, address: str, group: str) -> None:
        self._group = group
        self._admin = AIOKafkaAdminClient(bootstrap_servers=address)
        self._consumer = AIOKafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)

    async def __aenter__(self) -> "Watcher":
        await self._admin.start()
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()
        await self._admin.close()

    async def ends(self) -> list[int]:
        """The end of every partition of the log."""
        found = await self._consumer.end_offsets(PLACES)
        return [found[place] for place in PLACES]

    async def folded(self) -> list[int]:
        """How far the group says that every partition is folded; a broker that does not say it now is asked again."""
        for _ in range(100):
            with suppress(KafkaError, OSError):
                found = await self._admin.list_consumer_group_offsets(self._group, partitions=PLACES)
                return [max(0, found[place].offset) if place in found else 0 for place in PLACES]
            await asyncio.sleep(LOOK_SECONDS)
        raise TimeoutError("the broker does not tell the group's offsets")

    async def forget(self) -> None:
        """Delete all topics but the log."""
        others = {name for name in await self._admin.list_topics() if name.startswith("stockline.") and name != EVENTS}
        await self._admin.delete_topics(sorted(others))
        while others & set(await self._admin.list_topics()):  # noqa: ASYNC110 - the broker tells nobody
            await asyncio.sleep(LOOK_SECONDS)


class Course:
    """How the fold of a log has come along: fed with looks, from the start of the workers on."""

    def __init__(self, ends: list[int], at: float, busy: Callable[[], dict[int, float]]) -> None:
        self.total = sum(ends)
        self.done = 0
        self.longest_pause = self.idle = 0.0
        self._ends = ends
        self._started = self._moved = at
        self._busy, self._busy_then = busy, busy()
        self._first: tuple[float, int] | None = None

    def look(self, folded: list[int], at: float) -> None:
        """What the group says at the instant `at`, in seconds; what came after the ends does not count."""
        done = sum(min(pair) for pair in zip(folded, self._ends, strict=True))
        busy = self._busy()
        if self._first is not None and (pause := at - self._moved) > self.longest_pause:
            most = max(seconds - self._busy_then.get(pid, 0.0) for pid, seconds in busy.items())
            self.longest_pause, self.idle = pause, max(0.0, 1 - most / pause)
        if done > self.done:
            self._first = self._first or (at, done)
            self.done, self._moved, self._busy_then = done, at, busy

    def waiting(self, at: float) -> bool:
        """Whether the last progress is not so long ago that there is none to be expected."""
        return at - self._moved < PATIENCE_SECONDS

    @property
    def ended(self) -> bool:
        """Whether all is folded that the log held at the start."""
        return self.done >= self.total

    def drain(self, pattern: str) -> Drain:
        """What came of it."""
        began, before = self._first or (self._moved, 0)
        seconds = self._moved - began
        rate = round((self.done - before) / seconds) if seconds else 0
        waited = round(began - self._started, 2)
        pause, idle = round(self.longest_pause, 2), round(self.idle, 2)
        return Drain(pattern, waited, round(seconds, 2), rate, pause, idle, self.ended)


def busy_seconds(pids: Iterable[int]) -> dict[int, float]:
    """For each process how long its threads have run, or have waited for a processor to run on."""
    return {pid: sum(map(_busy, Path(f"/proc/{pid}/task").glob("*/schedstat"))) for pid in pids}


def _busy(thread: Path) -> float:
    with suppress(OSError):
        ran, waited, _ = thread.read_text().split()
        return (int(ran) + int(waited)) / 1e9
    return 0.0


async def drained(kafka: Broker, place: Path, group: str, pattern: str, part: float) -> Drain:
    """One drain; `part` of the log is folded when the pattern's change comes. A stalled one leaves its log behind."""
    count, change = PATTERNS[pattern]
    crew = Crew(kafka.address, group, place)

    def busy() -> dict[int, float]:
        return busy_seconds([kafka.pid, *(worker.pid for worker in crew.living)])

    async with Watcher(kafka.address, group) as watcher:
        await watcher.forget()
        course = Course(await watcher.ends(), time.monotonic(), busy)
        for _ in range(count):
            crew.join()
        changed = False
        try:
            while not course.ended and course.waiting(time.monotonic()):
                await asyncio.sleep(LOOK_SECONDS)
                course.look(await watcher.folded(), time.monotonic())
                if not changed and course.done >= part * course.total:
                    changed = True
                    await asyncio.to_thread(change, crew)
            if course.ended:
                await asyncio.to_thread(crew.end)
        finally:
            crew.dump()
    return course.drain(pattern)


async def run(events: int, rounds: int, seed: int, place: Path) -> dict[str, Any]:
    """Preload a log once and drain it `rounds` times, the patterns in turn; the figures of all."""
    chance = random.Random(seed)
    drains: list[Drain] = []
    with broker(place) as kafka:
        await until_topics(kafka.address, place)
        total = await preload(kafka.address, story(ROWS, events))
        for n in range(rounds):
            pattern = list(PATTERNS)[n % len(PATTERNS)]
            rows = place / f"drain-{n}"
            rows.mkdir()
            drain = await drained(kafka, rows, f"drain-{n}", pattern, chance.uniform(0.1, 0.6))
            print(f"drain {n + 1} of {rounds}: {json.dumps(drain._asdict())}", file=sys.stderr, flush=True)
            drains.append(drain)
            if stalled([drain]):
                shutil.copytree(place, kept := Path(tempfile.mkdtemp(prefix="stockline-drains-")), dirs_exist_ok=True)
                print(f"it stood still: {kept}", file=sys.stderr, flush=True)
            shutil.rmtree(rows)
    return {"events": total, "drains": len(drains), "stalled": len(stalled(drains)), **rates(drains)}


def stalled(drains: list[Drain]) -> list[Drain]:
    """Those that did not end, or stood still for long while records were left and nobody had anything to do."""
    return [drain for drain in drains if not drain.ended or drain.longest_pause * drain.idle > STALL_SECONDS / 2]


def rates(drains: list[Drain]) -> dict[str, Any]:
    """The lowest, median and highest rate of every pattern, and the longest pause of all."""
    by_pattern: dict[str, list[int]] = {}
    for drain in drains:
        by_pattern.setdefault(drain.pattern, []).append(drain.events_per_second)
    return {
        "longest_pause_seconds": max(drain.longest_pause for drain in drains),
        "longest_wait_seconds": max(drain.waited for drain in drains),
        "events_per_second": {
            pattern: {"min": min(rates), "median": round(statistics.median(rates)), "max": max(rates)}
            for pattern, rates in by_pattern.items()
        },
    }


def main() -> int:
    """Run; 0 where no drain stood still, 1 where one did, 3 without Kafka."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster.drains", description=__doc__)
    parser.add_argument("--events", type=int, default=40_000, help="besides three for each of the rows")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="stockline-drains-") as place:
            figures = asyncio.run(run(options.events, options.rounds, options.seed, Path(place)))
    except Missing as missing:
        print(f"drains: {missing}", file=sys.stderr)
        return 3
    json.dump(figures, sys.stdout, indent=2)
    print()
    return 1 if figures["stalled"] else 0


if __name__ == "__main__":
    sys.exit(main())
