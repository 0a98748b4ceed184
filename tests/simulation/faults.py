"""A cluster in memory with faults: what becomes of each request is decided by the test.

A request to the broker travels there, takes effect, and its answer travels back. What sent it may be gone by then: a
request that is on its way takes effect all the same, unless its sender has been fenced meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple, TypeVar

from engine.bus.memory.broker import MemoryBroker
from engine.bus.memory.cluster import MemoryCluster, Request
from engine.core.errors import EnvironmentFailure, StocklineError

ANSWER_SECONDS = 30.0

T = TypeVar("T")
Ending = Literal["done", "refused", "unknown", "silent", "lost"]
"""Of a request: an unknown one fails, yet is in effect; silent and lost ones, in effect or not, are not answered."""

IN_EFFECT = frozenset({"done", "unknown", "silent"})
ANSWERED = frozenset({"done", "refused", "unknown"})


class Fate(NamedTuple):
    """What becomes of a request, and how many seconds it travels there and its answer back."""

    ending: Ending = "done"
    there: float = 0.0
    back: float = 0.0
    failure: StocklineError = EnvironmentFailure("the broker does not do it")


class FaultyCluster(MemoryCluster):
    """A worker's access to a broker; `fates` is asked what becomes of each request, by worker and kind of request."""

    def __init__(self, broker: MemoryBroker, name: str, fates: Callable[[str, Request], Fate]) -> None:
        super().__init__(broker, name)
        self._fates = fates
        self._cut_off = False

    async def ask(self, request: Request, effect: Callable[[], T]) -> T:
        """Let `effect` happen at the broker, as the request's fate has it; its result is the answer."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        if not self._cut_off:
            fate = self._fates(self.name, request)
            loop.call_later(fate.there, _arrive, fate, effect, answer)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            raise EnvironmentFailure(f"the broker has not answered within {ANSWER_SECONDS:g} s") from None

    def cut_off(self) -> None:
        """The process has died: nothing that it asks for from now on reaches the broker."""
        self._cut_off = True


def _arrive(fate: Fate, effect: Callable[[], T], answer: asyncio.Future[T]) -> None:
    """A request is at the broker: it takes effect or not, and the answer sets out or not."""
    says: Callable[[], None] = partial(_fail, answer, fate.failure)
    if fate.ending in IN_EFFECT:
        try:
            result = effect()
        except StocklineError as error:
            says = partial(_fail, answer, error)
        else:
            if fate.ending == "done":
                says = partial(_succeed, answer, result)
    if fate.ending in ANSWERED:
        asyncio.get_running_loop().call_later(fate.back, says)


def _succeed(answer: asyncio.Future[T], result: T) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: asyncio.Future[T], error: StocklineError) -> None:
    if not answer.done():
        answer.set_exception(error)
