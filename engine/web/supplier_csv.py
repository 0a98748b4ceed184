"""A supplier's order lines as CSV: downloaded, filled in with a spreadsheet, and uploaded again."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import msgspec
from aiohttp import web

from engine.runtime.supplied import SuppliedLine
from engine.web.csv import MEDIA_TYPE, cell
from engine.web.problems import Problem
from engine.web.supplying import Entry, LineOutcome, Name, ShippedLine

MAX_ROWS = 20_000
KNOWN = ("order", "line", "sku", "description", "location", "unit", "ordered", "due", "received", "in_transit", "open")
"""What the file says; an upload needs of it `order` and `line` only."""
FILLED = ("status", "qty", "promised", "shipment", "shipped", "eta")
"""What the supplier fills in: a status with a quantity and a day, or a shipment with a quantity and a day, or both."""


class FilledShipment(NamedTuple):
    """A row that announces a shipment."""

    name: Name
    shipment: str
    part: ShippedLine
    eta: date | None


class Filled(NamedTuple):
    """What a file says: answers by line, shipments, the numbers of their rows, and the rows that make no sense."""

    answers: list[tuple[Name, list[Entry]]]
    shipments: list[FilledShipment]
    rows: list[int]
    unreadable: list[LineOutcome]

    @property
    def names(self) -> list[Name]:
        """The lines that are named."""
        return [name for name, _ in self.answers] + [each.name for each in self.shipments]


def download(lines: Sequence[SuppliedLine]) -> web.Response:
    """The lines as a file, with empty columns for the answers."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*KNOWN, *FILLED])
    for line in lines:
        writer.writerow([*(cell(getattr(line, name)) for name in KNOWN), *("" for _ in FILLED)])
    headers = {"Content-Disposition": 'attachment; filename="order-lines.csv"'}
    return web.Response(body=text.getvalue().encode(), content_type=MEDIA_TYPE, charset="utf-8", headers=headers)


def read(body: bytes) -> Filled:
    """What a file says; raises Problem 400 for what is no such file. A semicolon may stand for the comma."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(f"it is not UTF-8: {error}") from None
    first = text.partition("\n")[0]
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ","
    )
    try:
        missing = {"order", "line"} - set(reader.fieldnames or ())
    except csv.Error as error:
        raise _unreadable(f"row 1: {error}") from None
    if missing:
        raise _unreadable(f"its first row names no column {min(missing)!r}")
    entries: dict[Name, tuple[int, list[Entry]]] = {}
    shipments: list[tuple[int, FilledShipment]] = []
    unreadable: list[LineOutcome] = []
    try:
        for number, row in enumerate(reader, 2):
            if number > MAX_ROWS + 1:
                raise _unreadable(f"it has more than {MAX_ROWS} rows")
            _read_row(number, {key: _text(value) for key, value in row.items() if key}, entries, shipments, unreadable)
    except csv.Error as error:
        raise _unreadable(f"row {reader.line_num}: {error}") from None
    answers = [(name, said) for name, (_, said) in entries.items()]
    rows = [number for number, _ in entries.values()] + [number for number, _ in shipments]
    return Filled(answers, [each for _, each in shipments], rows, unreadable)


def _read_row(
    number: int,
    row: dict[str, str],
    entries: dict[Name, tuple[int, list[Entry]]],
    shipments: list[tuple[int, FilledShipment]],
    unreadable: list[LineOutcome],
) -> None:
    name = row["order"], row["line"]
    try:
        if row.get("status"):
            said = {"status": row["status"], "qty": row.get("qty", "")} | _dated("due", row.get("promised"))
            entry = msgspec.convert(said, Entry, strict=False)
            entries.setdefault(name, (number, []))[1].append(entry)
        if row.get("shipment"):
            told = {"order": name[0], "line": name[1], "qty": row.get("shipped", "")}
            part = msgspec.convert(told, ShippedLine, strict=False)
            eta = msgspec.convert(row["eta"], date, strict=False) if row.get("eta") else None
            shipments.append((number, FilledShipment(name, row["shipment"], part, eta)))
    except msgspec.ValidationError as error:
        unreadable.append(LineOutcome(*name, False, "invalid_row", f"row {number}: {error}", number))


def _dated(field: str, text: str | None) -> dict[str, str]:
    return {field: text} if text else {}


def _text(value: str | list[str] | None) -> str:
    """The text of a cell, without the apostrophe that keeps a spreadsheet from running it."""
    text = (value if isinstance(value, str) else "").strip()
    return text[1:] if text[:2] in {"'=", "'+", "'-", "'@"} else text


def _unreadable(why: str) -> Problem:
    return Problem(400, f"the file cannot be taken: {why}", "unreadable_body")
