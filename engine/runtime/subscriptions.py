"""A listener to what is published: a queue that is bounded in bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable

from engine.bus.single import Output, Topic

SUBSCRIPTION_BYTES = 32 << 20
"""With more than this waiting a listener is too slow. Listeners share what waits: many cost little more than one."""


class Lagging(Exception):
    """A listener was too slow and has missed outputs: it must start anew."""


class Subscription:
    """A listener's queue of outputs. Use it in the event loop that made it."""

    def __init__(self, topics: frozenset[Topic], forget: Callable[["Subscription"], None]) -> None:
        self._topics = topics
        self._forget = forget
        self._queue: asyncio.Queue[list[Output]] = asyncio.Queue()
        self.waiting_bytes = 0
        self._lagging = False

    def offer(self, outputs: list[Output]) -> None:
        """Put what was committed into the queue; a full queue ends the subscription."""
        wanted = [output for output in outputs if output.topic in self._topics]
        if not wanted or self._lagging:
            return
        behind = not self._queue.empty()
        self.waiting_bytes += _bytes_of(wanted)
        self._lagging = behind and self.waiting_bytes > SUBSCRIPTION_BYTES
        if self._lagging:
            # What waits is of no use any more, because the listener must start anew.
            while not self._queue.empty():
                self._queue.get_nowait()
            wanted, self.waiting_bytes = [], 0
        self._queue.put_nowait(wanted)

    async def batches(self) -> AsyncIterator[list[Output]]:
        """The outputs of one commit after the other.

        Raises:
            Lagging: the listener was too slow.
        """
        while not (self._lagging and self._queue.empty()):
            outputs = await self._queue.get()
            self.waiting_bytes -= _bytes_of(outputs)
            yield outputs
        raise Lagging("the listener was too slow and has missed outputs")

    async def __aiter__(self) -> AsyncIterator[Output]:
        async for outputs in self.batches():
            for output in outputs:
                yield output

    def close(self) -> None:
        """Listen no more."""
        self._forget(self)


def _bytes_of(outputs: list[Output]) -> int:
    return sum([len(output.value) for output in outputs])
