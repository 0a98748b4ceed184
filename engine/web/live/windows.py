"""Windows of lists as they are now, computed once for all pages that look at the same.

Questions take turns in one worker thread, and after each the next waits for a multiple of the time that it took: so all
pages together cost at most a quarter of a core, however many there are, and the engine goes on. With more windows than
fit into that the frames become fewer.
"""

import asyncio
import math
import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, TypeVar

from aiohttp import web
from msgspec import Raw

from engine.columns.columns import Freshness
from engine.columns.query import Query
from engine.telemetry import Telemetry
from engine.web.ports import Lists

FRESH_SECONDS = 0.2
"""A window that another page has asked for within this time serves as it is."""
ORDER_SECONDS = 1.0
"""An order as old as this serves to tell how many rows of a frozen window have moved."""
SHARE = 0.25
"""So much of a core may questions take."""
KEPT = 256

T = TypeVar("T")


class Window(NamedTuple):
    """What a page looks at.

    Attributes:
        query: the list.
        offset, limit: the part of it.
        names: the rows of a frozen window; None where it is kept in order.
    """

    query: Query
    offset: int
    limit: int
    names: tuple[str, ...] | None


class State(NamedTuple):
    """A window as it is.

    Attributes:
        version: of the table.
        since: when this version was first seen, by the steady clock.
        ordered: when the order of the list was last asked for.
        total, moved, freshness: as in a frame.
        items: a JSON array.
    """

    version: int
    since: float
    ordered: float
    total: int
    moved: int
    items: Raw
    freshness: Freshness


class _Asked(NamedTuple):
    at: float
    answer: "asyncio.Task[State]"


class Windows:
    """The windows that pages look at."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._asked: OrderedDict[Hashable, _Asked] = OrderedDict()
        self._turns = asyncio.Semaphore(1)

    async def state(self, lists: Lists, scope: Hashable, window: Window) -> State:
        """The window as it is; raises what the lists raise.

        Args:
            lists: the lists as the caller may see them.
            scope: the same for callers who see the same.
            window: what is looked at.
        """
        key = (scope, window)
        former = self._asked.get(key)
        if former is None or _is_old(former):
            before = None if former is None else _outcome(former.answer)
            answer = asyncio.create_task(self._turn(lambda: state_of(lists, window, before)))
            # Whoever asked may have left before the answer, and then nobody takes its error.
            answer.add_done_callback(_outcome)
            former = self._asked[key] = _Asked(time.monotonic(), answer)
        self._asked.move_to_end(key)
        while len(self._asked) > KEPT:
            self._asked.popitem(last=False)
        return await asyncio.shield(former.answer)

    async def names(self, lists: Lists, query: Query, offset: int, limit: int) -> tuple[str, ...]:
        """The names of the rows in a window now."""
        return await self._turn(lambda: tuple(lists.page(query, offset, limit, age=ORDER_SECONDS).names))

    async def _turn(self, question: Callable[[], T]) -> T:
        """Ask in a worker thread; the next turn begins a while after the answer, which is not kept back."""
        await self._turns.acquire()
        pause = 0.0
        try:
            started = time.perf_counter()
            answer, cpu_seconds = await asyncio.to_thread(_timed, question)
            self._telemetry.window_read(time.perf_counter() - started)
            pause = cpu_seconds * (1 / SHARE - 1)
            return answer
        finally:
            asyncio.get_running_loop().call_later(pause, self._turns.release)


def _timed(question: Callable[[], T]) -> tuple[T, float]:
    """The answer, and the seconds of CPU that it took: what else the machine does is not the question's fault."""
    started = time.thread_time()
    return question(), time.thread_time() - started


def _is_old(asked: _Asked) -> bool:
    return asked.answer.done() and time.monotonic() - asked.at > FRESH_SECONDS


def _outcome(answer: "asyncio.Task[State]") -> State | None:
    return None if answer.cancelled() or answer.exception() is not None else answer.result()


def state_of(lists: Lists, window: Window, before: State | None) -> State:
    """The window as it is; `before` serves again where nothing has changed since, and the order is of later."""
    now, version = time.monotonic(), lists.version(window.query.table)
    is_same = before is not None and before.version == version
    since = before.since if before is not None and is_same else now
    if before is not None and is_same and before.ordered > since + ORDER_SECONDS:
        return before
    if window.names is None:
        page = lists.page(window.query, window.offset, window.limit)
        # The order is of now, so that it serves as long as nothing changes.
        return State(version, since, math.inf, page.total, 0, _array(page.items), page.freshness)
    rows = lists.rows(window.query.table, window.names)
    items = _array([rows[name] for name in window.names if name in rows])
    if before is not None and now - before.ordered < ORDER_SECONDS:
        return before._replace(version=version, since=since, items=items, freshness=lists.freshness())
    page = lists.page(window.query, window.offset, window.limit, age=ORDER_SECONDS)
    moved = moved_rows(window.names, page.names)
    return State(version, since, now, page.total, moved, items, page.freshness)


def moved_rows(shown: Sequence[str], now: Sequence[str]) -> int:
    """How many rows of a frozen window belong elsewhere: the fewest without which the others are in order.

    A row that leaves its place shifts all that are below it, and these have not moved. So what stays is the longest
    common subsequence of both orders; as no row comes twice, that is the longest increasing run of the new places.
    """
    place = {name: at for at, name in enumerate(now)}
    tails: list[int] = []
    for at in (place[name] for name in shown if name in place):
        length = bisect_left(tails, at)
        tails[length : length + 1] = [at]
    return len(shown) - len(tails)


def _array(items: list[Raw]) -> Raw:
    return Raw(b"[%b]" % b",".join(map(bytes, items)))


WINDOWS = web.AppKey("windows", Windows)
