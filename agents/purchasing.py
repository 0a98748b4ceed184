"""Purchase orders: what is ordered, promised, shipped and received, and so what is on order and in transit.

Rows: `Order`, `Line`, `Piece` (what a shipment brings to a line), `Shipment` (receipts that name only a shipment).
Every line is a function of the set of its events: each field keeps the rank (revision, time, identity) of the event
that set it. What an event costs follows the lines and shipments that it changes, not those that the row holds.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from agents import drift_lead_time, due, line_alerts, line_figures, supply
from agents.book import Book
from agents.lines import Owed, Supply, latest_promise, on_order_supply, owed, undated_supply
from agents.order_line import OPEN, Change
from agents.reader import RowView
from agents.turn import Site
from engine.core import payloads as p
from engine.core.events import OrderCancelled
from tables import keys
from tables.keys import Rank
from tables.purchasing import (
    LINE,
    ORDER,
    PIECE,
    Closing,
    Line,
    Piece,
    line_name,
    line_parts,
    slot_range,
)
from tables.table import Key
from tables.wakes import open_key, open_name, open_range

# keys that a new document asks for ------------------------------------------------------------------------------------


def keys_of_order(row: bytes, data: p.OrderPlacedData) -> list[bytes]:
    """The keys that `order.placed` asks for; mostly nothing is there yet."""
    name = line_name(data.order, str(data.line))
    return [keys.part(LINE, row, name), keys.part(ORDER, row, data.order)]


LINES_PER_LOOK = 25
"""At most so many lines are looked at in one step of the clock, so that no step pays for all that are open."""

# transitions ----------------------------------------------------------------------------------------------------------


def place(site: Site, data: p.OrderPlacedData) -> None:
    """`order.placed`: the highest revision wins, then the latest `time`."""
    book = Book(site)
    line = book.line(data.order, str(data.line)).line
    rank: Rank = (data.revision, site.turn.at, site.turn.identity)
    if line.supplier_rank is None or rank > line.supplier_rank:
        line.supplier, line.supplier_rank = data.supplier, rank
    at = site.turn.at
    line.placed_at = at if line.placed_at is None else min(line.placed_at, at)
    _order_quantity(line, rank, data.qty, data.due.toordinal())
    _note_placed(book, data.order)
    carry(book)


def change(site: Site, data: p.OrderChangedData) -> None:
    """`order.changed`: quantity, date, or both."""
    book = Book(site)
    line = book.line(data.order, str(data.line)).line
    rank: Rank = (data.revision, site.turn.at, site.turn.identity)
    _order_quantity(line, rank, data.qty, data.due.toordinal() if data.due else None)
    if data.qty is not None:
        _note_placed(book, data.order)
    carry(book)


def end(site: Site, data: p.OrderEndedData) -> None:
    """`order.cancelled`, `order.closed`: nothing more is expected on the line, for good."""
    book = Book(site)
    line = book.line(data.order, str(data.line)).line
    line.ended, line.closing = True, line.closing.joined(Closing(closed_at=site.turn.at))
    line.cancelled |= isinstance(site.turn.event, OrderCancelled)
    carry(book)


def acknowledge(site: Site, data: p.OrderAcknowledgedData) -> None:
    """`order.acknowledged`: the latest by `time` replaces the earlier ones."""
    book = Book(site)
    line = book.line(data.order, str(data.line)).line
    rank: Rank = (0, site.turn.at, site.turn.identity)
    at = site.turn.at
    line.acknowledged_at = at if line.acknowledged_at is None else min(line.acknowledged_at, at)
    if line.promised_rank is None or rank > line.promised_rank:
        line.promised_rank = rank
        line.promises = [(e.status, e.qty, e.due.toordinal() if e.due else None) for e in data.schedule]
    carry(book)


def _order_quantity(line: Line, rank: Rank, qty: int | None, day: int | None) -> None:
    if qty is not None and (line.ordered_rank is None or rank > line.ordered_rank):
        line.ordered, line.ordered_rank = qty, rank
    if day is not None and (line.due_rank is None or rank > line.due_rank):
        line.due, line.due_rank = day, rank


def _note_placed(book: Book, name: str) -> None:
    order = book.turn.require(keys.part(ORDER, book.row, name))
    if not order.placed:
        book.order(name).placed = True


# consequences ---------------------------------------------------------------------------------------------------------


def carry(book: Book) -> None:
    """Carry the difference in what the changed lines owe to their row, and watch the lines.

    The sums of the row (on order, in transit, supply by day) change by what a line owes now less what it owed before.
    """
    site, stock = book.site, book.site.stock
    stock.supply_at = max(stock.supply_at, site.turn.at)
    days: dict[int, int] = defaultdict(int)
    aged = False
    for changed in book.allocate():
        before, after = (changed.before, owed(changed.before)), (changed.line, owed(changed.line))
        stock.on_order += after[1].on_order - before[1].on_order
        stock.in_transit += after[1].in_transit - before[1].in_transit
        _carry_line(*before, days, -1)
        _carry_line(*after, days, 1)
        _carry_shipments(changed, days)
        line_alerts.watch(changed, before[1], after[1])
        line_figures.follow(changed, before[1], after[1])
        aged |= drift_lead_time.follow(site, changed.name, before, after)
    for day, qty in days.items():
        supply.add(site, day, qty)
    if aged:
        drift_lead_time.watch(site)


def _carry_line(line: Line, share: Owed, days: dict[int, int], sign: int) -> None:
    """Add the supply of a line to sums by day, or with `sign` -1 take it off; shipments with an eta are not in it."""
    for piece in (*on_order_supply("", line, share), *undated_supply("", line)):
        if piece.day is not None:
            days[piece.day] += sign * piece.qty


def _carry_shipments(changed: Change, days: dict[int, int]) -> None:
    """Carry the difference in what the shipments of a line still bring to the row.

    These are the shipments that have changed; if the line closes or opens again, all of its shipments.
    """
    was_live, is_live = not changed.before.closed, not changed.line.closed
    if was_live == is_live and not changed.pieces:
        return
    others = changed.openings() if was_live != is_live else iter(())
    for name in sorted({*changed.pieces, *(keys.dated_parts(slot)[1] for slot in others)}):
        after = changed.piece(name)
        before = changed.pieces.get(name, after)
        old, new = before.open if was_live else 0, after.open if is_live else 0
        supply.transit(changed.site, old, new)
        for piece, qty in ((before, -old), (after, new)):
            if piece.eta is not None:
                days[piece.eta] += qty


def check_line(site: Site, name: str) -> None:
    """Look at the dates of a line again: the clock has moved."""
    line = Book(site).line(*line_parts(name))
    line.line.look_at = None
    _look_again(line)


def check_lines(site: Site, after: str) -> None:
    """Look at the dates of open lines again, a portion of them after the line `after`: the policy is another one."""
    start, stop = open_range(site.row, due.ORDER_LINE)
    if after:
        start = Key(open_key(site.row, due.ORDER_LINE, after) + b"\0")
    names = [open_name(key, site.row) for key, _ in islice(site.turn.scan(start, stop), LINES_PER_LOOK)]
    book = Book(site)
    for name in names:
        _look_again(book.line(*line_parts(name)))
    if len(names) == LINES_PER_LOOK:
        due.schedule(site, due.OPEN_LINES, names[-1], None, site.turn.now)


def _look_again(line: Change) -> None:
    share = owed(line.line)
    line_alerts.watch_dates(line, share, share)


# for readers ----------------------------------------------------------------------------------------------------


def order_known(site: Site, order: str, number: str | None) -> bool:
    """Whether the quantity of a line is known, or with `number` None that of any line of the order."""
    if number is None:
        header = site.turn.get(keys.part(ORDER, site.row, order))
        return header is not None and header.placed
    line = site.turn.get(keys.part(LINE, site.row, line_name(order, number)))
    return line is not None and line.ordered is not None


def open_lines(view: RowView, limit: int) -> Iterator[tuple[str, Line]]:
    """(name, line) of the first `limit` lines of which something is open, by order, then by number."""
    for key, _ in islice(view.reader.scan(*open_range(view.row, due.ORDER_LINE)), limit):
        name = open_name(key, view.row)
        yield name, view.reader.require(keys.part(LINE, view.row, name))


def shipments_of(view: RowView, name: str, limit: int) -> Iterator[tuple[str, Piece]]:
    """(shipment, what it brings) of the first `limit` shipments of a line, by name."""
    start, stop = keys.parts_range(PIECE, view.row, name)
    for key, piece in islice(view.reader.scan(start, stop), limit):
        yield key[len(start) :].decode(), piece


def supply_of(view: RowView, name: str, line: Line) -> Iterator[Supply]:
    """The pieces of supply that a line still brings, shipments first."""
    reader, row, label = view.reader, view.row, "/".join(line_parts(name))
    if not line.closed:
        start, stop = slot_range(row, OPEN, name)
        for key, _ in reader.scan(start + line.open_from, stop):
            shipment = keys.dated_parts(key[len(start) :])[1]
            piece = reader.require(keys.part(PIECE, row, name, shipment))
            day = latest_promise(line) if piece.eta is None else piece.eta
            yield Supply(f"{label} {shipment}", day, piece.open, "shipment")
    yield from on_order_supply(label, line, owed(line))
