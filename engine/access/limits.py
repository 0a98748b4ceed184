"""How often a caller may call, and how many calls of one may run at once."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.core.errors import StocklineError

MAX_SUBJECTS = 10_000
"""With more subjects those whose allowance is full are forgotten: they would begin with a full one again."""


class TooOften(StocklineError):
    """A caller calls more often, or more calls at once, than it may; `retry_after_seconds` says when to try again."""

    def __init__(self, detail: str, seconds: float) -> None:
        super().__init__(detail)
        self.retry_after_seconds = max(1, round(seconds + 0.5))


class Allowance:
    """A token bucket for each subject: `per_second` calls in the long run, and `burst` at once."""

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, subject: str) -> None:
        """Take one call of the subject's; raises TooOften if none is left."""
        now = self._clock()
        left = self._left_at(subject, now)
        if left < 1:
            raise TooOften(f"{subject} calls too often; {self._per_second:g} a second", (1 - left) / self._per_second)
        self._left[subject] = left - 1, now
        if len(self._left) > MAX_SUBJECTS:
            self._left = {each: kept for each, kept in self._left.items() if self._left_at(each, now) < self._burst}

    def _left_at(self, subject: str, now: float) -> float:
        left, since = self._left.get(subject, (self._burst, now))
        return min(self._burst, left + (now - since) * self._per_second)


class AtOnce:
    """How many calls of each subject run, streams and sockets among them; at most `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: Counter[str] = Counter()

    @contextmanager
    def one(self, subject: str) -> Iterator[None]:
        """Count a call while it runs; raises TooOften if too many run already."""
        if self._running[subject] >= self._most:
            raise TooOften(f"{subject} has {self._most} calls open, streams and sockets among them; close some", 5)
        self._running[subject] += 1
        try:
            yield
        finally:
            self._running[subject] -= 1
            if not self._running[subject]:
                del self._running[subject]
