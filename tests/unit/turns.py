"""A turn of some event over an empty state, for tests that call agents purely."""

from __future__ import annotations

from datetime import UTC, datetime

from agents.calendar import Calendar, midnight
from agents.reader import Context
from agents.turn import Site, Turn
from engine.core.events import StockAdjusted
from engine.core.payloads import StockAdjustedData
from engine.core.rules import Rules
from engine.core.values import moment
from tables import keys
from tables.feeds import Feeds
from tables.stock import Stock
from tables.stores.memory import MemoryFamily
from tables.workspace import Workspace

ROW = keys.row("S", "L")
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)


def empty_turn() -> Turn:
    data = StockAdjustedData(sku="S", location="L", qty=1, reason="test")
    event = StockAdjusted(specversion="1.0", id="e", source="test", time=AT, data=data)
    context = Context(Workspace(MemoryFamily(), 1 << 20), Rules(), Calendar(), Feeds(), 0)
    at = (AT - moment(0)).days * 24 * 3600 * 1_000_000
    return Turn(context, event, at, at, b"\x01" * 16)


def site_on(turn: Turn, day: int) -> Site:
    """The row as an event sees it when the clock shows the local day (an ordinal)."""
    turn.now = midnight("UTC", day)
    return Site(turn, ROW, Stock())
