"""A supplier's order lines as CSV: downloaded, filled in with a spreadsheet, and uploaded again."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple, get_args

import msgspec
from aiohttp import web

from engine.runtime.supplied import SuppliedLine
from engine.web.csv import FORMULA, MEDIA_TYPE, cell
from engine.web.problems import Problem
from engine.web.supplying import Announcing, Entry, LineOutcome, Name, Status

MAX_ROWS = 20_000
MAX_DIGITS = 15
STATUSES: tuple[str, ...] = get_args(Status)
KNOWN = ("order", "line", "sku", "description", "location", "unit", "ordered", "due", "received", "in_transit", "open")
"""What the file says; an upload needs of it `order` and `line` only."""
FILLED = ("status", "qty", "promised", "shipment", "shipped", "eta")
"""What the supplier fills in: a status with a quantity and a day, or a shipment with a quantity and a day, or both."""


class Filled(NamedTuple):
    """What a file says: answers by line, shipments of one line each, the numbers of their rows, and senseless rows."""

    answers: list[tuple[Name, list[Entry]]]
    shipments: list[tuple[Name, Announcing]]
    rows: list[int]
    unreadable: list[LineOutcome]

    @property
    def names(self) -> list[Name]:
        """The lines that are named."""
        return [name for name, _ in (*self.answers, *self.shipments)]


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
        raise _unreadable(f"it is not UTF-8 (save it as `CSV UTF-8`): {error}") from None
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
    rows = _Rows()
    try:
        for number, row in enumerate(reader, 2):
            if number > MAX_ROWS + 1:
                raise _unreadable(f"it has more than {MAX_ROWS} rows")
            rows.take(number, {key: _text(value) for key, value in row.items() if key})
    except csv.Error as error:
        raise _unreadable(f"row {reader.line_num}: {error}") from None
    return rows.filled()


class _Rows:
    """The rows of a file that were read so far."""

    def __init__(self) -> None:
        self._entries: dict[Name, tuple[int, list[Entry]]] = {}
        self._shipments: dict[tuple[Name, str], tuple[int, Announcing]] = {}
        self._unreadable: list[LineOutcome] = []
        self._partial: set[Name] = set()
        """The lines of which a part of the schedule cannot be read."""

    def take(self, number: int, row: Mapping[str, str]) -> None:
        """Take a row; one without an answer and without a shipment says nothing."""
        name = row["order"], row["line"]
        for column, take in (("status", self._answer), ("shipment", self._announce)):
            try:
                if row.get(column):
                    take(number, name, row)
            except msgspec.ValidationError as error:
                self._refuse(name, number, str(error))

    def filled(self) -> Filled:
        """What all rows say together."""
        # A schedule replaces what was said before, so a part of one that lacks a row would take back that row.
        for name in self._partial & self._entries.keys():
            self._refuse(name, self._entries.pop(name)[0], "another row of this line cannot be taken")
        answers = [(name, said) for name, (_, said) in self._entries.items()]
        shipments = [(name, said) for (name, _), (_, said) in self._shipments.items()]
        rows = [number for number, _ in (*self._entries.values(), *self._shipments.values())]
        return Filled(answers, shipments, rows, self._unreadable)

    def _refuse(self, name: Name, number: int, why: str) -> None:
        self._unreadable.append(LineOutcome(*name, False, "invalid_row", f"row {number}: {why}", number))

    def _answer(self, number: int, name: Name, row: Mapping[str, str]) -> None:
        try:
            entry = _entry(row)
        except msgspec.ValidationError:
            self._partial.add(name)
            raise
        self._entries.setdefault(name, (number, []))[1].append(entry)

    def _announce(self, number: int, name: Name, row: Mapping[str, str]) -> None:
        said = _announced(row)
        first, _ = self._shipments.setdefault((name, said.shipment), (number, said))
        if first != number:
            raise msgspec.ValidationError(f"row {first} announces this shipment of the line already")


def _entry(row: Mapping[str, str]) -> Entry:
    said: dict[str, object] = {"status": row["status"].casefold(), "qty": _number("qty", row)}
    if said["status"] not in STATUSES:
        raise msgspec.ValidationError(f"`status` is one of {', '.join(STATUSES)}, not {row['status']!r}")
    return msgspec.convert(said | _day("due", "promised", row), Entry)


def _announced(row: Mapping[str, str]) -> Announcing:
    part = {"order": row["order"], "line": row["line"], "qty": _number("shipped", row)}
    said = {"shipment": row["shipment"], "lines": [part]}
    return msgspec.convert(said | _day("eta", "eta", row), Announcing)


def _number(column: str, row: Mapping[str, str]) -> int:
    text = row.get(column, "")
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise msgspec.ValidationError(f"`{column}` is a whole number such as 120, not {text!r}")
    return int(text)


def _day(field: str, column: str, row: Mapping[str, str]) -> dict[str, date]:
    if not (text := row.get(column)):
        return {}
    try:
        return {field: msgspec.convert(text, date, strict=False)}
    except msgspec.ValidationError:
        raise msgspec.ValidationError(f"`{column}` is a day such as 2026-03-27, not {text!r}") from None


def _text(value: str | list[str] | None) -> str:
    """The text of a cell, without the apostrophe that keeps a spreadsheet from running it."""
    text = (value if isinstance(value, str) else "").strip()
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA) else text


def _unreadable(why: str) -> Problem:
    return Problem(400, f"the file cannot be taken: {why}", "unreadable_body")
