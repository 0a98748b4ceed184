"""The engine on one machine: order what arrives, fold it, commit it, answer.

`submit` is the one path of an event. Its steps, and the reason for their order:

1. decode     the sku decides the partition; what cannot be decoded is logged too, so that a replay refuses it again
2. sequence   a log clock ticks before the event that moves it, so that what was due is done first
3. step       every task folds its records on its own rows
4. commit     log, rows, outputs and markers of all tasks in one atomic, durable write
5. answer     only now may anyone say that an event was accepted
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from msgspec import Struct

from engine.bus.base import Audited, Bus, Output, Record
from engine.core.errors import UsageError
from engine.core.events import Broadcast, Event, FeedDeclared, decode, encode
from engine.core.outcomes import Rejected
from engine.core.rules import Rules
from engine.core.values import HOUR, SECOND, instant, partition_of
from engine.runtime.clock import CLOCK_SOURCE, tick_of
from engine.runtime.task import Arrival, Decoder, Outcome, Task, read_marker

REPLAY_RECORDS = 2_000
MAX_PARTITIONS_REMEMBERED = 200_000


class Refusal(Struct):
    """Why one item was not taken."""

    index: int
    id: str | None
    reason: str
    detail: str


class Receipt(Struct):
    """What became of the items of one submission; duplicates count as accepted."""

    accepted: int
    refused: list[Refusal]


class Engine:
    """All tasks of a bus in one process. Not thread-safe: one thread owns it."""

    def __init__(self, bus: Bus, rules: Rules | None = None, memory_bytes: int = 256 << 20) -> None:
        self.bus = bus
        self.rules = rules or Rules()
        self._partitions: dict[str, int] = {}
        self.tasks = [self._task(partition, memory_bytes // bus.partitions) for partition in range(bus.partitions)]
        self._ends = [bus.end_offset(task.partition) for task in self.tasks]
        self._catch_up()
        self.now = max(task.marker.now for task in self.tasks)
        self._arrivals = self._last_arrivals()

    def _task(self, partition: int, memory_bytes: int) -> Task:
        value = self.bus.marker(partition)
        marker = read_marker(value)
        if value is not None and marker.clock != self.rules.clock:
            raise UsageError(
                f"the log was begun with --clock {marker.clock} and cannot go on with --clock {self.rules.clock}: "
                f"start with --clock {marker.clock}, or with an empty data directory"
            )
        return Task(self.bus.state, partition, self.bus.partitions, self.rules, marker, memory_bytes)

    def _catch_up(self) -> None:
        """Fold what is in the log but not yet in the rows."""
        decoder = Decoder(self.bus.partitions)
        for task in self.tasks:
            while records := self.bus.read_log(task.partition, task.marker.next_offset, REPLAY_RECORDS):
                self.bus.commit([task.step(decoder.arrivals(records), append=False).commit])
                task.committed()

    def _last_arrivals(self) -> dict[str, int]:
        """The last arrival of every declared feed, of which each task knows its part."""
        arrivals: dict[str, int] = {}
        for task in self.tasks:
            for name, feed in task.feeds.items():
                arrivals[name] = max(feed.last, arrivals.get(name, 0))
        return arrivals

    def submit(self, items: Sequence[bytes], arrived_at: int) -> Receipt:
        """Take some events, each the bytes of one CloudEvent; return once they are durable and applied.

        Args:
            items: the exact bytes of each event.
            arrived_at: the instant of arrival, in microseconds.

        Raises:
            EnvironmentFailure: nothing of it was taken; this engine is of no more use.
        """
        return self.submit_all([items], arrived_at)[0][0]

    def submit_all(self, submissions: Sequence[Sequence[bytes]], arrived_at: int) -> list[tuple[Receipt, list[Output]]]:
        """Take several submissions in one commit. The outputs of all are with the first."""
        queues: list[list[Arrival]] = [[] for _ in self.tasks]
        places = [[self._sequence(raw, arrived_at, queues) for raw in items] for items in submissions]
        outcomes, outputs = self._commit(queues)
        receipts = [self._receipt(places_of_one, queues, outcomes) for places_of_one in places]
        return [(receipt, outputs if not i else []) for i, receipt in enumerate(receipts)]

    def tick(self, at: int) -> list[Output]:
        """Let time pass: `clock.ticked` at the instant `at` in every partition."""
        queues: list[list[Arrival]] = [[] for _ in self.tasks]
        self._put_tick(at, at, queues)
        return self._commit(queues)[1]

    def _commit(self, queues: list[list[Arrival]]) -> tuple[list[list[Outcome]], list[Output]]:
        busy = [(task, queue) for task, queue in zip(self.tasks, queues, strict=True) if queue]
        steps = [task.step(queue, append=True) for task, queue in busy]
        self.bus.commit([step.commit for step in steps])
        outcomes: list[list[Outcome]] = [[] for _ in self.tasks]
        outputs: list[Output] = []
        for (task, queue), step in zip(busy, steps, strict=True):
            self._ends[task.partition] += len(queue)
            outcomes[task.partition] = step.outcomes
            outputs += step.commit.outputs
            task.committed()
        return outcomes, outputs

    # sequencing -------------------------------------------------------------------------------------------------------

    def _sequence(self, raw: bytes, arrived_at: int, queues: list[list[Arrival]]) -> tuple[int, int, str | None]:
        """Put one item at the end of its partition's queue; answer where (partition, place in queue) and its id."""
        event = decode(raw)
        if isinstance(event, Rejected):
            return (*self._put(0, "", raw, event, arrived_at, queues), None)
        if event.source != CLOCK_SOURCE:
            self._follow(event, arrived_at, queues)
        if isinstance(event, Broadcast):
            spots = [self._put(p, event.source, raw, event, arrived_at, queues) for p in range(len(queues))]
            return (*spots[0], event.id)
        sku: str = event.data.sku
        return (*self._put(self._partition(sku), sku, raw, event, arrived_at, queues), event.id)

    def _follow(self, event: Event, arrived_at: int, queues: list[list[Arrival]]) -> None:
        """Let the engine's clock follow an event: the log clock ticks, feeds are alive."""
        at = arrived_at
        if self.rules.clock == "wall":
            self.now = max(self.now, arrived_at)
        else:
            at = instant(event.time)
            if at > arrived_at + self.rules.max_ahead_hours * HOUR:
                return
            if at >= self.now + SECOND:
                self._put_tick(at, arrived_at, queues)
        if type(event) is FeedDeclared:
            self._arrivals.setdefault(event.data.feed, 0)
        if event.source in self._arrivals:
            self._arrivals[event.source] = max(at, self.now, self._arrivals[event.source])

    def _put_tick(self, at: int, arrived_at: int, queues: list[list[Arrival]]) -> None:
        self.now = max(self.now, at)
        event = tick_of(at, self._arrivals)
        raw = encode(event)
        for partition in range(len(queues)):
            self._put(partition, CLOCK_SOURCE, raw, event, arrived_at, queues)

    def _put(
        self,
        partition: int,
        key: str,
        raw: bytes,
        event: Event | Rejected,
        arrived_at: int,
        queues: list[list[Arrival]],
    ) -> tuple[int, int]:
        queue = queues[partition]
        place = len(queue)
        queue.append(Arrival(Record(partition, self._ends[partition] + place, key, raw, arrived_at), event))
        return partition, place

    def _partition(self, sku: str) -> int:
        partition = self._partitions.get(sku)
        if partition is None:
            if len(self._partitions) > MAX_PARTITIONS_REMEMBERED:
                self._partitions.clear()
            partition = self._partitions[sku] = partition_of(sku, len(self.tasks))
        return partition

    @staticmethod
    def _receipt(
        places: Iterable[tuple[int, int, str | None]], queues: list[list[Arrival]], outcomes: list[list[Outcome]]
    ) -> Receipt:
        accepted = 0
        refused = []
        for index, (partition, place, name) in enumerate(places):
            outcome = outcomes[partition][place]
            if isinstance(outcome, Rejected):
                refused.append(Refusal(index, name, outcome.reason, outcome.detail))
            else:
                accepted += 1
        return Receipt(accepted, refused)

    # figures ----------------------------------------------------------------------------------------------------------

    @property
    def accepted(self) -> int:
        """How many records the log holds."""
        return sum(self._ends)

    @property
    def applied(self) -> int:
        """How many records of the log the rows hold."""
        return sum(task.marker.next_offset for task in self.tasks)

    def counters(self) -> dict[str, int]:
        """What the tasks have counted, added up; the clock's own events left out."""
        total: dict[str, int] = {}
        for task in self.tasks:
            for name, count in task.marker.counters.items():
                total[name] = total.get(name, 0) + count
        return total


def replay(source: Audited, scratch: Bus, rules: Rules, progress: Callable[[int], None]) -> None:
    """Fold the log of `source` again, from where `scratch` is, into the state and outputs of that."""
    decoder = Decoder(source.partitions)
    for partition in range(source.partitions):
        task = Task(
            scratch.state, partition, source.partitions, rules, read_marker(scratch.marker(partition)), 64 << 20
        )
        while records := source.read_log(partition, task.marker.next_offset, REPLAY_RECORDS):
            scratch.commit([task.step(decoder.arrivals(records), append=False).commit])
            task.committed()
            with suppress(ValueError):
                progress(len(records))
