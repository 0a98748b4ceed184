"""Parses the lines of the Online Retail invoices and classifies them.

Besides sales, the data holds cancellations and returns (invoices that start with C), stock written off or found (price
0, with a remark where the product's name should be), bad debt (invoices that start with A), and codes that are no
goods: postage, fees, discounts. Stock codes that differ only in case are the same goods. Rows that repeat another row
exactly are lines of their own.
"""

import csv
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from connectors.files.lines import open_input
from connectors.retail.remarks import is_remark, reason_of
from engine.core.errors import StocklineError

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
ZONE = ZoneInfo("Europe/London")
_GOODS = re.compile(r"(\d{5}[A-Z]{0,3}|DCGS[A-Z0-9]+)$")
_INVOICES_REMEMBERED = 64

Kind = Literal["sale", "return", "adjustment", "not goods", "bad debt", "no quantity"]


class BadLine(StocklineError):
    """A line is not an invoice line; the message says why."""


class InvoiceLine(NamedTuple):
    """One line of an invoice; `row` is its number within the invoice, from 1.

    `qty` is in signed units, `at` in microseconds UTC, `price` in GBP a unit. `reason` is given for adjustments only.
    """

    invoice: str
    row: int
    sku: str
    description: str
    qty: int
    at: int
    price: float
    customer: str
    country: str
    kind: Kind
    reason: str | None


class InvoiceParser:
    """Parses the cells of lines and numbers the lines of each invoice.

    The lines of an invoice may be interrupted by a few lines of others, so the counts of the last invoices are kept.
    """

    def __init__(self) -> None:
        self._rows: OrderedDict[str, int] = OrderedDict()
        self._moments: dict[str, int] = {}

    def parse(self, cells: list[str]) -> InvoiceLine:
        """Parse the cells of one line. Raises `BadLine`."""
        if len(cells) != len(COLUMNS):
            raise BadLine(f"{len(cells)} cells where {len(COLUMNS)} are expected")
        invoice, code, description, quantity, moment, price, customer, country = cells
        if not invoice.strip():
            raise BadLine("no invoice number")
        # The row is counted before anything can fail, so that a broken line does not shift the ids behind it.
        row = self._count(invoice)
        try:
            qty, unit_price = int(quantity), float(price)
        except ValueError:
            raise BadLine(f"quantity {quantity!r} or price {price!r} is not a number") from None
        kind, reason = classify(invoice, code, description, qty, unit_price)
        at = self._moment(moment)
        return InvoiceLine(
            invoice, row, code.strip().upper(), description.strip(), qty, at, unit_price,
            customer.removesuffix(".0"), country, kind, reason,
        )  # fmt: skip

    def _count(self, invoice: str) -> int:
        row = self._rows.get(invoice, 0) + 1
        self._rows[invoice] = row
        self._rows.move_to_end(invoice)
        if len(self._rows) > _INVOICES_REMEMBERED:
            self._rows.popitem(last=False)
        return row

    def _moment(self, text: str) -> int:
        at = self._moments.get(text)
        if at is None:
            try:
                local = datetime.fromisoformat(text).replace(tzinfo=ZONE)
            except ValueError:
                raise BadLine(f"{text!r} is not a time") from None
            self._moments = {text: (at := int(local.timestamp()) * 1_000_000)}
        return at


def classify(invoice: str, code: str, description: str, qty: int, price: float) -> tuple[Kind, str | None]:
    """The kind of a line, and the reason of an adjustment."""
    if invoice.startswith("A"):
        return "bad debt", None
    if not _GOODS.match(code.strip().upper()):
        return "not goods", None
    if qty == 0:
        return "no quantity", None
    if invoice.startswith("C"):
        return ("return", None) if qty < 0 else ("adjustment", "correction")
    if qty < 0:
        return "adjustment", reason_of(description, qty)
    if price == 0 and is_remark(description):
        return "adjustment", reason_of(description, qty)
    return "sale", None


def packaged_data() -> Path:
    """The path of the data in the distribution: December 2010 to September 2011."""
    return Path(str(resources.files("connectors.retail").joinpath("data/online-retail-2010-12-to-2011-09.csv.xz")))


def read_invoices(path: Path | None = None) -> Iterator[InvoiceLine]:
    """All lines of a file in time order, without broken ones; the packaged data by default."""
    parser = InvoiceParser()
    with open_input(str(path or packaged_data())) as source:
        yield from _parsed(parser, csv.reader(line.decode("utf-8") for line in source))


def _parsed(parser: InvoiceParser, rows: Iterable[list[str]]) -> Iterator[InvoiceLine]:
    for cells in rows:
        if tuple(cells) == COLUMNS:
            continue
        try:
            yield parser.parse(cells)
        except BadLine:
            continue
