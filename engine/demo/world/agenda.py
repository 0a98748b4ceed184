"""What is going to happen in the simulated world, in order of time."""

from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from typing import ParamSpec

Arguments = ParamSpec("Arguments")


class Agenda:
    """Actions by instant; actions of the same instant happen in the order in which they were put."""

    def __init__(self, now: int) -> None:
        self.now = now
        self._heap: list[tuple[int, int, Callable[[], object]]] = []
        self._count = 0

    def put(
        self, at: int, action: Callable[Arguments, object], *args: Arguments.args, **named: Arguments.kwargs
    ) -> None:
        """Do `action` with its arguments at an instant (microseconds UTC); one that has passed means now."""
        self._count += 1
        due: tuple[int, int, Callable[[], object]] = (max(at, self.now), self._count, partial(action, *args, **named))
        heappush(self._heap, due)

    def advance(self, until: int) -> None:
        """Do everything before `until`, including what those actions put."""
        while self._heap and self._heap[0][0] < until:
            self.now, _, action = heappop(self._heap)
            action()
        self.now = until

    @property
    def next(self) -> int | None:
        """The instant of the next action."""
        return self._heap[0][0] if self._heap else None
