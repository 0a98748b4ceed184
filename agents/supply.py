"""What is still to come to a row, by day, as sums.

Rows: `SupplyBlock` (one per 32 days), `PastSupply`, and `Transit` (what is in transit by quantity). An open
document's agent adds the difference that an event makes, so that the projection of a row reads the blocks of its
horizon and never the documents behind them.
"""

from collections.abc import Iterator

from msgspec import Struct

from agents.reader import RowView
from agents.turn import Site
from tables.supply import PAST_SUPPLY, PastSupply, SupplyBlock, Transit, supply_key, transit_key
from tables.table import Key

BLOCK_BITS = 5
ZONE_DAYS = 2
"""How many days the local day of a row may fall back when its time zone changes."""


class Ahead(Struct, frozen=True):
    """The dated supply of a row: what each day from today brings, and what was due before today."""

    days: list[int]
    overdue: int


def add(site: Site, day: int | None, qty: int) -> None:
    """Add a signed quantity to the supply of a local day (an ordinal); supply that nobody has dated is left out."""
    if day is None or not qty:
        return
    turn, row, block = site.turn, site.row, day >> BLOCK_BITS
    past = turn.get(PAST_SUPPLY + row) or PastSupply(block + 1)
    if block < past.oldest:
        turn.put(PAST_SUPPLY + row, PastSupply(block, past.qty))
    key = supply_key(row, block)
    old = turn.get(key)
    days = {} if old is None else dict(old.days)
    days[day] = days.get(day, 0) + qty
    if not days[day]:
        del days[day]
    turn.put(key, SupplyBlock(days) if days else None)


def ahead(view: RowView, horizon: int) -> Ahead:
    """The supply of a row for `horizon` days from today on."""
    reader, row, today = view.reader, view.row, view.today
    past = reader.get(PAST_SUPPLY + row)
    if past is None:
        return Ahead([0] * horizon, 0)
    first_kept = _first_kept(view)
    overdue, days = past.qty + sum(qty for _, qty in _passed(view, past, first_kept)), [0] * horizon
    for block in range(first_kept, ((today + horizon - 1) >> BLOCK_BITS) + 1):
        kept = reader.get(supply_key(row, block))
        for day, qty in kept.days.items() if kept is not None else ():
            if day < today:
                overdue += qty
            elif day < today + horizon:
                days[day - today] += qty
    return Ahead(days, overdue)


def drop_past(site: Site) -> None:
    """Let one sum take the place of the blocks that have passed, so that the next event need not read them."""
    past = site.turn.get(PAST_SUPPLY + site.row)
    first_kept = _first_kept(site)
    if past is None or past.oldest >= first_kept:
        return
    folded = PastSupply(first_kept, past.qty)
    for key, qty in _passed(site, past, first_kept):
        folded.qty += qty
        site.turn.put(key, None)
    site.turn.put(PAST_SUPPLY + site.row, folded)


def _first_kept(view: RowView) -> int:
    return (view.today - ZONE_DAYS) >> BLOCK_BITS


def _passed(view: RowView, past: PastSupply, first_kept: int) -> Iterator[tuple[Key[SupplyBlock], int]]:
    """The key and the sum of each block that has passed."""
    if past.oldest < first_kept:
        for key, block in view.reader.scan(supply_key(view.row, past.oldest), supply_key(view.row, first_kept)):
            yield key, sum(block.days.values())


# in transit -----------------------------------------------------------------------------------------------------------


def transit(site: Site, old: int, new: int) -> None:
    """Note that of a shipment or transfer not `old` but `new` units are in transit to a row."""
    for qty, change in ((old, -1), (new, 1)):
        if qty and old != new:
            key = transit_key(site.row, qty)
            known = site.turn.get(key)
            documents = (known.documents if known is not None else 0) + change
            site.turn.put(key, Transit(documents) if documents else None)


def in_flight(site: Site, qty: int) -> bool:
    """Whether a quantity is all that is in transit to a row, or exactly what is left of one shipment or transfer."""
    return qty > 0 and (qty == site.stock.in_transit or site.turn.get(transit_key(site.row, qty)) is not None)
