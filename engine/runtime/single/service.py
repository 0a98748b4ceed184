"""The engine behind a door: one thread owns it, any number of callers submit and listen.

The thread takes all that is waiting, folds it and commits it once (group commit); only then are the callers answered
and the listeners told. While it waits for the disk, others run: the store gives up the interpreter lock for the sync.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from msgspec import Struct

from engine.bus.single import Bus, Output, Topic
from engine.core.errors import BrokenInvariant, Busy, ClockAhead, EnvironmentFailure
from engine.core.events import encode
from engine.core.outcomes import Rejection
from engine.core.payloads import ClockAcceptedData
from engine.core.rules import Rules
from engine.core.values import SECOND
from engine.runtime.clock import TICK_SECONDS, WallClock, accepted_of
from engine.runtime.detail import row_detail
from engine.runtime.kpis import kpis
from engine.runtime.single.engine import Engine, RejectedEvent, Submission
from engine.runtime.subscriptions import Lagging, Subscription

__all__ = ["Busy", "Lagging", "Progress", "RejectedEvent", "Rejection", "Service", "Submission", "Subscription"]

GROUP_EVENTS = 4_000
"""At most so many events in one commit, so that a single event does not wait long behind a bulk load."""
WAITING_EVENTS = 100_000
"""With more events than this waiting the engine is behind, and says so."""
SETTLE_SECONDS = 0.01

log = logging.getLogger(__name__)


class Progress(Struct):
    """How many records the log has taken, and how many of them the rows hold."""

    accepted: int
    applied: int

    @property
    def lag(self) -> int:
        """How many records are waiting."""
        return self.accepted - self.applied


@dataclass
class _Pending:
    items: Sequence[bytes]
    answer: "asyncio.Future[Submission]"
    loop: asyncio.AbstractEventLoop


class Service:
    """The engine for callers in an event loop."""

    def __init__(
        self, bus: Bus, rules: Rules | None = None, memory_bytes: int = 256 << 20, clock: WallClock | None = None
    ) -> None:
        self.bus = bus
        self.clock = clock or WallClock()
        self._engine = Engine(bus, rules, memory_bytes)
        if self._engine.rules.clock == "wall":
            self.clock.never_before(self._engine.now)
        self._waiting: queue.SimpleQueue[_Pending | None] = queue.SimpleQueue()
        self._waiting_events = 0
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self.subscriptions: set[Subscription] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None
        self._stopping = False
        self._next_look = 0
        self._behind = False
        self._standing = False
        self.last_commit_seconds = 0.0

    # for callers ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the engine's thread. Call it in the event loop that will listen."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Commit what is waiting, then end the thread. Events submitted after this are refused as Busy."""
        self._stopping = True
        self._waiting.put(None)
        if self._thread.is_alive():
            self._thread.join()

    async def submit(self, items: Sequence[bytes], place: str = "") -> Submission:
        """Submit events; returns when all that is accepted is durable and applied.

        Raises:
            Busy: too much is waiting, or the engine is stopping.
            ClockAhead: the machine's clock has jumped ahead; nothing of this was accepted.
            EnvironmentFailure: the engine has failed; nothing of this was accepted.
        """
        if self._failure is not None:
            raise EnvironmentFailure(f"the engine has stopped: {self._failure}") from self._failure
        # What waits already decides, not what comes: a long body must not be refused for ever.
        if self._stopping or self._waiting_events > WAITING_EVENTS:
            raise Busy("more events are waiting than the engine takes" if not self._stopping else "the engine stops")
        if not items:
            return Submission(0, [], 0)
        loop = asyncio.get_running_loop()
        submission = _Pending(items, loop.create_future(), loop)
        self._waiting_events += len(items)
        self._waiting.put(submission)
        try:
            return await submission.answer
        finally:
            self._waiting_events -= len(items)

    async def decide(self, item: bytes, place: str = "") -> Submission:
        """Submit one event and say what became of it."""
        return await self.submit([item], place)

    def subscribe(self, topics: frozenset[Topic]) -> Subscription:
        """Listen to what is published from now on."""
        subscription = Subscription(topics, self.unsubscribe)
        self.subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a listener."""
        self.subscriptions.discard(subscription)

    def progress(self) -> Progress:
        """How far log and rows have come."""
        accepted = self._engine.accepted
        return Progress(accepted, min(self._engine.applied, accepted))

    async def wait(self, seconds: float) -> Progress:
        """Wait, at most `seconds`, until all that was accepted before the call is applied.

        One write makes an event durable and applies it; what was due then may take some more writes.
        """
        end = time.monotonic() + seconds
        while self._behind and time.monotonic() < end:  # noqa: ASYNC110 - the thread tells nobody
            await asyncio.sleep(SETTLE_SECONDS)
        return self.progress()

    def now(self) -> int:
        """The engine's clock: wall time, or the latest event time seen."""
        if self._engine.rules.clock == "log":
            return self._engine.now
        with suppress(ClockAhead):
            return self.clock.read()
        return self.clock.told

    def trouble(self) -> str | None:
        """Why nothing is taken at present, None where events are taken."""
        try:
            self.clock.read()
        except ClockAhead as error:
            return str(error)
        return None

    async def accept_clock(self, by: str) -> ClockAcceptedData | None:
        """Take the machine's clock, which has jumped ahead, for right, and say so in the log; None where it agrees."""
        accepted = self.clock.accept(by)
        if accepted is not None:
            await self.submit([encode(accepted_of(self.now(), accepted))])
        return accepted

    def row_detail(self, sku: str, location: str, days: int) -> dict[str, object] | None:
        """Everything about one row, JSON-ready; None where there is no such row."""
        return row_detail(self.bus, self._engine.rules, self.now(), (sku, location), days)

    def counters(self) -> dict[str, int]:
        """What was counted since the log began."""
        return self._engine.counters()

    def kpis(self) -> dict[str, object]:
        """Business figures."""
        return kpis(self.counters(), self.bus.published.count("positions"))

    def failure(self) -> BaseException | None:
        """Why the engine's thread has ended, if it has."""
        return self._failure

    # the engine's thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        group: list[_Pending] = []
        try:
            while not self._stopping or not self._waiting.empty():
                group = self._take()
                self._commit(group)
        except Exception as error:
            known = isinstance(error, EnvironmentFailure | BrokenInvariant)
            log.error("the engine has stopped: %s", error, exc_info=not known)
            self._failure = error if known else BrokenInvariant(f"{type(error).__name__}: {error}")
            self._refuse_waiting(group)

    def _take(self) -> list[_Pending]:
        """All that is waiting, up to the size of a group; nothing where only time has passed."""
        group: list[_Pending] = []
        size = 0
        try:
            first = self._waiting.get(timeout=self._idle_seconds())
            while first is not None:
                group.append(first)
                size += len(first.items)
                first = self._waiting.get_nowait() if size < GROUP_EVENTS else None
        except queue.Empty:
            pass
        return group

    def _idle_seconds(self) -> float:
        return 0.0 if self._behind else max(0.0, (self._next_look - self.clock.steady()) / SECOND)

    def _commit(self, group: list[_Pending]) -> None:
        started = time.monotonic()
        try:
            now = self.clock.read()
        except ClockAhead as error:
            self._stand_still(group, error)
            return
        self._standing = False
        outputs = self._tick(now)
        if group:
            answers = self._engine.submit_all([submission.items for submission in group], now)
            self._behind = self._engine.behind
            for pending, (submission, published) in zip(group, answers, strict=True):
                outputs += published
                pending.loop.call_soon_threadsafe(_answer, pending.answer, submission)
            self.last_commit_seconds = time.monotonic() - started
        if outputs and self.subscriptions and self._loop is not None:
            self._loop.call_soon_threadsafe(self._fan_out, outputs)

    def _tick(self, now: int) -> list[Output]:
        """Tick where something is due, before what has come after it.

        What a tick has left to the next is due at once. Else the engine looks every few seconds by the steady clock,
        which goes on where the wall clock was set back; a log clock ticks with events.
        """
        steady, wall = self.clock.steady(), self._engine.rules.clock == "wall"
        if steady >= self._next_look:
            self._next_look = steady + TICK_SECONDS * SECOND
        elif not self._behind:
            return []
        outputs = self._engine.tick_due(now) if wall else self._engine.tick_left()
        self._behind = self._engine.behind
        return outputs

    def _stand_still(self, group: Sequence[_Pending], error: ClockAhead) -> None:
        """Take nothing and let no time pass."""
        self._behind = False
        self._next_look = self.clock.steady() + TICK_SECONDS * SECOND
        if not self._standing:
            log.error("%s", error)
        self._standing = True
        for submission in group:
            submission.loop.call_soon_threadsafe(_fail, submission.answer, error)

    def _fan_out(self, outputs: list[Output]) -> None:
        for subscription in list(self.subscriptions):
            subscription.offer(outputs)

    def _refuse_waiting(self, group: list[_Pending]) -> None:
        while True:
            for submission in group:
                failure = EnvironmentFailure(f"the engine has stopped: {self._failure}")
                submission.loop.call_soon_threadsafe(_fail, submission.answer, failure)
            try:
                waiting = self._waiting.get_nowait()
            except queue.Empty:
                return
            group = [waiting] if waiting is not None else []


def _answer(future: "asyncio.Future[Submission]", submission: Submission) -> None:
    if not future.done():
        future.set_result(submission)


def _fail(future: "asyncio.Future[Submission]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
