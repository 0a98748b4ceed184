"""What is still to come to a row, by day, as sums.

Rows: `SupplyBlock` (one per 32 days), `PastSupply`, and `Transit` (what is in transit by quantity). Whoever owns an
open document adds the difference that an event makes, so that the projection of a row reads the blocks of its horizon
and never the documents behind them.
"""

from msgspec import Struct

from agents.turn import Turn
from tables.stock import Stock
from tables.supply import PAST_SUPPLY, PastSupply, SupplyBlock, Transit, supply_key, transit_key

BLOCK_BITS = 5
ZONE_DAYS = 2
"""How many days the local day of a row may fall back when its time zone changes."""


class Ahead(Struct, frozen=True):
    """The dated supply of a row: what each day from today brings, and what was due before today."""

    days: list[int]
    overdue: int


def add(turn: Turn, row: bytes, day: int | None, qty: int) -> None:
    """Add a signed quantity to the supply of a local day (an ordinal); what nobody has dated is left out."""
    if day is None or not qty:
        return
    block = day >> BLOCK_BITS
    past: PastSupply = turn.get(PAST_SUPPLY + row) or PastSupply(block + 1)
    if block < past.oldest:
        turn.put(PAST_SUPPLY + row, PastSupply(block, past.qty))
    key = supply_key(row, block)
    old: SupplyBlock | None = turn.get(key)
    days = {} if old is None else dict(old.days)
    days[day] = days.get(day, 0) + qty
    if not days[day]:
        del days[day]
    turn.put(key, SupplyBlock(days) if days else None)


def ahead(turn: Turn, row: bytes, today: int, horizon: int) -> Ahead:
    """The supply of a row for `horizon` days from the local day `today`.

    Blocks that have passed are summed up and dropped, once.
    """
    first_kept = (today - ZONE_DAYS) >> BLOCK_BITS
    past: PastSupply | None = turn.get(PAST_SUPPLY + row)
    if past is None:
        return Ahead([0] * horizon, 0)
    if past.oldest < first_kept:
        past = _fold(turn, row, past, first_kept)
    overdue, days = past.qty, [0] * horizon
    for block in range(first_kept, ((today + horizon - 1) >> BLOCK_BITS) + 1):
        kept: SupplyBlock | None = turn.get(supply_key(row, block))
        for day, qty in kept.days.items() if kept is not None else ():
            if day < today:
                overdue += qty
            elif day < today + horizon:
                days[day - today] += qty
    return Ahead(days, overdue)


def _fold(turn: Turn, row: bytes, past: PastSupply, first_kept: int) -> PastSupply:
    folded = PastSupply(first_kept, past.qty)
    for key, block in turn.scan(supply_key(row, past.oldest), supply_key(row, first_kept)):
        folded.qty += sum(block.days.values())
        turn.put(key, None)
    turn.put(PAST_SUPPLY + row, folded)
    return folded


# in transit -----------------------------------------------------------------------------------------------------------


def transit(turn: Turn, row: bytes, old: int, new: int) -> None:
    """Note that of a shipment or transfer not `old` but `new` units are in transit to a row."""
    for qty, change in ((old, -1), (new, 1)):
        if qty and old != new:
            key = transit_key(row, qty)
            known: Transit | None = turn.get(key)
            documents = (known.documents if known is not None else 0) + change
            turn.put(key, Transit(documents) if documents else None)


def in_flight(turn: Turn, row: bytes, stock: Stock, qty: int) -> bool:
    """Whether a quantity is all that is in transit to a row, or exactly what is left of one shipment or transfer."""
    return qty > 0 and (qty == stock.in_transit or turn.get(transit_key(row, qty)) is not None)
