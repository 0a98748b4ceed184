"""The stock of one row as of a moment, summed over the movements that the row keeps."""

from typing import NamedTuple

from agents import ledger
from agents.reader import RowView
from engine.bus.single import Kept
from engine.core.errors import Busy, StocklineError
from engine.core.rules import Rules
from engine.core.values import iso
from engine.runtime.detail import row_view
from tables.keys import NEVER

TRIES = 20
"""A read during which the row has changed is done again; after so many the row changes faster than it can be read."""


class HistoryGone(StocklineError):
    """A moment lies before the movements that a row still keeps; `since` (microseconds) is the earliest to ask for."""

    def __init__(self, since: int) -> None:
        super().__init__(f"the movements before {iso(since)} are summed up and no longer kept one by one")
        self.since = since


class PastBalances(NamedTuple):
    """What a row held as of a moment, by all events that are known now.

    Attributes:
        available, held: good stock, and stock on hold.
        kept_since: the earliest moment (microseconds) that can be asked for; None where every movement is kept.
    """

    available: int
    held: int
    kept_since: int | None


def balances_as_of(bus: Kept, rules: Rules, name: tuple[str, str], at: int) -> PastBalances | None:
    """The stock of a row as of the moment `at`.

    Args:
        bus: its committed state is read.
        rules: the engine's rules.
        name: (sku, location).
        at: the moment, in microseconds; events that happened then are included.

    Returns:
        The balances; None where nothing is known to have stated the row's stock by then.

    Raises:
        HistoryGone: the movements of that time are no longer kept.
        Busy: the row changes with every read of it.
    """
    for _ in range(TRIES):
        view = row_view(bus, rules, at, name)
        if view is None:
            return None
        found = _read(view, at)
        # A commit changes stock row, floor and movements at once, and these were read one after the other.
        unread = row_view(bus, rules, at, name)
        if unread is not None and unread.stock == view.stock:
            return found
    raise Busy(f"the row ({name[0]}, {name[1]}) changes faster than it can be read")


def _read(view: RowView, at: int) -> PastBalances | None:
    floor_at = view.stock.floor_at
    if floor_at == NEVER:
        first = next(view.movements(0), None)
        if first is None or at < first[0]:
            return None
    elif at < floor_at:
        raise HistoryGone(floor_at)
    balances = ledger.as_of(view, at, None)
    return PastBalances(balances.available, balances.held, None if floor_at == NEVER else floor_at)
