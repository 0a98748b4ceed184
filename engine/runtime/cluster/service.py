"""The engine on a cluster as a service: events go to the log, answers come from a read model of what was published."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from engine.aio import end
from engine.bus.cluster import Appended
from engine.bus.single import Named, Record
from engine.core.errors import Busy, EnvironmentFailure, UsageError
from engine.core.events import Broadcast, decode, key_of
from engine.core.identify import identify
from engine.core.outcomes import Rejection
from engine.core.payloads import ClockAcceptedData, PolicySetData
from engine.core.rules import Rules
from engine.core.topics import Topic
from engine.core.values import partition_of
from engine.runtime.balances import PastBalances, balances_as_of
from engine.runtime.detail import row_detail
from engine.runtime.kpis import kpis
from engine.runtime.marker import read_marker
from engine.runtime.proposal import policy_effect
from engine.runtime.submission import Progress, RejectedEvent, Submission
from engine.runtime.subscriptions import Broadcaster, Subscription
from engine.runtime.supplied import SupplierReader
from engine.runtime.trial import trial

POLL_SECONDS = 0.05
REFRESH_SECONDS = 1.0
DECIDE_SECONDS = 20.0
LONGEST_LOGGED_BYTES = 15 << 20
"""A broker takes batches of 16 MiB for `stockline.events`; a longer rejected record is answered but not logged."""
MAX_LAG = 1_000_000
"""With more events than this waiting to be folded, the service answers Busy."""


class EventLog(Protocol):
    """The log as this service writes it."""

    async def append(self, records: Sequence[Record], everywhere: frozenset[int]) -> Sequence[Appended]:
        """Append records durably; `everywhere` are the indexes of those that go to every partition."""


class LogProgress(Protocol):
    """How far the log is, and how far the workers have folded it; partition -> next offset."""

    async def ends(self) -> dict[int, int]:
        """The end of every partition."""

    async def folded(self) -> dict[int, int]:
        """How far each partition is folded."""


class Following(NamedTuple):
    """What the workers publish, as this process follows it.

    Attributes:
        caught_up: returns once the read model has all that the workers had published at the call.
        broadcaster: has the subscriptions to what the read model receives.
        unread: by topic how many records of each partition the read model has not received yet.
    """

    caught_up: Callable[[], Awaitable[None]]
    broadcaster: Broadcaster
    unread: Callable[[], Mapping[str, Sequence[int]]]


class _Sorted(NamedTuple):
    """A submission, sorted into what is rejected at once and the records that go to the log."""

    rejected: list[RejectedEvent]
    records: list[Record]
    everywhere: frozenset[int]


class ReaderService:
    """The engine for callers in an event loop, over a cluster."""

    def __init__(
        self,
        bus: Named,
        log: EventLog,
        log_progress: LogProgress,
        following: Following,
        rules: Rules,
    ) -> None:
        """Make a service; `start` begins to refresh its progress.

        Args:
            bus: the read model.
            log: takes events.
            log_progress: read every second, and by `wait`.
            following: what the read model follows.
            rules: the rules of the fold.
        """
        self.bus = bus
        self._rules = rules
        self._log = log
        self._log_progress = log_progress
        self._following = following
        self._progress = Progress(0, 0)
        self._offsets: list[Progress] = []
        self._refreshing: asyncio.Task[None] | None = None
        self._follower_failure: Callable[[], BaseException | None] = lambda: None
        self._unreadable: UsageError | None = None

    def start(self, failure: Callable[[], BaseException | None]) -> None:
        """Begin to refresh the progress; `failure` answers the error that ended the read model, if one did."""
        self._follower_failure = failure
        self._refreshing = asyncio.create_task(self._refresh())

    async def stop(self) -> None:
        """End the refreshing."""
        if self._refreshing is not None:
            await end(self._refreshing)

    def failure(self) -> BaseException | None:
        """The error that ended the read model, or why it cannot be read; None while it is followed."""
        return self._follower_failure() or self._unreadable

    # events -----------------------------------------------------------------------------------------------------------

    async def submit(self, items: Sequence[bytes]) -> Submission:
        """Append events; returns when they are durable. An event that only the fold can reject is a dead letter later.

        Raises:
            Busy: too much waits to be folded.
            EnvironmentFailure: the cluster cannot be reached; events that were taken are duplicates if sent again.
        """
        return (await self._submit(items))[0]

    async def decide(self, item: bytes) -> Submission:
        """Submit one event and wait until it is folded, at most 20 seconds; the answer says if it was rejected."""
        submission, appended = await self._submit([item])
        if submission.refused:
            return submission
        await self.wait(DECIDE_SECONDS)
        name = f"{appended[0].partition}-{appended[0].offset}"
        value = await asyncio.to_thread(self.bus.published.latest, "dead-letters", name)
        if value is None:
            return submission
        letter = json.loads(value)["data"]
        return Submission(0, [RejectedEvent(0, letter.get("event_id"), letter["reason"], letter["detail"])])

    async def _submit(self, items: Sequence[bytes]) -> tuple[Submission, Sequence[Appended]]:
        if self._progress.lag > MAX_LAG:
            raise Busy("more events are waiting than the workers fold")
        rejected, records, everywhere = self._sort(items)
        appended = await self._log.append(records, everywhere) if records else []
        return Submission(len(items) - len(rejected), rejected), appended

    def _sort(self, items: Sequence[bytes]) -> _Sorted:
        partitions = self.bus.partitions
        rejected: list[RejectedEvent] = []
        records: list[Record] = []
        everywhere: set[int] = set()
        for index, raw in enumerate(items):
            event = decode(raw)
            if isinstance(event, Rejection):
                rejected.append(RejectedEvent(index, identify(raw).id, event.reason, event.detail))
                # A rejected record is logged too, unless the log would not take it: there it becomes a dead letter.
                if len(raw) <= LONGEST_LOGGED_BYTES:
                    records.append(Record(0, 0, "", raw, 0))
            elif isinstance(event, Broadcast):
                everywhere.update(range(len(records), len(records) + partitions))
                records += [Record(partition, 0, event.source, raw, 0) for partition in range(partitions)]
            else:
                key = key_of(event)
                records.append(Record(partition_of(key, partitions), 0, key, raw, 0))
        return _Sorted(rejected, records, frozenset(everywhere))

    # what was published -----------------------------------------------------------------------------------------------

    async def subscribe(
        self, topics: frozenset[Topic], since: str | None = None, conflate: bool = False
    ) -> Subscription:
        """Receive what is published from now on, or from the point `since` on; raises StreamGone, Busy."""
        return await self._following.broadcaster.subscribe(topics, since, conflate)

    def row_detail(self, sku: str, location: str, days: int) -> dict[str, object] | None:
        """All about one row, JSON-ready, with a projection of `days` days; None if there is no such row."""
        return row_detail(self.bus, self._rules, self.now(), (sku, location), days)

    def balances_as_of(self, sku: str, location: str, at: int) -> PastBalances | None:
        """What a row held as of an instant; None where nothing had stated it by then. Raises HistoryGone, Busy."""
        return balances_as_of(self.bus, self._rules, (sku, location), at)

    def policy_effect(self, policy: PolicySetData) -> dict[str, object] | None:
        """What a policy would make of its row, JSON-ready; None if there is no such row."""
        return policy_effect(self.bus, self._rules, self.now(), policy)

    def try_out(self, items: Sequence[bytes]) -> Submission:
        """What submitting these events now would answer; nothing is written."""
        return trial(self.bus, self._rules, self.now(), items)

    def supplied(self) -> SupplierReader:
        """Reads what suppliers may know; it is for one call."""
        return SupplierReader(self.bus, self._rules, self.now())

    def kpis(self, days: int | None = None) -> dict[str, object]:
        """Business figures, JSON-ready, of the last `days` days or of the whole log."""
        return kpis(self.bus, self.counters(), self.now(), days)

    def counters(self) -> dict[str, int]:
        """The counters of all partitions, added up, as far as the read model has followed them."""
        total: Counter[str] = Counter()
        for partition in range(self.bus.partitions):
            total.update(read_marker(self.bus.marker(partition)).counters)
        return dict(total)

    # progress and time ------------------------------------------------------------------------------------------------

    def progress(self) -> Progress:
        """How far the log and the fold were at the last refresh."""
        return self._progress

    def offsets(self) -> list[Progress]:
        """How far each partition's log and fold were at the last refresh; empty before the first."""
        return self._offsets

    def unread(self) -> Mapping[str, Sequence[int]]:
        """By topic how many records of each partition the read model has not received yet."""
        return self._following.unread()

    async def wait(self, seconds: float) -> Progress:
        """Wait, at most `seconds`, until all that the log held at the call is folded and in the read model."""
        try:
            async with asyncio.timeout(seconds):
                ends = await self._log_progress.ends()
                while not _reached(await self._log_progress.folded(), ends):  # noqa: ASYNC110 - Kafka has no event
                    await asyncio.sleep(POLL_SECONDS)
                await self._following.caught_up()
        except TimeoutError:
            await self._refresh_progress()
            return self._progress
        done = sum(ends.values())
        self._progress = Progress(max(done, self._progress.accepted), max(done, self._progress.applied))
        return Progress(done, done)

    async def _refresh(self) -> None:
        while True:
            try:
                await self._refresh_progress()
                await asyncio.to_thread(self.counters)
            except EnvironmentFailure:
                pass  # The follower of the read model logs it.
            except UsageError as error:
                # The rows are of another version of Stockline.
                self._unreadable = error
            await asyncio.sleep(REFRESH_SECONDS)

    async def _refresh_progress(self) -> None:
        folded, ends = await self._log_progress.folded(), await self._log_progress.ends()
        accepted = sum(ends.values())
        self._offsets = [Progress(end, folded.get(partition, 0)) for partition, end in sorted(ends.items())]
        self._progress = Progress(accepted, min(accepted, sum(folded.values())))

    def now(self) -> int:
        """Wall time in microseconds."""
        return time.time_ns() // 1000

    def trouble(self) -> str | None:
        """None: the brokers stamp arrivals, and the workers watch those stamps."""
        return None

    async def accept_clock(self, by: str) -> ClockAcceptedData | None:  # noqa: ARG002 - part of the port of a service
        """None: this process stamps nothing, so it has no clock to accept."""
        return None


def _reached(folded: Mapping[int, int], ends: Mapping[int, int]) -> bool:
    return all(folded.get(partition, 0) >= end for partition, end in ends.items())
