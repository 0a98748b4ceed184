"""Shipments: what suppliers announce as on its way, and what changes of it.

Rows: `Piece` (what a shipment brings to a line) and `Shipment` (the line to which receipts that name only the shipment
belong). The quantity of a piece is that of its notices together, unless a change of a higher rank states another one.
"""

from msgspec.structs import replace

from agents.book import Book
from agents.line_figures import note_notice
from agents.order_line import Change
from agents.purchasing import carry
from agents.turn import Site, Turn
from engine.core import payloads as p
from engine.core.events import ShipmentCancelled
from tables import keys
from tables.keys import NEVER, Rank
from tables.purchasing import LINE, PIECE, SHIPMENT, Piece, Shipment, Stated, line_name


def keys_of_shipment(row: bytes, data: p.ShipmentNotifiedData | p.ShipmentChangedData) -> list[bytes]:
    """The keys that an event of a shipment asks for; of a notice mostly only its line is there yet."""
    name = line_name(data.order, str(data.line))
    return [
        keys.part(LINE, row, name),
        keys.part(PIECE, row, name, data.shipment),
        keys.part(SHIPMENT, row, data.shipment),
    ]


def notify(site: Site, data: p.ShipmentNotifiedData) -> None:
    """`shipment.notified`: moves open quantity of the line to in transit.

    Receipts that name only the shipment belong to the line of its earliest notice, whichever came first.
    """
    turn, row, book = site.turn, site.row, Book(site)
    line = book.line(data.order, str(data.line))
    rank: Rank = (0, turn.at, turn.identity)
    note_notice(line)
    piece = _with_eta(line.piece(data.shipment), rank, data)
    notified = (piece.qty if piece.stated is None else piece.stated.notified) + data.qty
    first = rank if piece.notice_rank is None else min(rank, piece.notice_rank)
    line.put(data.shipment, _with_quantity(replace(piece, notice_rank=first), notified, piece.stated))
    old, noticed = shipment_of(turn, row, data.shipment), rank[1:]
    if old.rank is None or noticed < old.rank:
        new = replace(old, order=data.order, line=line.number, rank=noticed)
        turn.put(keys.part(SHIPMENT, row, data.shipment), new)
        if old.last_received_at != NEVER:
            _move_credit(book, line, data.shipment, old)
    carry(book)


def change(site: Site, data: p.ShipmentChangedData) -> None:
    """`shipment.changed`, `shipment.cancelled`: replaces what the notice said of the line, by the highest revision.

    A shipment that is cancelled brings nothing, so the line has the quantity on order again.
    """
    turn, book = site.turn, Book(site)
    line = book.line(data.order, str(data.line))
    rank: Rank = (data.revision, turn.at, turn.identity)
    piece, qty = line.piece(data.shipment), data.qty
    if isinstance(turn.event, ShipmentCancelled):
        qty = 0
    else:
        piece = _with_eta(piece, rank, data)
    known = piece.stated
    if qty is not None and (known is None or rank > known.rank):
        notified = piece.qty if known is None else known.notified
        piece = _with_quantity(piece, notified, Stated(qty, rank, notified))
    line.put(data.shipment, piece)
    carry(book)


def _with_eta(piece: Piece, rank: Rank, data: p.ShipmentNotifiedData | p.ShipmentChangedData) -> Piece:
    if data.eta is None or (piece.eta_rank is not None and rank <= piece.eta_rank):
        return piece
    return replace(piece, eta=data.eta.toordinal(), eta_rank=rank)


def _with_quantity(piece: Piece, notified: int, stated: Stated | None) -> Piece:
    """The piece with the quantity of the highest rank: that of its notices, which rank as the first, or of a change."""
    if stated is None:
        return replace(piece, qty=notified)
    outranked = piece.notice_rank is not None and piece.notice_rank > stated.rank
    return replace(piece, qty=notified if outranked else stated.qty, stated=replace(stated, notified=notified))


def _move_credit(book: Book, line: Change, name: str, shipment: Shipment) -> None:
    """Let receipts that name only a shipment count for `line`, no longer for the line of a later notice."""
    if shipment.order is not None and shipment.line is not None:
        book.line(shipment.order, shipment.line).credit(name, shipment, None)
    line.credit(name, None, shipment)
    stock = book.site.stock
    stock.supply_at = max(stock.supply_at, shipment.last_received_at)


def shipment_of(turn: Turn, row: bytes, name: str) -> Shipment:
    """What is known of a shipment by its number."""
    shipment = turn.get(keys.part(SHIPMENT, row, name))
    return shipment or Shipment()
