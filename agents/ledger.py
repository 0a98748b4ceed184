"""The ledger of a row: its movements and counts, and the balances that follow from them as of a moment.

Rows: `Movement` (each movement and count of the window), `Floor` (what is older, summed), and the balances in `Stock`
(as of now) and in `Reported` (as of the ERP's last report). A balance is the latest count plus the movements later
than it, whatever the order of arrival. The events bring these three balances forward as they come; none is computed
anew from all movements, so an event costs the same however many movements a row keeps.
"""

from collections.abc import Generator, Iterator
from typing import TypeVar

from agents.turn import Turn
from engine.core.events import type_name
from engine.core.values import HOUR
from tables.drift import REPORTED, Reported
from tables.ledger import (
    FLOOR,
    IS_COUNT,
    IS_MOVEMENT,
    Balances,
    Count,
    Floor,
    Movement,
    movement_at,
    movement_identity,
    movement_key,
)
from tables.stock import Stock
from tables.table import Key

FOLD_STRIDE = 24 * HOUR
"""How far the window may lag before old entries are folded, so that most events need not look for them."""
FOLDED_PER_EVENT = 64
"""At most so many entries leave the window with one event, so that no event pays for all that came before it."""

AVAILABLE, HELD = 1, 2
"""What `Movement.count` says of a count."""

T = TypeVar("T")


def record(turn: Turn, row: bytes, available: int, held: int, document: str = "") -> None:
    """Move good stock at a row: signed quantities to available and to held, at the turn's moment."""
    stock, at = turn.stock(row), turn.at
    advance(turn, row, stock)
    stock.moved_at = max(stock.moved_at, at)
    stock.move(at, available, held)
    if at <= stock.reported_at:
        reported: Reported = turn.edit(REPORTED + row, Reported)
        reported.move(at, available, held)
    if at <= stock.floor_at:
        floor: Floor = turn.edit(FLOOR + row, Floor)
        floor.move(at, available, held)
        return
    entry = Movement(available, held, type_name(turn.event), turn.ref, 0, document)
    _keep(turn, stock, movement_key(row, at, IS_MOVEMENT, turn.identity), entry)


def advance(turn: Turn, row: bytes, stock: Stock) -> None:
    """Let the row's latest moment follow the event; fold some of what has left the window into the floor."""
    if turn.at > stock.latest:
        stock.latest = turn.at
        if stock.fold_at is not None and turn.at >= stock.fold_at:
            _fold(turn, row, stock)


def oldest_kept(turn: Turn, stock: Stock) -> int:
    """The moment of which a count that is older is applied: the beginning of the window."""
    return stock.latest - turn.rules.movement_window


def count(turn: Turn, row: bytes, qty: int, is_held: bool) -> Count | None:
    """Take a count at the turn's moment into every balance that it concerns.

    Returns:
        The count as it was taken, or None where a later one is known: then it changes nothing.
    """
    stock = turn.stock(row)
    advance(turn, row, stock)
    new = Count(max(turn.at, oldest_kept(turn, stock)), turn.at, turn.identity, qty)
    if new.covers <= stock.reported_at:
        _take(turn, row, turn.edit(REPORTED + row, Reported), new, is_held, stock.reported_at)
    taken = _take(turn, row, stock, new, is_held, None)
    stock.moved_at = max(stock.moved_at, new.covers)
    if new.covers <= stock.floor_at:
        _take(turn, row, turn.edit(FLOOR + row, Floor), new, is_held, new.covers)
    else:
        available, held, status = (0, qty, HELD) if is_held else (qty, 0, AVAILABLE)
        entry = Movement(available, held, "stock.counted", turn.ref, status, "", turn.at)
        _keep(turn, stock, movement_key(row, new.covers, IS_COUNT, turn.identity), entry)
    return new if taken else None


def as_of(turn: Turn, row: bytes, stock: Stock, at: int, known: Reported | None) -> Balances:
    """The balances of a row as of `at`, a moment not before the floor.

    Args:
        turn: the turn of the report.
        row: the row's name.
        stock: the row's present balances.
        at: the moment.
        known: the report before, whose balances hold as of an earlier moment; None where there is none.
    """
    if at >= stock.moved_at:
        return _copy(stock)
    if known is not None and known.at >= stock.floor_at:
        base, start = _copy(known), known.at + 1
    else:
        floor = turn.get(FLOOR + row) or Floor()
        base, start = _copy(floor), stock.floor_at
    forward = _bring_forward(base, turn.entries(row, start, at))
    if any(count is not None and count.covers > at for count in (stock.available_count, stock.held_count)):
        return _last(forward)
    return _race(forward, _bring_back(_copy(stock), turn.entries(row, at + 1, reverse=True)))


# sums over entries, from whichever end is nearer ----------------------------------------------------------------------


def _take(turn: Turn, row: bytes, balances: Balances, new: Count, is_held: bool, until: int | None) -> bool:
    """Take a count into balances that hold as of `until` (None is now), unless a later count is known to them."""
    if balances.outranks(new, is_held):
        return False
    balances.reset(new, is_held, _later(turn, row, balances, new, is_held, until))
    return True


def _later(turn: Turn, row: bytes, balances: Balances, new: Count, is_held: bool, until: int | None) -> int:
    """The sum of the movements after what `new` covers, up to `until`.

    It is the sum since the last count less the sum from there to the new one; the nearer end is added up. As the last
    count only ever moves on, all counts together pass each movement once.
    """
    stock = turn.stock(row)
    if new.covers >= (stock.moved_at if until is None else until):
        return 0
    old = balances.held_count if is_held else balances.available_count
    if old is not None and old.covers >= stock.floor_at:
        base, start = old.qty, old.covers + 1
    else:
        floor: Floor = turn.get(FLOOR + row) or Floor()
        base, start = floor.held if is_held else floor.available, stock.floor_at
    total = (balances.held if is_held else balances.available) - base
    before = _sum(turn.entries(row, start, new.covers), is_held, total, -1)
    after = _sum(turn.entries(row, new.covers + 1, until, reverse=True), is_held, 0, 1)
    return _race(before, after)


Entries = Iterator[tuple[int, Key[Movement], Movement]]


def _sum(entries: Entries, is_held: bool, start: int, sign: int) -> Generator[None, None, int]:
    for _, _, entry in entries:
        if not entry.count:
            start += sign * (entry.held if is_held else entry.available)
        yield
    return start


def _bring_forward(balances: Balances, entries: Entries) -> Generator[None, None, Balances]:
    for at, key, entry in entries:
        _apply(balances, at, key, entry)
        yield
    return balances


def _bring_back(balances: Balances, entries: Entries) -> Generator[None, None, Balances]:
    for _, _, entry in entries:
        if not entry.count:
            balances.available -= entry.available
            balances.held -= entry.held
        yield
    return balances


def _race(one: Generator[None, None, T], other: Generator[None, None, T]) -> T:
    """The result of whichever of two generators ends first; they advance in turn and come to the same."""
    while True:
        for racer in (one, other):
            try:
                next(racer)
            except StopIteration as end:
                result: T = end.value
                return result


def _last(steps: Generator[None, None, T]) -> T:
    """The result of a generator that is run to its end."""
    return _race(steps, steps)


def _apply(balances: Balances, at: int, key: bytes, entry: Movement) -> None:
    if not entry.count:
        balances.move(at, entry.available, entry.held)
        return
    is_held = entry.count == HELD
    qty = entry.held if is_held else entry.available
    count = Count(at, entry.counted_at, movement_identity(key), qty)
    if not balances.outranks(count, is_held):
        balances.reset(count, is_held, 0)


def _copy(balances: Balances) -> Balances:
    return Balances(balances.available, balances.held, balances.available_count, balances.held_count)


# the window -----------------------------------------------------------------------------------------------------------


def _keep(turn: Turn, stock: Stock, key: Key[Movement], entry: Movement) -> None:
    turn.put(key, entry)
    fold_at = movement_at(key) + turn.rules.movement_window + FOLD_STRIDE
    if stock.fold_at is None or fold_at < stock.fold_at:
        stock.fold_at = fold_at


def _fold(turn: Turn, row: bytes, stock: Stock) -> None:
    """Fold the oldest entries that have left the window, and note when to look again."""
    floor: Floor = turn.edit(FLOOR + row, Floor)
    horizon = oldest_kept(turn, stock)
    stock.fold_at = None
    for number, (at, key, entry) in enumerate(turn.entries(row, stock.floor_at)):
        if at > horizon or number == FOLDED_PER_EVENT:
            stock.fold_at = max(stock.latest, at + turn.rules.movement_window + FOLD_STRIDE)
            break
        _apply(floor, at, key, entry)
        turn.put(key, None)
        stock.floor_at = at
