"""Group commit: one thread owns the engine and commits all submissions that wait at once.

The thread takes all that waits, folds it and commits it once; only then are the subscribers told and the callers
answered. While it waits for the disk, other threads run: the store gives up the interpreter lock for the sync.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from engine.bus.single import Output
from engine.core.errors import BrokenInvariant, Busy, ClockAhead, EnvironmentFailure
from engine.core.values import SECOND
from engine.runtime.clock import TICK_SECONDS, WallClock
from engine.runtime.commits import CommitCounts
from engine.runtime.single.engine import Engine
from engine.runtime.submission import Submission
from engine.runtime.subscriptions import Broadcaster
from engine.telemetry.tracing import TRACING

GROUP_EVENTS = 4_000
"""The most events in one commit, so that a single event does not wait long behind a bulk load."""
WAITING_EVENTS = 100_000
"""With more events than this waiting the engine answers Busy."""

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass
class _Pending:
    """A submission that waits for its commit, and the loop in which its answer is awaited."""

    items: Sequence[bytes]
    answer: "asyncio.Future[Submission]"
    loop: asyncio.AbstractEventLoop

    def succeed(self, submission: Submission) -> None:
        self.loop.call_soon_threadsafe(self._unless_done, self.answer.set_result, submission)

    def fail(self, error: Exception) -> None:
        self.loop.call_soon_threadsafe(self._unless_done, self.answer.set_exception, error)

    def _unless_done(self, resolve: Callable[[T], None], value: T) -> None:
        """The caller may have given up meanwhile."""
        if not self.answer.done():
            resolve(value)


class GroupCommit:
    """The engine's thread, for callers in an event loop.

    Attributes:
        failure: the error that ended the thread; None while it runs.
        behind: whether the last tick has left some of what was due to the next.
        commits: how many commits of submissions there were, and how long they took.
    """

    def __init__(self, engine: Engine, clock: WallClock, broadcaster: Broadcaster) -> None:
        self.failure: BaseException | None = None
        self.behind = False
        self.commits = CommitCounts()
        self._engine = engine
        self._clock = clock
        self._broadcaster = broadcaster
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: queue.SimpleQueue[_Pending | None] = queue.SimpleQueue()
        self._waiting_events = 0
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._stopping = False
        self._next_look = 0
        self._clock_is_ahead = False

    # for callers ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread. Call it in the event loop of the subscribers."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Commit what is waiting, then end the thread. Events submitted after this are rejected as Busy."""
        self._stopping = True
        self._waiting.put(None)
        if self._thread.is_alive():
            self._thread.join()

    async def submit(self, items: Sequence[bytes]) -> Submission:
        """Submit events; returns when all that is accepted is durable and applied.

        Raises:
            Busy: too much is waiting, or the engine is stopping.
            ClockAhead: the machine's clock has jumped ahead; nothing of this was accepted.
            EnvironmentFailure: the engine has failed; nothing of this was accepted.
        """
        if self.failure is not None:
            raise EnvironmentFailure(f"the engine has stopped: {self.failure}") from self.failure
        if self._stopping:
            raise Busy("the engine stops")
        # The events that wait already decide, not those that come: a long body must not be rejected for ever.
        if self._waiting_events > WAITING_EVENTS:
            raise Busy("more events are waiting than the engine takes")
        if not items:
            return Submission(0, [], 0)
        loop = asyncio.get_running_loop()
        pending = _Pending(items, loop.create_future(), loop)
        self._waiting_events += len(items)
        self._waiting.put(pending)
        try:
            return await pending.answer
        finally:
            self._waiting_events -= len(items)

    # the thread -------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        group: list[_Pending] = []
        try:
            while not self._stopping or not self._waiting.empty():
                group = self._take()
                self._commit(group)
        except Exception as error:
            # Whatever it is: the callers that wait must hear of it, or they would wait for ever.
            known = isinstance(error, EnvironmentFailure | BrokenInvariant)
            log.error("the engine has stopped: %s", error, exc_info=not known)
            self.failure = error if known else BrokenInvariant(f"{type(error).__name__}: {error}")
            self._fail_waiting(group)

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
        return 0.0 if self.behind else max(0.0, (self._next_look - self._clock.steady()) / SECOND)

    def _commit(self, group: list[_Pending]) -> None:
        started = time.monotonic()
        try:
            now = self._clock.read()
        except ClockAhead as error:
            self._stand_still(group, error)
            return
        self._clock_is_ahead = False
        outputs = self._tick(now)
        answers: Sequence[tuple[Submission, list[Output]]] = []
        if group:
            with TRACING.span("commit", **{"stockline.submissions": len(group)}):
                answers = self._engine.submit_all([pending.items for pending in group], now)
            self.behind = self._engine.behind
            for _, published in answers:
                outputs += published
            self.commits.succeeded(time.monotonic() - started)
        # Before the answers: a stream that a caller opens once it has its answer begins behind what that answer is of.
        if outputs and self._loop is not None:
            self._loop.call_soon_threadsafe(self._broadcaster.publish, outputs, self._engine.point())
        for pending, (submission, _) in zip(group, answers, strict=True):
            pending.succeed(submission)

    def _tick(self, now: int) -> list[Output]:
        """Tick where something is due, before the events that have come after it.

        What a tick has left to the next is due at once. Else the engine looks every few seconds by the steady clock,
        which goes on where the wall clock was set back; a log clock ticks with events.
        """
        steady, wall = self._clock.steady(), self._engine.rules.clock == "wall"
        if steady >= self._next_look:
            self._next_look = steady + TICK_SECONDS * SECOND
        elif not self.behind:
            return []
        outputs = self._engine.tick_due(now) if wall else self._engine.tick_again()
        self.behind = self._engine.behind
        return outputs

    def _stand_still(self, group: Sequence[_Pending], error: ClockAhead) -> None:
        """Take nothing and let no time pass."""
        self.behind = False
        self._next_look = self._clock.steady() + TICK_SECONDS * SECOND
        if not self._clock_is_ahead:
            log.error("%s", error)
        self._clock_is_ahead = True
        for pending in group:
            pending.fail(error)

    def _fail_waiting(self, group: list[_Pending]) -> None:
        while True:
            for pending in group:
                pending.fail(EnvironmentFailure(f"the engine has stopped: {self.failure}"))
            try:
                waiting = self._waiting.get_nowait()
            except queue.Empty:
                return
            group = [waiting] if waiting is not None else []
