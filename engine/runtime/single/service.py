"""The engine on one machine as a service: any number of callers in an event loop submit, subscribe and read."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

from engine.bus.single import Bus
from engine.core.errors import ClockAhead
from engine.core.events import encode
from engine.core.payloads import ClockAcceptedData, PolicySetData
from engine.core.rules import Rules
from engine.core.topics import Topic
from engine.runtime.balances import PastBalances, balances_as_of
from engine.runtime.clock import WallClock, accepted_of
from engine.runtime.commits import CommitCounts
from engine.runtime.detail import row_detail
from engine.runtime.kpis import kpis
from engine.runtime.proposal import policy_effect
from engine.runtime.single.earlier import EarlierHere
from engine.runtime.single.engine import Engine
from engine.runtime.single.group_commit import GroupCommit
from engine.runtime.submission import Progress, Submission
from engine.runtime.subscriptions import Broadcaster, Subscription
from engine.runtime.supplied import SupplierReader
from engine.runtime.trial import trial

POLL_SECONDS = 0.01


class Service:
    """The engine for callers in an event loop: a group commit for events in, a broadcaster for outputs."""

    def __init__(
        self, bus: Bus, rules: Rules | None = None, memory_bytes: int = 256 << 20, clock: WallClock | None = None
    ) -> None:
        self.bus = bus
        self.clock = clock or WallClock()
        self._engine = Engine(bus, rules, memory_bytes)
        self.broadcaster = Broadcaster(self._engine.point(), EarlierHere(bus.published, self._engine.point))
        if self._engine.rules.clock == "wall":
            self.clock.never_before(self._engine.now)
        self._group_commit = GroupCommit(self._engine, self.clock, self.broadcaster)

    def start(self) -> None:
        """Start the engine's thread. Call it in the event loop of the subscribers."""
        self._group_commit.start()

    def stop(self) -> None:
        """Commit what is waiting, then end the thread. Events submitted after this are rejected as Busy."""
        self._group_commit.stop()

    def failure(self) -> BaseException | None:
        """The error that ended the engine's thread; None while it runs."""
        return self._group_commit.failure

    # events -----------------------------------------------------------------------------------------------------------

    async def submit(self, items: Sequence[bytes]) -> Submission:
        """Submit events; returns when all that is accepted is durable and applied.

        Raises:
            Busy: too much is waiting, or the engine is stopping.
            ClockAhead: the machine's clock has jumped ahead; nothing of this was accepted.
            EnvironmentFailure: the engine has failed; nothing of this was accepted.
        """
        return await self._group_commit.submit(items)

    async def decide(self, item: bytes) -> Submission:
        """Submit one event; the answer says what became of it. Raises the same errors as `submit`."""
        return await self.submit([item])

    async def subscribe(
        self, topics: frozenset[Topic], since: str | None = None, conflate: bool = False
    ) -> Subscription:
        """Receive what is published from now on, or from the point `since` on; raises StreamGone, Busy."""
        return await self.broadcaster.subscribe(topics, since, conflate)

    # progress and time ------------------------------------------------------------------------------------------------

    def progress(self) -> Progress:
        """How far log and rows have come."""
        accepted = self._engine.accepted
        return Progress(accepted, min(self._engine.applied, accepted))

    def offsets(self) -> list[Progress]:
        """How far the log and the rows of each partition are."""
        return self._engine.offsets()

    def unread(self) -> dict[str, list[int]]:
        """No topic: this process publishes all that it reads."""
        return {}

    async def wait(self, seconds: float) -> Progress:
        """Wait, at most `seconds`, until all that was accepted before the call is applied.

        One write makes an event durable and applies it; what was due then may take some more writes.
        """
        end = time.monotonic() + seconds
        while self._group_commit.behind and time.monotonic() < end:  # noqa: ASYNC110 - the thread sets no event
            await asyncio.sleep(POLL_SECONDS)
        return self.progress()

    @property
    def commits(self) -> CommitCounts:
        """How many commits of submissions there were, and how long they took."""
        return self._group_commit.commits

    def now(self) -> int:
        """The engine's clock in microseconds: wall time, or the latest event time seen."""
        if self._engine.rules.clock == "log":
            return self._engine.now
        with suppress(ClockAhead):
            return self.clock.read()
        return self.clock.told

    def trouble(self) -> str | None:
        """Why no events are taken at present; None while they are."""
        try:
            self.clock.read()
        except ClockAhead as error:
            return str(error)
        return None

    async def accept_clock(self, by: str) -> ClockAcceptedData | None:
        """Accept that the machine's clock has jumped and is right, and log that; None if it has not jumped."""
        accepted = self.clock.accept(by)
        if accepted is not None:
            await self.submit([encode(accepted_of(self.now(), accepted))])
        return accepted

    # figures ----------------------------------------------------------------------------------------------------------

    def row_detail(self, sku: str, location: str, days: int) -> dict[str, object] | None:
        """All about one row, JSON-ready, with a projection of `days` days; None if there is no such row."""
        return row_detail(self.bus, self._engine.rules, self.now(), (sku, location), days)

    def balances_as_of(self, sku: str, location: str, at: int) -> PastBalances | None:
        """What a row held as of an instant; None where nothing had stated it by then. Raises HistoryGone, Busy."""
        return balances_as_of(self.bus, self._engine.rules, (sku, location), at)

    def policy_effect(self, policy: PolicySetData) -> dict[str, object] | None:
        """What a policy would make of its row, JSON-ready; None if there is no such row."""
        return policy_effect(self.bus, self._engine.rules, self.now(), policy)

    def counters(self) -> dict[str, int]:
        """The counters of all folds, added up, since the log began."""
        return self._engine.counters()

    def try_out(self, items: Sequence[bytes]) -> Submission:
        """What submitting these events now would answer; nothing is written."""
        return trial(self.bus, self._engine.rules, self.now(), items)

    def supplied(self) -> SupplierReader:
        """Reads what suppliers may know; it is for one call."""
        return SupplierReader(self.bus, self._engine.rules, self.now())

    def kpis(self, days: int | None = None) -> dict[str, object]:
        """Business figures, JSON-ready, of the last `days` days or of the whole log."""
        return kpis(self.bus, self.counters(), self.now(), days)
