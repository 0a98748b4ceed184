"""What reversals take of what was received under one number: the arithmetic of one receipt, from its row alone.

For example, a receipt brought 20 to line 1 and 10 to line 2. A reversal of 12 that names line 2 takes the 10 that are
there, and 2 of it wait. Then one without quantities takes the 20 of line 1.
"""

from msgspec import Struct
from msgspec.structs import replace

from tables.receipts import Part, ReceiptRow, Reversal

STATUSES = 3
"""Good, held and damaged."""
DAMAGED = 2


class Taken(Struct, frozen=True):
    """The parts and reversals of a receipt with what is taken at present, both in the order in which they are kept."""

    parts: list[Part]
    reversals: list[Reversal]


def take(receipt: ReceiptRow) -> Taken:
    """Let each reversal take what it may, in the order of their times, of what the receipts that it names brought.

    What it takes of a status is never more than came in that status; what finds nothing waits for a receipt.
    """
    left = [[part.qty, part.held, part.damaged] for part in receipt.parts]
    reversals = []
    for reversal in receipt.reversals:
        wanted = None if reversal.wanted is None else list(reversal.wanted)
        taken = [0] * STATUSES
        for place in _places(receipt.parts, reversal):
            for status, there in enumerate(left[place]):
                qty = there if wanted is None else min(there, wanted[status])
                left[place][status] -= qty
                taken[status] += qty
                if wanted is not None:
                    wanted[status] -= qty
        reversals.append(replace(reversal, available=taken[0], held=taken[1]))
    parts = [
        replace(
            part,
            reversed=part.qty + part.held + part.damaged - sum(rest),
            damaged_reversed=part.damaged - rest[DAMAGED],
        )
        for part, rest in zip(receipt.parts, left, strict=True)
    ]
    return Taken(parts, reversals)


def reopened_at(part: Part, reversals: list[Reversal], never: int) -> int:
    """The time of the last reversal that opens the line of a part again; `never` where there is none."""
    times = [one.at for one in reversals if one.reopens and one.names.agrees(part.names)]
    return max(times, default=never)


def _places(parts: list[Part], reversal: Reversal) -> list[int]:
    """The parts that a reversal may take of, those that share most with what it names first."""
    places = [place for place, part in enumerate(parts) if reversal.names.agrees(part.names)]
    return sorted(places, key=lambda place: -reversal.names.shares(parts[place].names))
