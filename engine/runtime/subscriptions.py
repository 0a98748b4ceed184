"""Subscriptions to published outputs: what waits for each is bounded in bytes, and each can go on where one ended."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Protocol

from engine.bus.point import Point
from engine.bus.single import Output
from engine.core.errors import Busy, StocklineError
from engine.core.topics import Topic
from engine.runtime.waiting import Batch, InOrder, LatestOnly, Waiting, size_of

SUBSCRIPTION_BYTES = 32 << 20
"""With more than this waiting a subscriber is too slow. Queues share the outputs: many cost little more than one."""
RECENT_BYTES = 16 << 20
RECENT_COMMITS = 4_000
"""So much of what was published last is kept in memory: a reader that comes back at once goes on from there."""
BEHIND_SECONDS = 20.0
"""So long a reader waits that has come further, at another process, than this one."""
POLL_SECONDS = 0.05


class Lagging(StocklineError):
    """A subscriber was too slow and has missed outputs: it goes on from its last point, or starts anew."""

    def __init__(self, message: str, missed: int = 0) -> None:
        super().__init__(message)
        self.missed = missed


class Earlier(Protocol):
    """What was published before, as far as it is kept."""

    async def check(self, since: Point, topics: frozenset[Topic]) -> None:
        """Raise StreamGone where something of what follows `since` is not kept any more."""

    def between(self, since: Point, until: Point, topics: frozenset[Topic]) -> AsyncGenerator[list[Output], None]:
        """What follows `since` and lies before `until`, of each thing in its order; of positions the latest counts.

        What has changed again from `until` on may be missing. Raises StreamGone where something is lost meanwhile.
        """


class Subscription:
    """A subscriber's outputs. Use it in the event loop that made it."""

    def __init__(
        self,
        topics: frozenset[Topic],
        forget: Callable[["Subscription"], None],
        before: AsyncGenerator[Batch, None] | None = None,
        conflate: bool = False,
    ) -> None:
        """Wait for outputs of `topics`.

        Args:
            topics: the topics.
            forget: called when the subscription is closed.
            before: comes first.
            conflate: keep only the latest of each thing for a reader that is behind.
        """
        self._topics = topics
        self._forget = forget
        self._before = before
        self._waiting: Waiting = LatestOnly() if conflate else InOrder()
        self._came = asyncio.Event()
        self._lagging = False
        self._missed = 0

    @property
    def waiting_bytes(self) -> int:
        """The bytes of the outputs that wait."""
        return self._waiting.size

    def offer(self, batch: Batch) -> None:
        """Let a commit's outputs wait; where too much waits the subscription ends."""
        wanted = batch.of(self._topics)
        if not wanted.outputs:
            return
        if self._lagging:
            self._missed += len(wanted.outputs)
            return
        behind = self._waiting.size > 0
        self._waiting.put(wanted)
        self._lagging = behind and self._waiting.size > SUBSCRIPTION_BYTES
        if self._lagging:
            # What waits is of no use any more, because the subscriber has missed what follows it.
            self._missed, self._waiting = self._waiting.outputs, InOrder()
        self._came.set()

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """What came before, where that was asked for, then the outputs of one commit after the other.

        Raises:
            Lagging: the subscriber was too slow.
            StreamGone: what it still lacked is not kept any more.
        """
        if self._before is not None:
            async with aclosing(self._before) as before:
                async for batch in before:
                    yield batch
        while not self._lagging:
            while (taken := self._waiting.take()) is not None:
                yield taken
            if not self._lagging:
                self._came.clear()
                await self._came.wait()
        raise Lagging("the listener was too slow and has missed outputs", self._missed)

    def close(self) -> None:
        """End the subscription; it receives nothing more."""
        self._forget(self)


class Broadcaster:
    """The subscriptions of a service; each receives what is published on the topics that it asked for.

    Attributes:
        subscriptions: those that are open.
        point: how far a reader has come that has received everything.
    """

    def __init__(self, point: Point, earlier: Earlier) -> None:
        self.subscriptions: set[Subscription] = set()
        self.point = point
        self._earlier = earlier
        self._recent: deque[tuple[Point, Batch]] = deque()
        """What was published last: the point before it, and the batch."""
        self._recent_bytes = 0

    async def subscribe(
        self, topics: frozenset[Topic], since: str | None = None, conflate: bool = False
    ) -> Subscription:
        """Receive what is published on these topics, from now on or from a point on.

        Args:
            topics: the topics.
            since: the text of a point that a former subscription had reached; None for now.
            conflate: keep only the latest of each thing for a reader that is behind.

        Raises:
            StreamGone: what follows the point is not kept any more, or it is of another log.
            Busy: this process has not come as far as the reader.
        """
        if since is None:
            return self._joined(topics, _once(Batch((), self.point)), conflate)
        point = self.point.read(since)
        if self._after(point) is None:
            await self._earlier.check(point, topics)
            await self._reach(point, topics)
        # From here to the end nothing is published in between.
        return self._joined(topics, self._missed(point, topics), conflate)

    def publish(self, outputs: list[Output], point: Point) -> None:
        """Offer the outputs of a commit to every subscription; `point` is reached with them."""
        batch = Batch(outputs, point)
        self._remember(batch)
        for subscription in list(self.subscriptions):
            subscription.offer(batch)

    def _joined(self, topics: frozenset[Topic], before: AsyncGenerator[Batch, None], conflate: bool) -> Subscription:
        subscription = Subscription(topics, self.subscriptions.discard, before, conflate)
        self.subscriptions.add(subscription)
        return subscription

    def _remember(self, batch: Batch) -> None:
        self._recent.append((self.point, batch))
        self.point = batch.point or self.point
        self._recent_bytes += size_of(batch.outputs)
        while self._recent_bytes > RECENT_BYTES or len(self._recent) > RECENT_COMMITS:
            self._recent_bytes -= size_of(self._recent.popleft()[1].outputs)

    def _after(self, point: Point) -> list[Batch] | None:
        """The batches that follow `point`, where they are still in memory."""
        if point == self.point:
            return []
        at = next((index for index, (before, _) in enumerate(self._recent) if before == point), None)
        return None if at is None else [batch for _, batch in list(self._recent)[at:]]

    async def _reach(self, point: Point, topics: frozenset[Topic]) -> None:
        """Wait until this process has come as far as a reader that was at another process before."""
        try:
            async with asyncio.timeout(BEHIND_SECONDS):
                while not self.point.covers(point, topics):  # noqa: ASYNC110 - a copy catches up in pieces
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise Busy("this process has not come as far as the reader") from None

    def _missed(self, since: Point, topics: frozenset[Topic]) -> AsyncGenerator[Batch, None]:
        """What a reader that had come to `since` has missed up to now; an empty batch says that this was all."""
        recent, until = self._after(since), self.point
        if recent is not None:
            return _each([batch.of(topics) for batch in recent], until)
        return _told(self._earlier.between(since, until, topics), until)


async def _once(batch: Batch) -> AsyncGenerator[Batch, None]:
    yield batch


async def _each(batches: list[Batch], until: Point) -> AsyncGenerator[Batch, None]:
    for batch in batches:
        yield batch
    yield Batch((), until)


async def _told(pieces: AsyncGenerator[list[Output], None], until: Point) -> AsyncGenerator[Batch, None]:
    """Pieces as batches; only with the last of them the reader has reached a point."""
    async with aclosing(pieces):
        async for outputs in pieces:
            yield Batch(outputs, None)
    yield Batch((), until)
