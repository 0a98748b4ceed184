"""By how much a table, or the engine, is ahead of what was read of it."""

import json
import time
from collections.abc import Callable, Sequence
from datetime import datetime

Clock = Callable[[], float]


def age_of(events: Sequence[bytes], now: float) -> float | None:
    """How many seconds before `now` the last event happened; None where that is not told, or there is no event."""
    try:
        moment = datetime.fromisoformat(json.loads(events[-1])["time"])
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    return None if moment.tzinfo is None else max(0.0, now - moment.timestamp())


class Held:
    """Since when the same thing has held up a reader; 0 seconds while nothing does. `clock` only goes forward."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._by: str | None = None
        self._since = 0.0

    def seconds(self, by: str | None) -> float:
        """For how many seconds it has been held up by what holds it up now, as far as it has looked."""
        if by is None:
            self._by = None
            return 0.0
        if by != self._by:
            self._by, self._since = by, self._clock()
        return self._clock() - self._since
