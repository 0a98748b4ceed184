"""Receipts: what they set against order lines and shipments, and what takes them back.

Rows: `ReceiptRow` (all receipts and reversals of one number). What a reversal takes follows from the set of receipts
and reversals of its number, whatever came first: it is computed anew with each of them, and the difference is carried
to the stock, at the reversal's own moment, and to the lines.
"""

from bisect import insort
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from agents import drift, figures, ledger
from agents.book import Book
from agents.purchasing import carry
from agents.reversals import reopened_at, take
from agents.shipments import shipment_of
from agents.turn import Site
from engine.core import payloads as p
from engine.core.outcomes import Rejection
from tables import keys
from tables.keys import NEVER
from tables.ledger import Movement
from tables.purchasing import LINE, NOT_CLOSED, ORDER, SHIPMENT, Closing, earliest, line_name
from tables.receipts import RECEIPT, Named, Part, ReceiptRow, Reversal

MAX_PARTS = 100
"""A number stands for receipts of so many different orders, lines and shipments at most, and for as many reversals."""

TOO_MANY = Rejection("row_too_large", f"under one receipt number at most {MAX_PARTS} lines and reversals are kept")


class Credit(Struct, frozen=True):
    """What is set against a line: units (negative where they are taken back), when they came, and what closes it."""

    qty: int
    at: int = NEVER
    closing: Closing = NOT_CLOSED


def keys_of_receipt(row: bytes, data: p.GoodsReceivedData | p.ReceiptReversedData) -> list[bytes]:
    """The keys that an event of a receipt asks for; mostly nothing is there yet."""
    return [keys.part(RECEIPT, row, data.receipt)]


def receive(site: Site, data: p.GoodsReceivedData) -> Rejection | None:
    """`goods.received`: reduces what the line and the shipment still owe, unless a reversal waits for it."""
    book, names, at = Book(site), _names(data), site.turn.at
    closing = Closing(closed_at=at) if data.closes_line else NOT_CLOSED
    is_known = _set_against(book, names, Credit(data.qty + data.held + data.damaged, at, closing))
    receipt = site.turn.edit(keys.part(RECEIPT, site.row, data.receipt), ReceiptRow)
    if not _keep(receipt, names, data):
        return TOO_MANY
    if data.damaged:
        figures.damaged(site, _supplier_of(site, names), 1, data.damaged)
    if receipt.reversals:
        _take_back(book, receipt)
    if is_known or book.changes:
        carry(book)
    return None


def reverse(site: Site, data: p.ReceiptReversedData) -> Rejection | None:
    """`receipt.reversed`: takes back a receipt or a part of it; the line and the shipment owe it again.

    A reversal that comes before its receipt waits for it.
    """
    turn = site.turn
    receipt = turn.edit(keys.part(RECEIPT, site.row, data.receipt), ReceiptRow)
    if receipt.overfull or len(receipt.reversals) == MAX_PARTS:
        return TOO_MANY
    given = (data.qty, data.held, data.damaged)
    wanted = None if given == (None, None, None) else (data.qty or 0, data.held or 0, data.damaged or 0)
    receipt.reversals = list(receipt.reversals)
    reversal = Reversal(turn.at, turn.identity, turn.ref, _names(data), wanted, data.reopens_line)
    insort(receipt.reversals, reversal, key=attrgetter("rank"))
    ledger.advance(site)
    book = Book(site)
    _take_back(book, receipt)
    carry(book)
    return None


def _names(data: p.GoodsReceivedData | p.ReceiptReversedData) -> Named:
    line = None if data.order is None or data.line is None else str(data.line)
    return Named(data.order, line, data.shipment)


def _keep(receipt: ReceiptRow, names: Named, data: p.GoodsReceivedData) -> bool:
    """Add a receipt to what its number stands for; returns whether that can be kept, as reversals ask for it."""
    known = next((part for part in receipt.parts if part.names == names), None)
    if receipt.overfull or (known is None and len(receipt.parts) == MAX_PARTS):
        receipt.parts, receipt.overfull = [], True
        return not receipt.reversals
    old = known or Part(names, 0, 0, 0)
    new = replace(old, qty=old.qty + data.qty, held=old.held + data.held, damaged=old.damaged + data.damaged)
    others = [part for part in receipt.parts if part is not known]
    receipt.parts = sorted([new, *others], key=lambda part: part.names.rank)
    return True


def _supplier_of(site: Site, names: Named) -> str | None:
    """The supplier of the line that a receipt names, of its shipment's line, or of its order's first line, if known."""
    order, number = names.order, names.line
    if order is None and names.shipment is not None:
        shipment = shipment_of(site.turn, site.row, names.shipment)
        order, number = shipment.order, shipment.line
    if order is not None and number is None:
        header = site.turn.get(keys.part(ORDER, site.row, order))
        number = None if header is None else header.first
    if order is None or number is None:
        return None
    line = site.turn.get(keys.part(LINE, site.row, line_name(order, number)))
    return None if line is None else line.supplier


# what is taken back ---------------------------------------------------------------------------------------------------


def _take_back(book: Book, receipt: ReceiptRow) -> None:
    """Let the difference in what the reversals of a receipt take change stock and lines."""
    before, after = receipt, take(receipt)
    _move(book.site, before.reversals, after.reversals)
    for old, new in zip(before.parts, after.parts, strict=True):
        closing = Closing(reopened_at=reopened_at(new, after.reversals, NEVER))
        if new.reversed != old.reversed or closing != NOT_CLOSED:
            _set_against(book, new.names, Credit(old.reversed - new.reversed, closing=closing))
        if new.damaged_reversed != old.damaged_reversed:
            units = old.damaged_reversed - new.damaged_reversed
            figures.damaged(book.site, _supplier_of(book.site, new.names), 0, units)
    receipt.parts, receipt.reversals = after.parts, after.reversals


def _move(site: Site, before: list[Reversal], after: list[Reversal]) -> None:
    """Move stock by what the reversals take now and did not before, each at its own moment."""
    stock, is_reported = site.stock, False
    for old, new in zip(before, after, strict=True):
        available, held = old.available - new.available, old.held - new.held
        if available or held:
            movement = Movement(available, held, "receipt.reversed", new.ref, 0, new.names.order or "")
            ledger.amend(site, new.at, new.identity, movement)
            is_reported |= new.at <= stock.reported_at
    if is_reported and site.turn.at > stock.reported_at:
        # The receipt is later than the report that should have held its reversal, so nothing else compares it again.
        drift.recheck(site)


# lines and shipments --------------------------------------------------------------------------------------------------


def _set_against(book: Book, names: Named, credit: Credit) -> bool:
    """Set a credit against what a receipt names; returns whether a line or an order is known."""
    if names.order is None:
        return names.shipment is not None and _set_against_shipment(book, names.shipment, credit)
    if names.line is None:
        _set_against_order(book, names.order, credit)
        return True
    change = book.line(names.order, names.line)
    change.receive(credit.qty, credit.at)
    line = change.line
    line.ended |= credit.closing.closed_at != NEVER
    line.closing = line.closing.joined(credit.closing)
    if names.shipment is not None:
        piece = change.piece(names.shipment)
        change.put(names.shipment, replace(piece, received=piece.received + credit.qty))
    return True


def _set_against_order(book: Book, name: str, credit: Credit) -> None:
    """Set a credit against an order of which no line is named; it closes the line of an order that has only one."""
    book.credit(name, credit.qty)
    order = book.order(name)
    order.closes |= credit.closing.closed_at != NEVER
    order.closing = order.closing.joined(credit.closing)
    if order.first is not None:
        line = book.line(name, order.first).line
        line.order_closes = order.closes and not order.many
        line.order_closing = NOT_CLOSED if order.many else order.closing


def _set_against_shipment(book: Book, name: str, credit: Credit) -> bool:
    """Set a credit against a shipment of which no line is named; returns whether its line is known."""
    turn = book.turn
    old = shipment_of(turn, book.row, name)
    new = replace(
        old,
        received=old.received + credit.qty,
        last_received_at=max(old.last_received_at, credit.at),
        first_received_at=earliest(old.first_received_at, credit.at),
        closes=old.closes or credit.closing.closed_at != NEVER,
        closing=old.closing.joined(credit.closing),
    )
    turn.put(keys.part(SHIPMENT, book.row, name), new)
    if old.order is None or old.line is None:
        return False
    book.line(old.order, old.line).credit(name, old, new)
    return True
