"""What is going to happen, in order of time."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

Action = Callable[..., None]


class Agenda:
    """Actions by instant; those of the same instant in the order in which they were put down."""

    def __init__(self, now: int) -> None:
        self.now = now
        self._heap: list[tuple[int, int, Action, tuple[Any, ...]]] = []
        self._count = 0

    def put(self, at: int, action: Action, *arguments: Any) -> None:
        """Do `action(*arguments)` at an instant; one that has passed means now."""
        self._count += 1
        heappush(self._heap, (max(at, self.now), self._count, action, arguments))

    def advance(self, until: int) -> None:
        """Do everything before `until`, including what is put down on the way."""
        while self._heap and self._heap[0][0] < until:
            self.now, _, action, arguments = heappop(self._heap)
            action(*arguments)
        self.now = until

    @property
    def next(self) -> int | None:
        """The instant of the next action."""
        return self._heap[0][0] if self._heap else None
