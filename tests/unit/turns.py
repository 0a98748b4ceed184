"""Turns over plain rows, for tests that call agents purely."""

from __future__ import annotations

from datetime import UTC, datetime

from agents.calendar import Calendar, midnight
from agents.reader import Context
from agents.turn import Site, Turn
from engine.core.events import StockAdjusted
from engine.core.payloads import StockAdjustedData
from engine.core.rules import Rules
from engine.core.values import instant
from tables import keys
from tables.feeds import Feeds
from tables.stock import Stock
from tables.stores.memory import MemoryFamily
from tables.workspace import Workspace

ROW = keys.row("S", "L")
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)


class Rows:
    """The rows of a partition, empty at first; each turn sees what those before it have changed."""

    def __init__(self) -> None:
        self._context = Context(Workspace(MemoryFamily(), 1 << 20), Rules(), Calendar(), Feeds(), 0)
        self.turn = self._new_turn()

    def next_turn(self) -> Turn:
        """Accept what the last turn has changed, and begin another one."""
        self._context.space.accept(self.turn.writes)
        self.turn = self._new_turn()
        return self.turn

    def _new_turn(self) -> Turn:
        data = StockAdjustedData(sku="S", location="L", qty=1, reason="test")
        event = StockAdjusted(specversion="1.0", id="e", source="test", time=AT, data=data)
        return Turn(self._context, event, instant(AT), instant(AT), b"\x01" * 16)

    def next_site(self) -> Site:
        """The row of another turn."""
        return self.next_turn().site(ROW)


def empty_turn() -> Turn:
    return Rows().turn


def site_on(turn: Turn, day: int) -> Site:
    """The row as an event sees it when the clock shows the local day (an ordinal)."""
    turn.now = midnight("UTC", day)
    return Site(turn, ROW, Stock())
