"""The engine on one machine: order the events that arrive, fold them, commit them, answer.

`submit` is the one path of an event. Its steps, and the reason for their order:

1. decode     the sku decides the partition; what cannot be decoded is logged too, so that a replay rejects it again
2. sequence   a log clock ticks before the event that moves it, so that what was due is done first, and once more behind
              it where it is from a feed that was stale, which is fresh again from then on
3. step       every fold folds its records on its own rows
4. commit     log, rows, outputs and markers of all folds in one atomic, durable write
5. answer     only now may a caller be told that an event was accepted
"""

from collections.abc import Sequence

from engine.bus.point import Point
from engine.bus.single import Bus, Output
from engine.core.events import Broadcast, Event, FeedDeclared, decode, encode, identity, key_of
from engine.core.identify import identify
from engine.core.outcomes import Rejection
from engine.core.rules import Rules
from engine.core.topics import HISTORIES
from engine.core.values import HOUR, SECOND, instant, partition_of
from engine.runtime.arrivals import Decoder
from engine.runtime.clock import CLOCK_SOURCE, News, ticks_of
from engine.runtime.fold import Fold, Outcome
from engine.runtime.marker import resume
from engine.runtime.replay import REPLAY_RECORDS
from engine.runtime.single.batch import Batch, Committed, Spot
from engine.runtime.submission import Progress, Submission
from tables.directory import Feed

MAX_PARTITIONS_REMEMBERED = 200_000


class Engine:
    """The folds of all partitions of a bus. Not thread-safe: one thread owns it.

    Attributes:
        folds: the fold of each partition.
        now: the engine's clock, in microseconds.
    """

    def __init__(self, bus: Bus, rules: Rules | None = None, memory_bytes: int = 256 << 20) -> None:
        self.bus = bus
        self.rules = rules or Rules()
        self._partitions: dict[str, int] = {}
        self.folds = [self._fold(partition, memory_bytes // bus.partitions) for partition in range(bus.partitions)]
        self._ends = [bus.end_offset(fold.partition) for fold in self.folds]
        self._catch_up()
        self.now = max(fold.marker.now for fold in self.folds)
        self._feeds = {name: feed for fold in self.folds for name, feed in fold.feeds.declared.items()}
        self._news = self._news_of_feeds()

    def _fold(self, partition: int, memory_bytes: int) -> Fold:
        marker = resume(self.bus.marker(partition), self.rules)
        return Fold(self.bus.state, partition, self.bus.partitions, marker, memory_bytes)

    def _catch_up(self) -> None:
        """Fold the records that are in the log but not yet in the rows."""
        decoder = Decoder(self.bus.partitions)
        for fold in self.folds:
            while records := self.bus.read_log(fold.partition, fold.marker.next_offset, REPLAY_RECORDS):
                self.bus.commit([fold.step(decoder.arrivals(records), append=False).commit])
                fold.committed()

    def _news_of_feeds(self) -> News:
        """The last arrivals from feeds that some partitions know of and others do not yet."""
        news = News()
        for name in sorted(self._feeds):
            known = [fold.feeds.pulses[name].last for fold in self.folds if name in fold.feeds.pulses]
            news.told([(name, min(known))])
            news.note(name, max(known))
        return news

    # events -----------------------------------------------------------------------------------------------------------

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
            self.finish_ticks()
        return submission

    def submit_all(
        self, submissions: Sequence[Sequence[bytes]], arrived_at: int
    ) -> list[tuple[Submission, list[Output]]]:
        """Take several submissions in one commit. The outputs of all are with the first."""
        batch = Batch(self._ends, arrived_at)
        spots = [[self._sequence(raw, batch) for raw in items] for items in submissions]
        committed = self._commit(batch)
        answers = [committed.submission(of_one) for of_one in spots]  # 5. answer
        return [(submission, [] if index else committed.outputs) for index, submission in enumerate(answers)]

    def _commit(self, batch: Batch) -> Committed:
        busy = [fold for fold in self.folds if batch.queues[fold.partition]]
        steps = [fold.step(batch.queues[fold.partition], append=True) for fold in busy]  # 3. step
        self.bus.commit([step.commit for step in steps])  # 4. commit
        outcomes: list[list[Outcome]] = [[] for _ in self.folds]
        outputs: list[Output] = []
        for fold, step in zip(busy, steps, strict=True):
            self._ends[fold.partition] += len(batch.queues[fold.partition])
            outcomes[fold.partition] = step.outcomes
            outputs += step.commit.outputs
            fold.committed()
        return Committed(outcomes, outputs)

    # time -------------------------------------------------------------------------------------------------------------

    def tick(self, at: int) -> list[Output]:
        """Let time pass: `clock.ticked` at the instant `at` in every partition, until nothing more is due."""
        return self._tick(at, self._news.all(), range(len(self.folds))) + self.finish_ticks()

    def tick_due(self, now: int) -> list[Output]:
        """Tick at the instant `now` where that changes something; what is due beyond a portion is left to the next."""
        news = self._news.ripe(now, self.folds[0].feeds.declared)
        due = [fold.partition for fold in self.folds if news or fold.due(now)]
        return self._tick(now, news, due) if due else []

    def finish_ticks(self) -> list[Output]:
        """Tick again at the same instant until nothing of what was due is left."""
        outputs: list[Output] = []
        while self.behind:
            outputs += self.tick_again()
        return outputs

    def tick_again(self) -> list[Output]:
        """Tick once more at the same instant where the last tick has left some of what was due."""
        left = [fold.partition for fold in self.folds if fold.behind]
        return self._tick(self.now, {}, left) if left else []

    @property
    def behind(self) -> bool:
        """Whether the last tick has left some of what was due to the next."""
        return any(fold.behind for fold in self.folds)

    def _tick(self, at: int, news: dict[str, int], partitions: Sequence[int]) -> list[Output]:
        batch = Batch(self._ends, at)
        self._append_ticks(batch, at, news, partitions)
        return self._commit(batch).outputs

    def _append_ticks(self, batch: Batch, at: int, news: dict[str, int], partitions: Sequence[int]) -> None:
        self.now = max(self.now, at)
        for event in ticks_of(at, news):
            raw = encode(event)
            for partition in partitions:
                batch.append(partition, CLOCK_SOURCE, raw, event)
        self._news.told(news.items())

    # sequencing -------------------------------------------------------------------------------------------------------

    def _sequence(self, raw: bytes, batch: Batch) -> Spot:
        """Put one item at the end of its partition's queue, behind the ticks that it causes."""
        event = decode(raw)  # 1. decode
        if isinstance(event, Rejection):
            return Spot(0, batch.append(0, "", raw, event), identify(raw).id)
        before = self.now
        if event.source != CLOCK_SOURCE:
            self._advance_clock(event, batch)  # 2. sequence
        spot = self._append(event, raw, batch)
        if self.rules.clock == "log" and self.now > before and self._is_back(event.source):
            # The next event would tell of it, and a replay may have none. One that moves no clock may be a duplicate.
            self._append_ticks(batch, self.now, self._news.all(), range(len(self.folds)))
        return spot

    def _append(self, event: Event, raw: bytes, batch: Batch) -> Spot:
        if isinstance(event, Broadcast):
            indexes = [batch.append(fold.partition, event.source, raw, event) for fold in self.folds]
            return Spot(0, indexes[0], event.id)
        key = key_of(event)
        partition = self._partition_of(key)
        return Spot(partition, batch.append(partition, key, raw, event), event.id)

    def _advance_clock(self, event: Event, batch: Batch) -> None:
        """Let the engine's clock follow an event: a log clock ticks, and the event's feed is alive."""
        at = batch.arrived_at
        if self.rules.clock == "wall":
            self.now = max(self.now, at)
        else:
            at = instant(event.time)
            if at > batch.arrived_at + self.rules.max_ahead_hours * HOUR:
                return
            if at >= self.now + SECOND:
                self._append_ticks(batch, at, self._news.all(), range(len(self.folds)))
        if type(event) is FeedDeclared:
            self._declare(event)
        if event.source in self._feeds:
            self._news.note(event.source, max(at, self.now))

    def _declare(self, event: FeedDeclared) -> None:
        """Know a feed before its batch is folded: the latest declaration counts, as in its row."""
        feed = Feed(event.data.interval_seconds, event.data.locations, (0, instant(event.time), identity(event)))
        known = self._feeds.get(event.data.feed)
        if known is None:
            self._news.told([(event.data.feed, self.now)])
        if known is None or feed.rank > known.rank:
            self._feeds[event.data.feed] = feed

    def _is_back(self, source: str) -> bool:
        """Whether an event has just come from a feed that the last tick has judged to be stale."""
        feed = self._feeds.get(source)
        return feed is not None and self.now - self._news.last_told(source) > feed.interval * SECOND

    def _partition_of(self, key: str) -> int:
        partition = self._partitions.get(key)
        if partition is None:
            if len(self._partitions) > MAX_PARTITIONS_REMEMBERED:
                self._partitions.clear()
            partition = self._partitions[key] = partition_of(key, len(self.folds))
        return partition

    # figures ----------------------------------------------------------------------------------------------------------

    @property
    def accepted(self) -> int:
        """How many records the log holds."""
        return sum(self._ends)

    @property
    def applied(self) -> int:
        """How many records of the log the rows hold."""
        return sum(fold.marker.next_offset for fold in self.folds)

    def offsets(self) -> list[Progress]:
        """How far the log and the rows of each partition are."""
        return [Progress(end, fold.marker.next_offset) for end, fold in zip(self._ends, self.folds, strict=True)]

    def point(self) -> Point:
        """How far a reader has come that has all outputs up to the last commit."""
        published = self.bus.published
        reached = {
            topic: tuple(published.sequence(topic, fold.partition) for fold in self.folds) for topic in HISTORIES
        }
        return Point(self.bus.log_id, {"positions": tuple(self._ends), **reached})

    def counters(self) -> dict[str, int]:
        """The counters of all folds, added up."""
        total: dict[str, int] = {}
        for fold in self.folds:
            for name, count in fold.marker.counters.items():
                total[name] = total.get(name, 0) + count
        return total
