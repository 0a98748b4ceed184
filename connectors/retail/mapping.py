"""Invoice lines to events of the contract.

A sale leaves stock, a line of a cancelled invoice returns to it, a remark adjusts it. The event's id is the invoice and
the row within it, so that lines that repeat each other stay apart and a file sent again is recognised.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

import msgspec

from connectors.files.lines import Mark, read_lines
from connectors.files.readers import Item
from connectors.retail.invoices import COLUMNS, ZONE, BadLine, InvoiceLine, InvoiceParser

SOURCE = "online-retail/invoices"
LOCATION = "UK"
_encode = msgspec.json.Encoder().encode


def event_of(line: InvoiceLine, location: str = LOCATION, source: str = SOURCE) -> dict[str, Any] | None:
    """The CloudEvent of a line; None for one that moves no goods."""
    data: dict[str, Any] = {"sku": line.sku, "location": location, "qty": abs(line.qty)}
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
    """UTC microseconds as the shop's local time with its offset."""
    return datetime.fromtimestamp(at / 1_000_000, UTC).astimezone(ZONE).isoformat()


class InvoiceReader:
    """The invoices as a format of `stockline send`: `--profile online-retail`."""

    name = "online-retail"
    digest = "1"

    def read(self, source: BinaryIO, start: Mark) -> Iterator[Item]:
        """The lines behind `start`. What lies before is parsed again: the rows of an invoice are numbered from it."""
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
            return Item(mark.lines, mark, problem=str(error))
        event = event_of(line)
        if event is None:
            return Item(mark.lines, mark, skipped=line.kind)
        return Item(mark.lines, mark, (_encode(event),))
