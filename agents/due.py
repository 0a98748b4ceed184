"""When the clock must look at one document of a row: a reservation, a transfer, a line, a fact, a snooze.

Each document that waits for the clock has one key, ordered by its instant, so that a tick finds those that are due and
need not look at the others.
"""

from agents.turn import Site
from tables.wakes import due_key

RESERVATION = b"r"
TRANSFER = b"t"
ORDER_LINE = b"o"
OPEN_LINES = b"l"
"""A portion of the open order lines, all of which a policy concerns; the name is that of the line before it."""
FACT = b"f"
SIGNAL_SNOOZE = b"g"
ALERT_SNOOZE = b"a"


def schedule(site: Site, kind: bytes, name: str, old: int | None, new: int | None) -> None:
    """Move the look at a document from the instant `old` to `new`; None stands for no look."""
    if old == new:
        return
    if old is not None:
        site.turn.put(due_key(site.row, old, kind, name), None)
    if new is not None:
        site.turn.put(due_key(site.row, new, kind, name), b"")
        site.wake(new)
