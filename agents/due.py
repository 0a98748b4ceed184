"""When the clock must look at one document of a row: a reservation, a transfer, an order line, a fact.

Each document that waits for the clock has one key, ordered by its instant, so that a tick finds those that are due and
need not look at the others.
"""

from agents.turn import Turn
from tables.stock import Stock
from tables.wakes import due_key

RESERVATION = b"r"
TRANSFER = b"t"
ORDER_LINE = b"o"
FACT = b"f"


def schedule(turn: Turn, row: bytes, stock: Stock, kind: bytes, name: str, old: int | None, new: int | None) -> None:
    """Move the look at a document from the instant `old` to `new`; None stands for no look."""
    if old == new:
        return
    if old is not None:
        turn.put(due_key(row, old, kind, name), None)
    if new is not None:
        turn.put(due_key(row, new, kind, name), b"")
        turn.wake(stock, new)
