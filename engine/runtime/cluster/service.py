"""The engine behind HTTP where others fold: events go to the log, answers come from a view of what was published."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from engine.aio import end
from engine.bus.single import Named, Output, Record, Topic
from engine.core.errors import Busy, EnvironmentFailure, UsageError
from engine.core.events import Broadcast, decode
from engine.core.identify import identify
from engine.core.outcomes import Rejection
from engine.core.payloads import ClockAcceptedData
from engine.core.rules import Rules
from engine.core.values import partition_of
from engine.runtime.detail import row_detail
from engine.runtime.kpis import kpis
from engine.runtime.marker import read_marker
from engine.runtime.single.engine import RejectedEvent, Submission
from engine.runtime.single.service import Progress
from engine.runtime.subscriptions import Subscription

POLL_SECONDS = 0.05
LOOK_SECONDS = 1.0
DECIDE_SECONDS = 20.0
LONGEST_LOGGED_BYTES = 15 << 20
"""A broker takes batches of 16 MiB for `stockline.events`; what is refused and longer is refused and nothing else."""
MAX_LAG = 1_000_000
"""With more events than this waiting to be folded, no more are taken."""


class Place(Protocol):
    """Where an event came to lie in the log."""

    @property
    def partition(self) -> int: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102


class Log(Protocol):
    """The log as a writer sees it."""

    async def append(self, records: Sequence[Record], everywhere: frozenset[int]) -> Sequence[Place]:
        """Append records durably; `everywhere` are the indexes of those that go to every partition."""


class Watch(Protocol):
    """How far the log is, and how far it is folded."""

    async def ends(self) -> dict[int, int]:
        """The end of every partition."""

    async def folded(self) -> dict[int, int]:
        """How far each partition is folded."""


class ReaderService:
    """The engine for callers in an event loop, over a cluster."""

    def __init__(
        self, bus: Named, log: Log, watch: Watch, caught_up: Callable[[], Awaitable[None]], rules: Rules
    ) -> None:
        self.bus = bus
        self._rules = rules
        self._log = log
        self._watch = watch
        self._caught_up = caught_up
        self._subscriptions: set[Subscription] = set()
        self._progress = Progress(0, 0)
        self._looking: asyncio.Task[None] | None = None
        self._failure: Callable[[], BaseException | None] = lambda: None
        self._refused: UsageError | None = None

    def start(self, failure: Callable[[], BaseException | None]) -> None:
        """Begin to look at the progress; `failure` says what ended the view, if something did."""
        self._failure = failure
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """Look no more."""
        if self._looking is not None:
            await end(self._looking)

    # events in --------------------------------------------------------------------------------------------------------

    async def submit(self, items: Sequence[bytes], place: str = "") -> Submission:
        """Append events; returns when they are durable. What only the fold can refuse becomes a dead letter later.

        Raises:
            Busy: too much waits to be folded.
            EnvironmentFailure: the cluster cannot be reached; sent again, what was taken is known as a duplicate.
        """
        return (await self._submit(items))[0]

    async def decide(self, item: bytes, place: str = "") -> Submission:
        """Submit one event and wait for what becomes of it."""
        submission, places = await self._submit([item])
        if submission.refused:
            return submission
        await self.wait(DECIDE_SECONDS)
        name = f"{places[0].partition}-{places[0].offset}"
        value = await asyncio.to_thread(self.bus.published.latest, "dead-letters", name)
        if value is None:
            return submission
        letter = json.loads(value)["data"]
        return Submission(0, [RejectedEvent(0, letter.get("event_id"), letter["reason"], letter["detail"])])

    async def _submit(self, items: Sequence[bytes]) -> tuple[Submission, Sequence[Place]]:
        if self._progress.lag > MAX_LAG:
            raise Busy("more events are waiting than the workers fold")
        refused: list[RejectedEvent] = []
        records: list[Record] = []
        everywhere: set[int] = set()
        for index, raw in enumerate(items):
            event = decode(raw)
            if isinstance(event, Rejection):
                refused.append(RejectedEvent(index, identify(raw).id, event.reason, event.detail))
                # It goes to the log all the same, where that takes it: there it becomes a dead letter.
                if len(raw) <= LONGEST_LOGGED_BYTES:
                    records.append(Record(0, 0, "", raw, 0))
            elif isinstance(event, Broadcast):
                everywhere.update(range(len(records), len(records) + self.bus.partitions))
                records += [Record(partition, 0, event.source, raw, 0) for partition in range(self.bus.partitions)]
            else:
                sku: str = event.data.sku
                records.append(Record(partition_of(sku, self.bus.partitions), 0, sku, raw, 0))
        places = await self._log.append(records, frozenset(everywhere)) if records else []
        return Submission(len(items) - len(refused), refused), places

    # what was published -----------------------------------------------------------------------------------------------

    def subscribe(self, topics: frozenset[Topic]) -> Subscription:
        """Listen to what is published from now on."""
        subscription = Subscription(topics, self._subscriptions.discard)
        self._subscriptions.add(subscription)
        return subscription

    def publish(self, outputs: list[Output]) -> None:
        """Tell the listeners what is new."""
        for subscription in list(self._subscriptions):
            subscription.offer(outputs)

    def row_detail(self, sku: str, location: str, days: int) -> dict[str, object] | None:
        """Everything about one row, JSON-ready; None where there is no such row."""
        return row_detail(self.bus, self._rules, self.now(), (sku, location), days)

    def kpis(self) -> dict[str, object]:
        """Business figures."""
        return kpis(self.counters(), self.bus.published.count("positions"))

    def counters(self) -> dict[str, int]:
        """What the tasks have counted, added up, as far as the view has followed."""
        total: Counter[str] = Counter()
        for partition in range(self.bus.partitions):
            total.update(read_marker(self.bus.marker(partition)).counters)
        return dict(total)

    def now(self) -> int:
        """Wall time."""
        return time.time_ns() // 1000

    # progress ---------------------------------------------------------------------------------------------------------

    def progress(self) -> Progress:
        """How far the log and the fold are, as of the last look."""
        return self._progress

    async def wait(self, seconds: float) -> Progress:
        """Wait, at most `seconds`, until all that the log held at the call is folded and in the view."""
        try:
            async with asyncio.timeout(seconds):
                ends = await self._watch.ends()
                while not _reached(await self._watch.folded(), ends):  # noqa: ASYNC110 - the group tells nobody
                    await asyncio.sleep(POLL_SECONDS)
                await self._caught_up()
        except TimeoutError:
            await self._look_once()
            return self._progress
        done = sum(ends.values())
        self._progress = Progress(max(done, self._progress.accepted), max(done, self._progress.applied))
        return Progress(done, done)

    async def _look(self) -> None:
        while True:
            try:
                await self._look_once()
                await asyncio.to_thread(self.counters)
            except EnvironmentFailure:
                pass  # The follower says so.
            except UsageError as error:
                # The rows are of another version of Stockline.
                self._refused = error
            await asyncio.sleep(LOOK_SECONDS)

    async def _look_once(self) -> None:
        folded, ends = await self._watch.folded(), await self._watch.ends()
        accepted = sum(ends.values())
        self._progress = Progress(accepted, min(accepted, sum(folded.values())))

    def trouble(self) -> str | None:
        """Nothing: the brokers give arrivals their time, and the workers watch it."""
        return None

    async def accept_clock(self, by: str) -> ClockAcceptedData | None:
        """This process gives nothing its time, so it has no clock to accept."""
        return None

    def failure(self) -> Any:
        """What ended the view, or why it cannot be read; None while it is followed."""
        return self._failure() or self._refused


def _reached(folded: Mapping[int, int], ends: Mapping[int, int]) -> bool:
    return all(folded.get(partition, 0) >= end for partition, end in ends.items())
