"""Which document is due for an order: the difference between its lines and what was sent of them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from connectors.edi.outbound.lines import Line, LineKey, Ordered

DocumentKind = Literal["order", "change", "cancellation"]
Action = Literal["add", "change", "delete"]


@dataclass(frozen=True)
class LineChange:
    """What a document says of a line; of one that is deleted, `ordered` is what was sent before."""

    key: LineKey
    action: Action
    ordered: Ordered


@dataclass(frozen=True)
class OrderDocument:
    """A document about an order. A cancellation deletes all lines that the partner has of it."""

    kind: DocumentKind
    order: str
    placed: date
    changes: tuple[LineChange, ...]


@dataclass(frozen=True)
class Terms:
    """Whose orders are sent: those of `suppliers`, which were placed at `since` or later."""

    suppliers: frozenset[str]
    since: datetime | None = None


def document_due(lines: Sequence[Line], terms: Terms) -> OrderDocument | None:
    """The document that brings the partner up to date about an order, whose lines are `lines`; None where he is.

    A line that was closed is over for us, and nothing that a partner is told: he delivered it, or it was given up.
    """
    changes = [change for line in sorted(lines, key=_rank) if (change := _change(line, terms)) is not None]
    if not changes:
        return None
    order = changes[0].key.order
    placed = min(line.state.placed for line in lines if line.state.placed is not None)
    day = datetime.fromisoformat(placed).date()
    if not any(line.was_sent for line in lines):
        return OrderDocument("order", order, day, tuple(changes))
    has = {line.key for line in lines if line.sent is not None}
    is_over = has == {change.key for change in changes if change.action == "delete"} and len(has) == len(changes)
    return OrderDocument("cancellation" if is_over else "change", order, day, tuple(changes))


def _change(line: Line, terms: Terms) -> LineChange | None:
    wanted = line.state.wanted_from(terms.suppliers, terms.since)
    if wanted is not None and line.sent is None:
        return LineChange(line.key, "add", wanted)
    if wanted is not None and line.sent is not None and wanted != line.sent:
        return LineChange(line.key, "change", wanted)
    if wanted is None and line.sent is not None and (line.state.cancelled or not line.state.closed):
        return LineChange(line.key, "delete", line.sent)
    return None


def _rank(line: Line) -> tuple[int, LineKey]:
    """Lines in the order of their numbers: 9 before 10."""
    return len(line.key.line), line.key
