"""Receipts: what they set against order lines and shipments."""

from msgspec.structs import replace

from agents.book import Book
from agents.purchasing import carry
from agents.shipments import shipment_of
from agents.turn import Site
from engine.core import payloads as p
from tables import keys
from tables.purchasing import SHIPMENT


def receive(site: Site, data: p.GoodsReceivedData) -> None:
    """`goods.received`: reduces what the line and the shipment still owe."""
    book = Book(site)
    total = data.qty + data.held + data.damaged
    if data.order is None:
        if data.shipment is not None and _receive_shipment(book, data.shipment, total, data.closes_line):
            carry(book)
        return
    if data.line is None:
        _receive_order(book, data.order, total, data.closes_line)
    else:
        line = book.line(data.order, str(data.line))
        line.receive(total, site.turn.at)
        line.line.ended |= data.closes_line
        if data.shipment is not None:
            piece = line.piece(data.shipment)
            line.put(data.shipment, replace(piece, received=piece.received + total))
    carry(book)


def _receive_order(book: Book, name: str, total: int, closes: bool) -> None:
    """Take a receipt that names an order but no line; it closes the line of an order that has only one."""
    order = book.order(name)
    order.unlined += total
    order.spare += total
    order.closes |= closes
    if order.first is not None:
        book.line(name, order.first).line.order_closes = order.closes and not order.many


def _receive_shipment(book: Book, name: str, total: int, closes: bool) -> bool:
    """Take a receipt that names only a shipment; returns whether the line of the shipment is known."""
    turn = book.turn
    old = shipment_of(turn, book.row, name)
    new = replace(
        old,
        received=old.received + total,
        last_received_at=max(old.last_received_at, turn.at),
        closes=old.closes or closes,
    )
    turn.put(keys.part(SHIPMENT, book.row, name), new)
    if old.order is None or old.line is None:
        return False
    book.line(old.order, old.line).credit(name, old, new)
    return True
