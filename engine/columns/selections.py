"""The indexes of the last questions, so that the pages of a list, and all who look at the same list, share one."""

import time
from collections import OrderedDict
from typing import NamedTuple

from engine.columns.order import Selection
from engine.columns.query import Query
from engine.columns.table import ColumnTable

MOST_BYTES = 64 << 20
"""The oldest indexes are dropped beyond this; one of a million things takes 8 MiB for each of its keys."""


class _Kept(NamedTuple):
    version: int
    made: float
    selection: Selection


class Selections:
    """Selections by query, the last used kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Query, _Kept] = OrderedDict()
        self._bytes = 0

    def of(self, table: ColumnTable, query: Query, age: float) -> Selection:
        """The selection of a query: one that was made of the same things, or is at most `age` seconds old."""
        kept = self._kept.get(query)
        now = time.monotonic()
        if kept is not None and (kept.version == table.version or now - kept.made <= age):
            self._kept.move_to_end(query)
            return kept.selection
        made = _Kept(table.version, now, table.select(query))
        self._drop(query)
        self._kept[query] = made
        self._bytes += made.selection.size
        while self._bytes > MOST_BYTES and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))
        return made.selection

    def clear(self) -> None:
        """Keep none."""
        self._kept.clear()
        self._bytes = 0

    def _drop(self, query: Query) -> None:
        kept = self._kept.pop(query, None)
        if kept is not None:
            self._bytes -= kept.selection.size
