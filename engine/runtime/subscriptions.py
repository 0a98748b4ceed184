"""Subscriptions to published outputs: each has a queue that is bounded in bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable

from engine.bus.single import Output
from engine.core.errors import StocklineError
from engine.core.topics import Topic

SUBSCRIPTION_BYTES = 32 << 20
"""With more than this waiting a subscriber is too slow. Queues share the outputs: many cost little more than one."""


class Lagging(StocklineError):
    """A subscriber was too slow and has missed outputs: it must start anew."""


class Subscription:
    """A subscriber's queue of outputs. Use it in the event loop that made it."""

    def __init__(self, topics: frozenset[Topic], forget: Callable[["Subscription"], None]) -> None:
        self._topics = topics
        self._forget = forget
        self._queue: asyncio.Queue[list[Output]] = asyncio.Queue()
        self.waiting_bytes = 0
        self._lagging = False

    def offer(self, outputs: list[Output]) -> None:
        """Put the outputs of a commit into the queue; a full queue ends the subscription."""
        wanted = [output for output in outputs if output.topic in self._topics]
        if not wanted or self._lagging:
            return
        behind = not self._queue.empty()
        self.waiting_bytes += _bytes_of(wanted)
        self._lagging = behind and self.waiting_bytes > SUBSCRIPTION_BYTES
        if self._lagging:
            # What waits is of no use any more, because the subscriber must start anew.
            while not self._queue.empty():
                self._queue.get_nowait()
            wanted, self.waiting_bytes = [], 0
        self._queue.put_nowait(wanted)

    async def batches(self) -> AsyncIterator[list[Output]]:
        """The outputs of one commit after the other.

        Raises:
            Lagging: the subscriber was too slow.
        """
        while not (self._lagging and self._queue.empty()):
            outputs = await self._queue.get()
            self.waiting_bytes -= _bytes_of(outputs)
            yield outputs
        raise Lagging("the listener was too slow and has missed outputs")

    def close(self) -> None:
        """End the subscription; it receives nothing more."""
        self._forget(self)


class Broadcaster:
    """The subscriptions of a service; each receives what is published on the topics that it asked for."""

    def __init__(self) -> None:
        self.subscriptions: set[Subscription] = set()

    def subscribe(self, topics: frozenset[Topic]) -> Subscription:
        """Receive what is published on these topics from now on."""
        subscription = Subscription(topics, self.subscriptions.discard)
        self.subscriptions.add(subscription)
        return subscription

    def publish(self, outputs: list[Output]) -> None:
        """Offer the outputs of a commit to every subscription."""
        for subscription in list(self.subscriptions):
            subscription.offer(outputs)


def _bytes_of(outputs: list[Output]) -> int:
    return sum([len(output.value) for output in outputs])
