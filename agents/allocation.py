"""First in, first out: a quantity fills ordered slots in turn.

Receipts that name only an order fill its lines by number; receipts that name no shipment use up the shipments of their
line by date. Every slot before the last one in use is full. A change moves only this boundary: the slots before it
and after it are not looked at, so the cost follows the slots that change.

For example, 12 units fill slots of 10 and 5 with 10 and 2. If the first slot shrinks to 7, its owner takes 3 out of it
and calls `allocate(slots, 3, resized=True)`: they go to the second slot, which then is full, and nothing is left over.
"""

from collections.abc import Iterator
from typing import Protocol


class Slots(Protocol):
    """Ordered slots, named by keys that sort in their order."""

    def openings(self) -> Iterator[bytes]:
        """The slots that have room left, the first one first, read as they are taken."""

    def takings(self) -> Iterator[bytes]:
        """The slots of which something is taken, the last one first, read as they are taken."""

    def room(self, slot: bytes) -> int:
        """How much room is left in a slot."""

    def taken(self, slot: bytes) -> int:
        """How much of a slot is taken."""

    def take(self, slot: bytes, qty: int) -> None:
        """Take `qty` more of a slot; a negative quantity gives back."""


def allocate(slots: Slots, loose: int, resized: bool) -> int:
    """Spread `loose` units over the slots.

    Args:
        slots: no slot may have more taken than it holds.
        loose: the units; a negative number gives so many back, from the last slot on.
        resized: whether the room or the order of slots has changed, so that later units may have to move forward.

    Returns:
        The units that found no room.
    """
    if loose < 0:
        _give_back(slots, -loose)
        loose = 0
    for slot in slots.openings() if loose else ():
        part = min(loose, slots.room(slot))
        slots.take(slot, part)
        loose -= part
        if not loose:
            break
    if resized and not loose:
        _move_forward(slots)
    return loose


def _give_back(slots: Slots, owed: int) -> None:
    for slot in slots.takings():
        part = min(owed, slots.taken(slot))
        slots.take(slot, -part)
        owed -= part
        if not owed:
            break


def _move_forward(slots: Slots) -> None:
    """Let units of later slots fill the earlier ones that have room."""
    openings, takings = slots.openings(), slots.takings()
    first, last = next(openings, None), next(takings, None)
    while first is not None and last is not None and first < last:
        part = min(slots.room(first), slots.taken(last))
        slots.take(last, -part)
        slots.take(first, part)
        if not slots.taken(last):
            last = next(takings, None)
        if not slots.room(first):
            first = next(openings, None)
