"""The words of the contract once more, in the plain way: what `sound` compares the rows with."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from agents.calendar import EPOCH_DAY
from agents.lines import UNDATED
from agents.order_line import CLOSED, REOPENED
from engine.core.values import DAY
from tables import keys
from tables.forecast import Revision
from tables.ledger import Count, Floor, Movement, movement_at, movement_identity
from tables.purchasing import Line, Piece, Shipment, line_name, slot_key


class Owes(NamedTuple):
    """What a line still brings, by the words of the contract."""

    promised: int
    received: int
    on_order: int
    in_transit: int


def balances(floor: Floor, moves: list[tuple[bytes, Movement]]) -> tuple[int, int]:
    """Available and held: the latest count of each by its own time, and the movements after what it covers."""
    counts: dict[bool, Count | None] = {False: floor.available_count, True: floor.held_count}
    for key, move in moves:
        if move.count:
            new = Count(moved_at(key), move.counted_at, movement_identity(key), move.held or move.available)
            old = counts[move.count == 2]
            if old is None or new.rank > old.rank:
                counts[move.count == 2] = new
    total = []
    for is_held, start in ((False, floor.available), (True, floor.held)):
        count = counts[is_held]
        stands = count is not None and count not in (floor.available_count, floor.held_count)
        after = sum(
            move.held if is_held else move.available
            for key, move in moves
            if not move.count and (count is None or moved_at(key) > count.covers)
        )
        total.append(after + (count.qty if stands and count is not None else start))
    return total[0], total[1]


def closings(row: bytes, name: str, shipment: Shipment) -> list[bytes]:
    """The slots of what closed the line of a shipment, and of what opened it again."""
    if shipment.order is None or shipment.line is None:
        return []
    line, closing = line_name(shipment.order, shipment.line), shipment.closing
    moments = ((CLOSED, closing.closed_at), (REOPENED, closing.reopened_at))
    return [slot_key(row, kind, line, keys.timed(at, name)) for kind, at in moments if at != keys.NEVER]


def in_force(base: list[Revision], deltas: list[Revision]) -> list[Revision]:
    """The base, and the deltas that amend what counts, over and over until none is added."""
    counting = list(base)
    left = list(deltas)
    while True:
        names = {revision.version for revision in counting}
        added = [delta for delta in left if delta.base_version is None or delta.base_version in names]
        if not added:
            return counting
        counting += added
        left = [delta for delta in left if delta not in added]


def day_at(at: int) -> int:
    """The day (an ordinal) of an instant, a day less where a time zone may not have got there."""
    return EPOCH_DAY + at // DAY - 2


def moved_at(key: bytes) -> int:
    return movement_at(key)


def owes(line: Line) -> Owes:
    received = line.received + line.unlined + line.excess
    said = sum(qty for status, qty, _ in line.promises if status != "rejected")
    promised = (line.ordered or 0) if line.promised_rank is None else min(line.ordered or 0, said)
    if line.closed:
        return Owes(promised, received, 0, 0)
    moving = max(line.shipped - received, 0)
    return Owes(promised, received, max(max(promised - received, 0) - moving, 0), moving)


def room(line: Line) -> int:
    return 0 if line.closed else max(0, max(owes(line).promised, line.shipped) - line.received)


def slot_of(piece: Piece, shipment: str) -> bytes:
    return keys.dated(UNDATED if piece.eta is None else piece.eta, shipment)


def latest(line: Line) -> int | None:
    told = [day for status, qty, day in line.promises if day is not None and qty and status != "rejected"]
    if line.latest_eta is not None:
        told.append(line.latest_eta)
    return max(told, default=line.due)


def promises(line: Line, share: Owes) -> list[tuple[int | None, int]]:
    """(day, quantity) on order: unit by unit, the earliest promises are used up first, the latest count for nothing."""
    if line.promised_rank is None:
        return [(line.due, share.on_order)]
    dated = [
        (day or (None if status == "backordered" else line.due), qty)
        for status, qty, day in line.promises
        if status != "rejected"
    ]
    dated.sort(key=lambda promise: UNDATED if promise[0] is None else promise[0])
    units: list[int | None] = [day for day, qty in dated for _ in range(qty)][: share.promised]
    by_day: dict[int | None, int] = defaultdict(int)
    for day in units[share.promised - share.on_order :] if share.on_order else ():
        by_day[day] += 1
    return list(by_day.items())
