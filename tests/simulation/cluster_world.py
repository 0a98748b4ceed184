"""A seeded cluster that goes wrong in every way it can: workers on one broker, in virtual time.

Processes are killed, started, stopped, and told late that their partitions went elsewhere; requests to the broker are
slow, fail, take effect without an answer or stay without either; what was fetched arrives late, and twice.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from engine.bus.memory.broker import MemoryBroker
from engine.bus.memory.cluster import Request
from engine.bus.single import Record
from engine.core.errors import Corrupt, DiskFull, EnvironmentFailure
from engine.core.events import encode
from engine.core.topics import Topic
from engine.core.values import partition_of
from engine.runtime.clock import CLOCK_SOURCE, ticks_of
from engine.runtime.cluster.surroundings import COMMIT_BYTES, Pacing
from tests.auditor.answers import answer_to_alert, answer_to_signal
from tests.auditor.arrival import conflicting, late_arrivals, with_duplicates
from tests.auditor.malformed import KINDS, malformed
from tests.auditor.model import HOUR, Event, instant
from tests.auditor.workload import Story, encoded
from tests.simulation.faults import Ending, Fate
from tests.simulation.loop import VirtualLoop
from tests.simulation.process import Process

SECOND = 1_000_000
DRAIN_SECONDS = 120.0
MOST_PROCESSES = 3
BAD_KINDS = sorted(KINDS.keys() - {"an absurd size", "deep nesting"})  # nothing for a cluster in them, but long
EVERYWHERE = ("location.defined", "supplier.defined", "feed.declared")
ENDINGS: dict[Ending, int] = {"refused": 4, "unknown": 4, "silent": 1, "lost": 1}
STEPS = {
    "send": 16,
    "send bad input": 2,
    "send to a wrong place": 2,
    "send a conflict": 1,
    "answer": 3,
    "leave a gap": 2,
    "let hours pass": 1,
    "wait": 4,
    "rebalance": 3,
    "kill": 2,
    "start": 3,
    "stop": 1,
}


class ClusterWorld:
    """One run. `run` it on a virtual loop, then audit what the broker has."""

    def __init__(self, seed: int, loop: VirtualLoop) -> None:
        self.random = Random(seed)
        self.loop = loop
        self.broker = MemoryBroker(self.random.randint(1, 4))
        self.pacing = Pacing(
            commit_records=self.random.choice((1, 3, 10, 1000)),
            commit_bytes=self.random.choice((1_000, 10_000, COMMIT_BYTES)),
            max_interval=0.2,
            fenced_pause=2.0,
            handover=1.0,
        )
        self.trouble = self.random.choice((0.0, 0.1, 0.3))
        self.calm = False
        length = self.random.randint(15, 40)
        self.story = Story(self.random, skus=self.random.randint(1, 5), locations=2, length=length)
        self.preamble = self.story.preamble()
        self._began = self.story.now
        self._skipped = 0
        told = list(self.story.tell(length))
        self.waiting = with_duplicates(self.random, late_arrivals(self.random, told, 6 * HOUR), 0.15)
        self.accepted: list[Event] = []
        self.placed: list[Event] = []
        self.marked: Counter[bytes] = Counter()
        self.refused: Counter[bytes] = Counter()
        self.answers: set[bytes] = set()
        self.living: list[Process] = []
        self.leaving: list[Process] = []
        self.started = 0
        self.steps: Counter[str] = Counter()

    def now(self) -> int:
        """Wall time, in microseconds."""
        return self._began + self._skipped + int(self.loop.time() * SECOND)

    # ---- a run

    async def run(self) -> None:
        for event in self.preamble:
            self._send(event)
        for _ in range(self.random.randint(1, MOST_PROCESSES)):
            self._start()
        while self.waiting:
            (step,) = self.random.choices(list(STEPS), list(STEPS.values()))
            self.steps[step] += 1
            await self._do(step)
            await asyncio.sleep(self.random.choice((0.0, 0.05, 0.3)))
            self._bury()
        await self._drain()

    async def _do(self, step: str) -> None:
        doing: dict[str, Callable[[], Coroutine[object, object, None] | None]] = {
            "send": self._send_some,
            "send bad input": self._send_bad_input,
            "send to a wrong place": self._send_to_a_wrong_place,
            "send a conflict": self._send_conflict,
            "answer": self._answer,
            "leave a gap": self._leave_gap,
            "let hours pass": self._let_hours_pass,
            "wait": lambda: asyncio.sleep(self.random.uniform(0.5, 4)),
            "rebalance": self._rebalance,
            "kill": self._kill,
            "start": self._start,
            "stop": self._stop,
        }
        if (waiting := doing[step]()) is not None:
            await waiting

    async def _drain(self) -> None:
        """All faults end; what has been sent is folded in bounded time, then everybody goes home."""
        self.calm = True
        self._bury()
        self._start()
        self._let_hours_pass()
        self.tick()
        ends = [self.broker.end_offset(partition) for partition in range(self.broker.partitions)]
        began = self.loop.time()
        while behind := [p for p, end in enumerate(ends) if self.broker.next_offset(p) < end]:
            assert self.loop.time() < began + DRAIN_SECONDS, f"partitions {behind} do not come to their end"
            await asyncio.sleep(0.2)
            self._bury()
        for process in [*self.living, *self.leaving]:
            process.asked.set()
        await asyncio.wait([process.run for process in [*self.living, *self.leaving]], timeout=DRAIN_SECONDS)
        self._bury(finished=True)
        for process in [*self.living, *self.leaving]:
            left = [name for name in self.loop.alive(process.name) if name.startswith("partition")]
            assert left == [], f"{process.name} has ended, but not its {left}"
            await self.loop.kill(process.name)
        assert self.loop.complaints == []

    # ---- what becomes of requests

    def fate(self, name: str, request: Request) -> Fate:
        random = self.random
        if self.calm:
            return Fate("done", random.random() * 0.02, random.random() * 0.02)
        slow = 5.0 if random.random() < 0.15 else 0.05
        there, back = random.random() * slow, random.random() * slow
        if random.random() >= self.trouble:
            return Fate("done", there, back)
        (ending,) = random.choices(list(ENDINGS), list(ENDINGS.values()))
        self.steps[f"{request} {ending}"] += 1
        kinds = (EnvironmentFailure, EnvironmentFailure, Corrupt, DiskFull if request != "append" else Corrupt)
        return Fate(ending, there, back, random.choice(kinds)("as the seed has it"))

    # ---- processes

    def _start(self) -> None:
        if len(self.living) < MOST_PROCESSES:
            self.started += 1
            name = f"worker-{self.started}"
            self.living.append(self.loop.spawn(name, lambda: Process(self, name)))
        self._rebalance()

    def _rebalance(self) -> None:
        """The group shares the partitions anew; a process that does not hear of it in time is a zombie."""
        shares: dict[Process, set[int]] = {process: set() for process in self.living}
        for partition in range(self.broker.partitions if shares else 0):
            shares[self.random.choice(self.living)].add(partition)
        for process, share in shares.items():
            process.share = frozenset(share)
            zombie = not self.calm and self.random.random() < 0.2
            after = self.random.uniform(3, 15) if zombie else self.random.uniform(0, 0.5)
            pause = self.random.choice((0.0, 0.1, 1.0))
            self._tell(process, after, pause)

    def _tell(self, process: Process, after: float, pause: float) -> None:
        self.loop.spawn(process.name, lambda: asyncio.create_task(process.hear(after, pause)))

    async def _kill(self) -> None:
        if self.living:
            process = self.living.pop(self.random.randrange(len(self.living)))
            process.cluster.cut_off()
            await self.loop.kill(process.name)
            self._rebalance()

    def _stop(self) -> None:
        if self.living:
            process = self.living.pop(self.random.randrange(len(self.living)))
            process.asked.set()
            self.leaving.append(process)
            self._rebalance()

    def _bury(self, finished: bool = False) -> None:
        """A process may end by itself only where its machine's disk is full."""
        for process in [process for process in self.living if process.run.done()]:
            error = process.run.exception()
            if error is not None or not finished:
                assert isinstance(error, DiskFull), f"{process.name} has ended: {error!r}"
                self.living.remove(process)
                self._rebalance()

    # ---- what is sent

    def _send(self, event: Event) -> None:
        """An event as producers send them; one that concerns all partitions goes to one, or to all, marked or not."""
        self._skipped += max(0, instant(event["time"]) - self.now())
        raw, partitions = encoded(event), range(self.broker.partitions)
        self.accepted.append(event)
        if event["type"] not in EVERYWHERE:
            sku = event["data"]["sku"]
            self._append([partition_of(sku, len(partitions))], sku, raw)
            if raw not in self.answers:
                self.placed.append(event)
            return
        how = self.random.choice(("one", "one", "all", "all, marked"))
        chosen = [self.random.choice(partitions)] if how == "one" else list(partitions)
        self.marked[raw] += how == "all, marked"
        self._append(chosen, event["source"], raw, everywhere=how == "all, marked")

    def _append(self, partitions: list[int], key: str, raw: bytes, everywhere: bool = False) -> None:
        records = [Record(partition, 0, key, raw, self.now()) for partition in partitions]
        self.broker.append(records, everywhere)

    def tick(self) -> None:
        (tick,) = ticks_of(self.now(), {})
        raw = encode(tick)
        self._append(list(range(self.broker.partitions)), CLOCK_SOURCE, raw, everywhere=True)

    def _send_some(self) -> None:
        for _ in range(min(len(self.waiting), self.random.randint(1, 4))):
            self._send(self.waiting.pop(0))

    def _send_bad_input(self) -> None:
        _, raw, _ = malformed(self.random, self.now(), self.random.choice(BAD_KINDS))
        self._append([self.random.randrange(self.broker.partitions)], self.random.choice(("", "SPOILT")), raw)
        self.refused[raw] += 1

    def _send_to_a_wrong_place(self) -> None:
        event = self._some_sent()
        sku, raw = event["data"]["sku"], encoded(event)
        right = partition_of(sku, self.broker.partitions)
        wrong = [partition for partition in range(self.broker.partitions) if partition != right]
        if wrong and self.random.random() < 0.5:
            self._append([self.random.choice(wrong)], sku, raw)
        else:
            self._append([right], sku + "?", raw)
        self.refused[raw] += 1

    def _send_conflict(self) -> None:
        event = conflicting(self.random, self._some_sent())
        self._skipped += max(0, instant(event["time"]) - self.now())
        sku, raw = event["data"]["sku"], encoded(event)
        self._append([partition_of(sku, self.broker.partitions)], sku, raw)
        self.refused[raw] += 1

    def _some_sent(self) -> Event:
        return self.random.choice(self.placed)

    def _answer(self) -> None:
        """A planner answers a signal or an alert as it stands in what was committed."""
        self.story.now = self.now()
        signals = [thing for thing in self._latest("signals") if thing["status"] in ("open", "accepted")]
        alerts = [thing for thing in self._latest("alerts") if thing["status"] == "open" and thing["location"] != "*"]
        if signals and self.random.random() < 0.7:
            answer = answer_to_signal(self.random, self.story, self.random.choice(signals))
        elif alerts:
            answer = answer_to_alert(self.random, self.story, self.random.choice(alerts))
        else:
            return
        self.answers.add(encoded(answer))
        self._send(answer)

    def _latest(self, topic: Topic) -> list[dict[str, Any]]:
        outputs = [output for p in range(self.broker.partitions) for output in self.broker.outputs(topic, p)]
        return [json.loads(value)["data"] for value in {output.id: output.value for output in outputs}.values()]

    def _leave_gap(self) -> None:
        self.broker.skip(self.random.randrange(self.broker.partitions), self.random.randint(1, 5))

    def _let_hours_pass(self) -> None:
        self._skipped += self.random.randrange(6 * HOUR)
