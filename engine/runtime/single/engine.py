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

from engine.bus.single import Audited, Bus, Output, Record
from engine.core.events import Broadcast, Event, FeedDeclared, decode, encode
from engine.core.identify import identify
from engine.core.outcomes import Duplicate, Rejection
from engine.core.rules import Rules
from engine.core.values import HOUR, SECOND, instant, partition_of
from engine.runtime.arrivals import Arrival, Decoder
from engine.runtime.clock import CLOCK_SOURCE, News, ticks_of
from engine.runtime.fold import Fold, Outcome
from engine.runtime.marker import read_marker, resume

REPLAY_RECORDS = 2_000
MAX_PARTITIONS_REMEMBERED = 200_000


class RejectedEvent(Struct):
    """Why one item was not taken."""

    index: int
    id: str | None
    reason: str
    detail: str


class Submission(Struct):
    """What became of the items of one submission.

    `duplicates` says how many of the accepted were known before; None where only a later fold can tell.
    """

    accepted: int
    refused: list[RejectedEvent]
    duplicates: int | None = None


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
        self._feeds = {name for task in self.tasks for name in task.feeds.declared}
        self._news = self._news_of_feeds()

    def _task(self, partition: int, memory_bytes: int) -> Fold:
        marker = resume(self.bus.marker(partition), self.rules)
        return Fold(self.bus.state, partition, self.bus.partitions, self.rules, marker, memory_bytes)

    def _catch_up(self) -> None:
        """Fold what is in the log but not yet in the rows."""
        decoder = Decoder(self.bus.partitions)
        for task in self.tasks:
            while records := self.bus.read_log(task.partition, task.marker.next_offset, REPLAY_RECORDS):
                self.bus.commit([task.step(decoder.arrivals(records), append=False).commit])
                task.committed()

    def _news_of_feeds(self) -> News:
        """What some partitions know of feeds, and others do not yet."""
        news = News()
        for name in sorted(self._feeds):
            known = [task.feeds.pulses[name].last for task in self.tasks if name in task.feeds.pulses]
            news.told([(name, min(known))])
            news.heard(name, max(known))
        return news

    def submit(self, items: Sequence[bytes], arrived_at: int) -> Submission:
        """Take some events, each the bytes of one CloudEvent; return once they are durable and applied.

        Args:
            items: the exact bytes of each event.
            arrived_at: the instant of arrival, in microseconds.

        Raises:
            EnvironmentFailure: nothing of it was taken; this engine is of no more use.
        """
        submission = self.submit_all([items], arrived_at)[0][0]
        if self.rules.clock == "log":
            self.settle()
        return submission

    def submit_all(
        self, submissions: Sequence[Sequence[bytes]], arrived_at: int
    ) -> list[tuple[Submission, list[Output]]]:
        """Take several submissions in one commit. The outputs of all are with the first."""
        queues: list[list[Arrival]] = [[] for _ in self.tasks]
        places = [[self._sequence(raw, arrived_at, queues) for raw in items] for items in submissions]
        outcomes, outputs = self._commit(queues)
        receipts = [self._submission(places_of_one, queues, outcomes) for places_of_one in places]
        return [(submission, outputs if not i else []) for i, submission in enumerate(receipts)]

    def tick(self, at: int) -> list[Output]:
        """Let time pass: `clock.ticked` at the instant `at` in every partition, until nothing more is due."""
        return self._write_ticks(at, self._news.all(), range(len(self.tasks))) + self.settle()

    def tick_due(self, now: int) -> list[Output]:
        """Tick at the instant `now` where that changes something; what is due beyond a portion is left to the next."""
        news = self._news.ripe(now, self.tasks[0].feeds.declared)
        due = [task.partition for task in self.tasks if news or task.due(now)]
        return self._write_ticks(now, news, due) if due else []

    def settle(self) -> list[Output]:
        """Tick at the same instant until nothing of what was due is left."""
        outputs: list[Output] = []
        while self.behind:
            outputs += self.tick_left()
        return outputs

    def tick_left(self) -> list[Output]:
        """Tick at the same instant where the last tick has left some of what was due."""
        left = [task.partition for task in self.tasks if task.behind]
        return self._write_ticks(self.now, {}, left) if left else []

    @property
    def behind(self) -> bool:
        """Whether the last tick has left some of what was due to the next."""
        return any(task.behind for task in self.tasks)

    def _write_ticks(self, at: int, news: dict[str, int], partitions: Sequence[int]) -> list[Output]:
        queues: list[list[Arrival]] = [[] for _ in self.tasks]
        self._put_ticks(at, at, news, partitions, queues)
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
        if isinstance(event, Rejection):
            return (*self._put(0, "", raw, event, arrived_at, queues), identify(raw).id)
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
                self._put_ticks(at, arrived_at, self._news.all(), range(len(queues)), queues)
        if type(event) is FeedDeclared and event.data.feed not in self._feeds:
            self._feeds.add(event.data.feed)
            self._news.told([(event.data.feed, self.now)])
        if event.source in self._feeds:
            self._news.heard(event.source, max(at, self.now))

    def _put_ticks(
        self, at: int, arrived_at: int, news: dict[str, int], partitions: Sequence[int], queues: list[list[Arrival]]
    ) -> None:
        self.now = max(self.now, at)
        for event in ticks_of(at, news):
            raw = encode(event)
            for partition in partitions:
                self._put(partition, CLOCK_SOURCE, raw, event, arrived_at, queues)
        self._news.told(news.items())

    def _put(
        self,
        partition: int,
        key: str,
        raw: bytes,
        event: Event | Rejection,
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
    def _submission(
        places: Iterable[tuple[int, int, str | None]], queues: list[list[Arrival]], outcomes: list[list[Outcome]]
    ) -> Submission:
        accepted = duplicates = 0
        refused = []
        for index, (partition, place, name) in enumerate(places):
            outcome = outcomes[partition][place]
            if isinstance(outcome, Rejection):
                refused.append(RejectedEvent(index, name, outcome.reason, outcome.detail))
            else:
                accepted += 1
                duplicates += isinstance(outcome, Duplicate)
        return Submission(accepted, refused, duplicates)

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
        """What the tasks have counted, added up."""
        total: dict[str, int] = {}
        for task in self.tasks:
            for name, count in task.marker.counters.items():
                total[name] = total.get(name, 0) + count
        return total


def replay(source: Audited, scratch: Bus, rules: Rules, progress: Callable[[int], None], append: bool = False) -> None:
    """Fold the log of `source` again, from where `scratch` is, into the state and outputs of that.

    With `append` the records, too, are written to `scratch`, each under the offset and with the arrival that it has.
    """
    decoder = Decoder(source.partitions)
    for partition in range(source.partitions):
        marker = read_marker(scratch.marker(partition))
        task = Fold(scratch.state, partition, source.partitions, rules, marker, 64 << 20)
        while records := source.read_log(partition, task.marker.next_offset, REPLAY_RECORDS):
            scratch.commit([task.step(decoder.arrivals(records), append=append).commit])
            task.committed()
            with suppress(ValueError):
                progress(len(records))
