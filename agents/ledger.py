"""The ledger of a row: its movements and counts, and the balances that follow from them as of a moment.

Rows: `Movement` (each movement and count of the window), `Floor` (what is older, summed), and the balances in `Stock`
(as of now) and in `Reported` (as of the ERP's last report). A balance is the latest count plus the movements later
than it, whatever the order of arrival. The events bring these three balances forward as they come; none is computed
anew from all movements, so an event costs the same however many movements a row keeps.
"""

from collections.abc import Generator, Iterator
from typing import TypeVar

from msgspec.structs import replace

from agents import figures
from agents.reader import RowView
from agents.turn import Site
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
    movement_identity,
    movement_key,
)
from tables.table import Key

FOLD_STRIDE = 24 * HOUR
"""How far the window may lag before old movements are folded, so that most events need not look for them."""
FOLDED_PER_EVENT = 64
"""At most so many movements leave the window with one event, so that no event pays for all that came before it."""

AVAILABLE, HELD = 1, 2
"""What `Movement.count` says of a count."""

T = TypeVar("T")


def record(site: Site, available: int, held: int, document: str = "") -> None:
    """Move good stock at a row: signed quantities to available and to held, at the turn's moment."""
    turn = site.turn
    advance(site)
    movement = Movement(available, held, type_name(turn.event), turn.ref, 0, document)
    _move(site, turn.at, turn.identity, movement)


def amend(site: Site, at: int, identity: bytes, movement: Movement) -> None:
    """Let an event of the moment `at` move so much more: what it moves has followed from other events since."""
    key = movement_key(site.row, at, IS_MOVEMENT, identity)
    # Movements are read in their order, never one by one, so that none of them is cached.
    known = next((row for _, row in site.turn.scan(key, Key(key + b"\0"))), None)
    _move(site, at, identity, movement)
    if known is not None and at > site.stock.floor_at:
        both = replace(known, available=known.available + movement.available, held=known.held + movement.held)
        _keep(site, at, IS_MOVEMENT, identity, both)


def _move(site: Site, at: int, identity: bytes, movement: Movement) -> None:
    """Move stock at a moment in all balances that include it, and keep the movement."""
    turn, stock, available, held = site.turn, site.stock, movement.available, movement.held
    stock.moved_at = max(stock.moved_at, at)
    stock.move(at, available, held)
    if at <= stock.reported_at:
        turn.edit(REPORTED + site.row, Reported).move(at, available, held)
    if at <= stock.floor_at:
        turn.edit(FLOOR + site.row, Floor).move(at, available, held)
    else:
        _keep(site, at, IS_MOVEMENT, identity, movement)


def advance(site: Site) -> None:
    """Let the row's latest moment follow the event; fold some of what has left the window into the floor."""
    stock, at = site.stock, site.turn.at
    if at > stock.latest:
        stock.latest = at
        if stock.fold_at is not None and at >= stock.fold_at:
            _fold(site)


def oldest_kept(site: Site) -> int:
    """The beginning of the window: a count from before it is applied as of this moment."""
    return site.stock.latest - site.turn.rules.movement_window


def count(site: Site, qty: int, is_held: bool) -> Count | None:
    """Take a count at the turn's moment into every balance that it concerns.

    Returns:
        The count as it was taken, or None where a later one is known: then it changes nothing.
    """
    turn, row, stock = site.turn, site.row, site.stock
    advance(site)
    was_known, before = stock.stock_known, stock.held if is_held else stock.available
    new = Count(max(turn.at, oldest_kept(site)), turn.at, turn.identity, qty)
    if new.covers <= stock.reported_at:
        _take(site, turn.edit(REPORTED + row, Reported), new, is_held, stock.reported_at)
    taken = _take(site, stock, new, is_held, None)
    stock.moved_at = max(stock.moved_at, new.covers)
    if new.covers <= stock.floor_at:
        _take(site, turn.edit(FLOOR + row, Floor), new, is_held, new.covers)
    else:
        available, held, status = (0, qty, HELD) if is_held else (qty, 0, AVAILABLE)
        movement = Movement(available, held, "stock.counted", turn.ref, status, "", turn.at)
        _keep(site, new.covers, IS_COUNT, turn.identity, movement)
    if taken and was_known:
        # Movements after the count are in both, so that the difference is the one as of its moment.
        figures.counted(site, qty, (stock.held if is_held else stock.available) - before)
    return new if taken else None


def as_of(row: RowView, at: int, known: Reported | None) -> Balances:
    """The balances of a row as of `at`, a moment not before the floor.

    Args:
        row: the row.
        at: the moment.
        known: a report whose balances hold as of an earlier moment; None where there is none.
    """
    stock = row.stock
    if at >= stock.moved_at:
        return _copy(stock)
    if known is not None and known.at >= stock.floor_at:
        base, start = _copy(known), known.at + 1
    else:
        floor = row.reader.get(FLOOR + row.row) or Floor()
        base, start = _copy(floor), stock.floor_at
    forward = _bring_forward(base, row.movements(start, at))
    if any(count is not None and count.covers > at for count in (stock.available_count, stock.held_count)):
        return _last(forward)
    return _race(forward, _bring_back(_copy(stock), row.movements(at + 1, reverse=True)))


# sums over movements, from whichever end is nearer --------------------------------------------------------------------


def _take(site: Site, balances: Balances, new: Count, is_held: bool, until: int | None) -> bool:
    """Take a count into balances that hold as of `until` (None is now), unless a later count is known to them."""
    if balances.outranks(new, is_held):
        return False
    balances.reset(new, is_held, _later(site, balances, new, is_held, until))
    return True


def _later(site: Site, balances: Balances, new: Count, is_held: bool, until: int | None) -> int:
    """The sum of the movements after what `new` covers, up to `until`.

    It equals the sum since the last count less the sum from there to the new one, so whichever of the two stretches is
    shorter is added up. The last count only ever moves on, so all counts together pass each movement once.
    """
    stock = site.stock
    if new.covers >= (stock.moved_at if until is None else until):
        return 0
    old = balances.held_count if is_held else balances.available_count
    if old is not None and old.covers >= stock.floor_at:
        base, start = old.qty, old.covers + 1
    else:
        floor = site.turn.get(FLOOR + site.row) or Floor()
        base, start = floor.held if is_held else floor.available, stock.floor_at
    total = (balances.held if is_held else balances.available) - base
    before = _sum(site.movements(start, new.covers), is_held, total, -1)
    after = _sum(site.movements(new.covers + 1, until, reverse=True), is_held, 0, 1)
    return _race(before, after)


Movements = Iterator[tuple[int, Key[Movement], Movement]]


def _sum(movements: Movements, is_held: bool, start: int, sign: int) -> Generator[None, None, int]:
    for _, _, movement in movements:
        if not movement.count:
            start += sign * (movement.held if is_held else movement.available)
        yield
    return start


def _bring_forward(balances: Balances, movements: Movements) -> Generator[None, None, Balances]:
    for at, key, movement in movements:
        _apply(balances, at, key, movement)
        yield
    return balances


def _bring_back(balances: Balances, movements: Movements) -> Generator[None, None, Balances]:
    for _, _, movement in movements:
        if not movement.count:
            balances.available -= movement.available
            balances.held -= movement.held
        yield
    return balances


def _race(one: Generator[None, None, T], other: Generator[None, None, T]) -> T:
    """The result of whichever of two generators ends first. They advance in turn, and both lead to the same result."""
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


def _apply(balances: Balances, at: int, key: bytes, movement: Movement) -> None:
    if not movement.count:
        balances.move(at, movement.available, movement.held)
        return
    is_held = movement.count == HELD
    qty = movement.held if is_held else movement.available
    count = Count(at, movement.counted_at, movement_identity(key), qty)
    if not balances.outranks(count, is_held):
        balances.reset(count, is_held, 0)


def _copy(balances: Balances) -> Balances:
    return Balances(balances.available, balances.held, balances.available_count, balances.held_count)


# the window -----------------------------------------------------------------------------------------------------------


def _keep(site: Site, at: int, kind: int, identity: bytes, movement: Movement) -> None:
    turn, stock = site.turn, site.stock
    turn.put(movement_key(site.row, at, kind, identity), movement)
    fold_at = at + turn.rules.movement_window + FOLD_STRIDE
    if stock.fold_at is None or fold_at < stock.fold_at:
        stock.fold_at = fold_at


def _fold(site: Site) -> None:
    """Fold the oldest movements that have left the window, and note when to look again."""
    turn, stock = site.turn, site.stock
    floor = turn.edit(FLOOR + site.row, Floor)
    horizon = oldest_kept(site)
    stock.fold_at = None
    for number, (at, key, movement) in enumerate(site.movements(stock.floor_at)):
        if at > horizon or number == FOLDED_PER_EVENT:
            stock.fold_at = max(stock.latest, at + turn.rules.movement_window + FOLD_STRIDE)
            break
        _apply(floor, at, key, movement)
        turn.put(key, None)
        stock.floor_at = at
