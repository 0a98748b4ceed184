"""Figures of a row that take a walk through its forecast: trigger, target and demand ahead, at a rate of their own."""

import threading
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

from agents.calendar import Calendar
from agents.demand import demand_ahead
from agents.need import need_of
from agents.reader import Context, RowReader, RowView
from engine.bus.single import Kept
from engine.core.rules import Rules
from engine.core.values import NUL, partition_of
from tables import keys
from tables.feeds import Feeds
from tables.stock import STOCK
from tables.workspace import Workspace

AHEAD_DAYS = 28
"""The forecast of so many days says how long stock lasts."""
PORTION = 20
"""Rows that are computed between two looks at the clock: a few milliseconds."""
READ_MEMORY_BYTES = 1 << 20


class Figures(NamedTuple):
    """Trigger and target of a row, and its forecast of the next 28 days, in base units."""

    s: int | None
    S: int | None
    forecast: int


class Planning:
    """The rows whose figures are not computed yet, in the order in which their plans changed."""

    def __init__(self, bus: Kept, rules: Rules) -> None:
        self._bus, self._rules = bus, rules
        self._waiting: dict[str, None] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, names: Sequence[str]) -> None:
        """Let the figures of rows be computed."""
        with self._lock:
            self._waiting.update(dict.fromkeys(names))

    def compute(self, now: int, seconds: float, write: Callable[[dict[str, Figures]], None]) -> None:
        """Compute the figures of rows that wait, for about so many seconds.

        Args:
            now: the instant to look from.
            seconds: how long this may take.
            write: takes the figures of some rows.
        """
        end = time.monotonic() + seconds
        while self._waiting and time.monotonic() < end:
            names = self._take()
            space = Workspace(self._bus.state, READ_MEMORY_BYTES)
            found = {name: figures for name in names if (figures := self._figures(space, name, now)) is not None}
            write(found)

    def _take(self) -> list[str]:
        """The first rows that wait, which wait no longer."""
        with self._lock:
            names = list(islice(self._waiting, PORTION))
            for name in names:
                del self._waiting[name]
        return names

    def _figures(self, space: Workspace, name: str, now: int) -> Figures | None:
        """The figures of a row; None as long as it has no stock row."""
        sku, location = name.split(NUL)
        row = keys.row(sku, location)
        stock = space.get(STOCK + row)
        if stock is None:
            return None
        context = Context(space, self._rules, Calendar(), Feeds(), partition_of(sku, self._bus.partitions))
        view = RowView(RowReader(context, now), row, stock)
        need = need_of(view)
        forecast = sum(demand_ahead(view, AHEAD_DAYS))
        return Figures(None, None, forecast) if need is None else Figures(need.s, need.S, forecast)
