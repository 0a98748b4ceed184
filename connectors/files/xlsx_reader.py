"""Spreadsheets by a declared profile: each row of a sheet becomes a CloudEvent, as a row of a CSV file does.

    format = "xlsx"
    sheet = "Bestand"                # by default the first one; all else is that of a CSV profile

A cell has the value that a person sees: a number has at most 15 digits, leading zeros where its form is `00000`, a
formula its last result. A date and a time become ISO 8601, which a profile of a workbook takes beside its own formats.
The reject file is one of CSV, which the same profile reads.
"""

import csv
import hashlib
import io
import itertools
import re
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import BinaryIO, TypeVar, cast

from openpyxl import load_workbook
from openpyxl.cell import Cell as WorkbookCell
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from connectors.files.csv_reader import CsvReader
from connectors.files.lines import Mark, read_some
from connectors.files.profile import Profile
from connectors.files.readers import BadFile, Item
from connectors.files.rejects import RejectForm
from connectors.files.table import Row, Table
from connectors.mapping.language import Cell, Rule, Value
from connectors.mapping.translator import Translator
from connectors.mapping.values import ISO
from connectors.ports import Identifiers

ZIP, OLD_OR_LOCKED = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_SHEET_BYTES = 2 * 1024 * 1024 * 1024
MAX_PART_BYTES = 128 * 1024 * 1024
"""The parts of a workbook that are not sheets, such as its texts, are held in memory."""
LEAST_LIMIT, MAX_RATIO = 64 * 1024 * 1024, 100
"""A part that unpacks to more than both was made to fill a memory or a disk: sheets shrink to a tenth or twentieth."""
MAX_ROWS, MAX_COLUMNS = 1_048_576, 1000
IN_MEMORY = 4 * 1024 * 1024
_ZEROS = re.compile("0+")
Result = TypeVar("Result")


class SheetProfile(Profile):
    """The reading of a sheet; see the module's example."""

    name: str = "xlsx"
    format: str = "xlsx"
    sheet: str | None = None

    def digest(self) -> str:
        """A word that changes with the profile and its sheet."""
        return hashlib.sha256(f"{super().digest()} {self.sheet or ''}".encode()).hexdigest()[:16]


class XlsxReader:
    """The `Reader` of workbooks. A position is a number of rows: a workbook that has changed is read from its first."""

    def __init__(self, profile: SheetProfile, identifiers: Identifiers | None = None) -> None:
        self._profile = profile
        self._identifiers = identifiers
        self._taking_iso = _taking_iso(profile)
        self._translate = Translator(self._taking_iso, identifiers)
        self._heading = b""
        self.name = profile.name
        self.digest = profile.digest()

    @property
    def reject_form(self) -> RejectForm:
        """Rejects are rows of CSV in UTF-8, whatever letters the sheet has."""
        profile = self._profile
        return RejectForm(self._heading, encoding="utf-8", reserved=profile.delimiter + profile.quote + "\r\n")

    def read(self, source: BinaryIO, start: Mark) -> Iterator[Item]:
        """The rows after `start`. Raises `BadFile` for what is no workbook, `UsageError` for a wrong heading."""
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as spooled:
            copy = cast(BinaryIO, spooled)
            size = _copied(source, copy)
            if not _is_workbook(copy):
                yield from self._rejects_of_before(copy, start)
                return
            with closing(_opened(copy)) as book:
                yield from self._items(book, start, size)

    def _rejects_of_before(self, copy: BinaryIO, start: Mark) -> Iterator[Item]:
        """The rows of a reject file, which this reader has set aside as CSV."""
        lines = {"encoding": "utf-8-sig", "line_end": "\n", "record_lines": 1000}
        reader = CsvReader(self._taking_iso.model_copy(update=lines), self._identifiers)
        for item in reader.read(copy, start):
            self._heading = reader.reject_form.heading
            yield item

    def _items(self, book: Workbook, start: Mark, size: int) -> Iterator[Item]:
        sheet, passed = _sheet(book, self._profile.sheet), self._profile.skip_lines
        names = self._profile.columns
        decimal = self._profile.decimal
        head = list(itertools.islice(_rows(sheet, MAX_COLUMNS, decimal), passed + (names is None)))
        if names is None:
            if len(head) <= passed:
                raise BadFile("the sheet has no heading")
            names = tuple(_trimmed(head[-1]))
        self._heading = b"\n".join(self._line([cell.replace("\n", " ") for cell in _trimmed(row)]) for row in head)
        table = Table(self._taking_iso, names, self._translate)
        # Read again with the width of the heading, and a column more to see cells beyond it: a row has the length that
        # is asked for.
        for number, cells in enumerate(_rows(sheet, len(names) + 1, decimal), 1):
            if number <= max(start.lines, len(head)) or not any(cells):
                continue
            if (item := table.item(self._row(number, cells, size))) is not None:
                yield item

    def _row(self, number: int, cells: list[str], size: int) -> Row:
        """A row of the sheet. A workbook is complete or cannot be opened, so the mark of each row lies at its end."""
        raw, error = self._line(cells if cells[-1].strip() else cells[:-1]), _error_in(cells)
        return Row(number, Mark(size, number), cells if error is None else None, raw, error)

    def _line(self, cells: list[str]) -> bytes:
        out = io.StringIO()
        profile = self._profile
        csv.writer(out, delimiter=profile.delimiter, quotechar=profile.quote, lineterminator="").writerow(cells)
        return out.getvalue().encode("utf-8", "replace")


def first_rows(source: BinaryIO, most: int) -> tuple[str, list[list[str]]]:
    """The first sheet with rows of several cells, or else the first one: its name, and at most `most` of its rows.

    Rows have no empty cells at their ends. Raises `BadFile`.
    """
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as spooled:
        copy = cast(BinaryIO, spooled)
        _copied(source, copy)
        if not _is_workbook(copy):
            raise BadFile("it is no workbook")
        with closing(_opened(copy)) as book:
            looked: list[tuple[str, list[list[str]]]] = []
            for name in [sheet.title for sheet in book.worksheets]:
                rows = itertools.islice(_rows(_sheet(book, name), MAX_COLUMNS, "."), most)
                looked.append((name, [_trimmed(row) for row in rows]))
                if any(len(row) > 1 for row in looked[-1][1]):
                    return looked[-1]
            return looked[0] if looked else ("", [])


def _is_workbook(copy: BinaryIO) -> bool:
    """Whether a file is a workbook that can be read. Raises `BadFile` for one of another form."""
    copy.seek(0)
    magic = copy.read(len(ZIP))
    copy.seek(0)
    if magic == OLD_OR_LOCKED:
        raise BadFile("a workbook of the old form, or one with a password: save it as .xlsx without a password")
    return magic == ZIP


def _opened(copy: BinaryIO) -> Workbook:
    _check_size(copy)
    copy.seek(0)
    return _in_words(lambda: load_workbook(copy, read_only=True, data_only=True, keep_links=False))


def _rows(sheet: Worksheet, width: int, decimal: str) -> Iterator[list[str]]:
    rows = iter(sheet.iter_rows(max_col=width))
    for number in itertools.count(1):
        if (row := _in_words(lambda: next(rows, None))) is None:
            return
        if number > MAX_ROWS:
            raise BadFile(f"the sheet has more than {MAX_ROWS:,} rows: save it as CSV")
        yield [_text(cell, decimal) for cell in row]


def _copied(source: BinaryIO, copy: BinaryIO) -> int:
    size = 0
    while chunk := read_some(source):
        size += len(chunk)
        if size > MAX_FILE_BYTES:
            raise BadFile(f"a workbook of more than {MAX_FILE_BYTES >> 20} MB: save it as CSV")
        copy.write(chunk)
    return size


def _check_size(copy: BinaryIO) -> None:
    """Refuse a small file that unpacks to a huge one, before any of it is unpacked."""
    with _in_words(lambda: zipfile.ZipFile(copy)) as packed:
        for part in packed.infolist():
            packed_well = max(LEAST_LIMIT, MAX_RATIO * part.compress_size)
            limit = min(packed_well, MAX_SHEET_BYTES if "/worksheets/" in part.filename else MAX_PART_BYTES)
            if part.file_size > limit:
                raise BadFile(f"its part {part.filename} unpacks to more than {limit >> 20} MB: save it as CSV")


def _sheet(book: Workbook, name: str | None) -> Worksheet:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if not sheets or (name is not None and name not in sheets):
        raise BadFile(f"there is no sheet {name or ''}; the workbook has {', '.join(sheets) or 'none'}")
    sheet = sheets[name] if name is not None else next(iter(sheets.values()))
    # The size that a sheet says of itself is wrong in some exports.
    sheet.reset_dimensions()
    return sheet


def _in_words(call: Callable[[], Result]) -> Result:
    """What a call of the library gives; whatever is wrong with a workbook is one error, and its warnings are none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call()
    except (MemoryError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadFile("the workbook is damaged") from error
    except Exception as error:
        # The library raises errors of a dozen kinds for a file that is cut off or changed.
        raise BadFile("the workbook is damaged: open it and save it again") from error


def _text(cell: WorkbookCell, decimal: str) -> str:
    value = cell.value
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return (value.date() if value.time() == time() else value.replace(microsecond=0)).isoformat()
    if isinstance(value, date | time):
        return value.replace(microsecond=0).isoformat() if isinstance(value, time) else value.isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    return _number(cast(int | float, value), cell.number_format).replace(".", decimal)


def _number(value: int | float, form: str) -> str:
    text = f"{Decimal(f'{value:.15g}' if isinstance(value, float) else value):f}"
    return text.zfill(len(form)) if _ZEROS.fullmatch(form) and text.isdecimal() else text


def _error_in(cells: list[str]) -> str | None:
    for place, cell in enumerate(cells, 1):
        if cell in ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"):
            return f"the cell {place} of the row holds the error {cell}"
    return None


def _trimmed(cells: list[str]) -> list[str]:
    """The cells without empty ones at the end."""
    last = max((place for place, cell in enumerate(cells, 1) if cell.strip()), default=0)
    return cells[:last]


def _taking_iso(profile: SheetProfile) -> SheetProfile:
    """The profile with ISO 8601 beside every list of formats, which is how cells with dates are written."""
    times = profile.time.model_copy(update={"formats": _and_iso(profile.time.formats)})
    return profile.model_copy(update={"time": times, "rules": tuple(map(_rule_taking_iso, profile.rules))})


def _rule_taking_iso(rule: Rule) -> Rule:
    data: dict[str, Value] = {
        path: value.model_copy(update={"formats": _and_iso(value.formats)}) if isinstance(value, Cell) else value
        for path, value in rule.data.items()
    }
    return rule.model_copy(update={"data": data})


def _and_iso(formats: tuple[str, ...]) -> tuple[str, ...]:
    return (*formats, ISO) if formats else ()
