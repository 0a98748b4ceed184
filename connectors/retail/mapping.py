"""Maps invoice lines to events of the contract.

A sale issues stock, a line of a cancelled invoice returns it, a remark adjusts it. The event's id is made of the
invoice and the row within it: lines that repeat each other stay apart, and a file that is sent again is recognised.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec

from connectors.files.lines import Mark, read_lines
from connectors.files.readers import Item
from connectors.retail.invoices import COLUMNS, ZONE, BadLine, InvoiceLine, InvoiceParser

SOURCE = "online-retail/invoices"
LOCATION = "UK"
_encode = msgspec.json.Encoder().encode


def event_of(line: InvoiceLine, location: str = LOCATION, source: str = SOURCE) -> dict[str, object] | None:
    """The CloudEvent of a line; None if the line moves no goods."""
    data: dict[str, object] = {"sku": line.sku, "location": location, "qty": abs(line.qty)}
    if line.kind == "sale":
        kind, data["order"] = "stock.issued", line.invoice
    elif line.kind == "return":
        kind, data["disposition"] = "stock.returned", "available"
    elif line.kind == "adjustment":
        kind = "stock.adjusted"
        data.update(qty=line.qty, reason=line.reason)
    else:
        return None
    return {
        "specversion": "1.0",
        "id": f"{line.invoice}-{line.row}",
        "source": source,
        "type": kind,
        "time": local_time(line.at),
        "data": data,
    }


def local_time(at: int) -> str:
    """An instant in microseconds UTC, as the shop's local time in ISO 8601 with its offset."""
    return datetime.fromtimestamp(at / 1_000_000, UTC).astimezone(ZONE).isoformat()


class InvoiceReader:
    """The `Reader` of the invoices: `stockline send --profile online-retail`."""

    name = "online-retail"
    digest = "1"

    def read(self, source: BinaryIO, start: Mark) -> Iterator[Item]:
        """The lines after `start`. The lines before it are parsed too, since they number the rows of an invoice."""
        parser = InvoiceParser()
        for line in read_lines(source):
            mark = line.mark
            if line.text is None:
                item = Item(line.number, mark, problem="the line is too long")
            else:
                item = self._item(parser, line.text, mark)
            if mark.offset > start.offset:
                yield item

    def _item(self, parser: InvoiceParser, text: bytes, mark: Mark) -> Item:
        try:
            cells = next(csv.reader([text.decode()], strict=True), [])
            if not cells or tuple(cells) == COLUMNS:
                return Item(mark.lines, mark)
            line = parser.parse(cells)
        except (BadLine, ValueError, csv.Error) as error:
            return Item(mark.lines, mark, problem=str(error), record=text)
        event = event_of(line)
        if event is None:
            return Item(mark.lines, mark, skipped=line.kind)
        return Item(mark.lines, mark, (_encode(event),), record=text)
