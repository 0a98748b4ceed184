"""Looks at the beginning and the end of a CSV file or a workbook: how it is laid out, and what its columns may hold."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from connectors.files.lines import open_input
from connectors.files.readers import BadFile, format_of_suffix
from connectors.files.table import distinct
from connectors.files.xlsx_reader import first_rows
from connectors.mapping.values import ISO, SERIAL
from engine.core.errors import UsageError

HEAD_BYTES, TAIL_BYTES = 1024 * 1024, 64 * 1024
MAX_LINES = 2000
MOST_LINES_OF_A_RECORD = 50
LEAST_SHARE = 0.8
"""A column is one of dates or numbers if so many of its cells are: totals and slips stand among them."""
DELIMITERS = ";,\t|"
DAYS = (
    "%d.%m.%Y", "%d.%m.%y", "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d",
    "%d/%m/%y", "%m/%d/%y", "%d-%b-%y", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y",
)  # fmt: skip
CLOCKS = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", "T%H:%M")
TIMES = ("%H:%M", "%H:%M:%S")
_NUMBER = re.compile(r"[-+(]?\d{1,3}(?:[.,' \u00a0\u202f]\d{3})+(?:[.,]\d+)?[-)]?|[-+(]?\d+(?:[.,]\d+)?[-)]?")
_COMMA = re.compile(r"\d,(?:\d{1,2}|\d{4,})(?!\d)|\.\d{3},\d|\.\d{3}\.\d{3}|[ \u00a0\u202f]\d{3},\d")
_POINT = re.compile(r"\d\.(?:\d{1,2}|\d{4,})(?!\d)|,\d{3}\.\d|,\d{3},\d{3}|[ \u00a0\u202f]\d{3}\.\d")
_THREE = re.compile(r"(?<![\d.,])\d{1,3}\.\d{3}(?![\d.,])")
_DAY = re.compile(r"(?i)dat|day\b|tag\b|fecha|jour|giorno|when|time|zeit")
_SERIAL = re.compile(r"[34567]\d{4}([.,]\d+)?")
_DRAWN = re.compile(r"[-+| ]*-{3}[-+| ]*")
"""A line that is drawn between the rows of a printed list."""
_TOTAL = re.compile(r"(?i)(grand )?(total|sum|summe|gesamt|somme|totaal|totale|suma|итого|summa)\b")


@dataclass
class Column:
    """A column: its name, the cells of the first rows that have one, and the formats that fit all of these."""

    name: str
    cells: list[str]
    formats: list[str] = field(default_factory=list)

    @property
    def numeric(self) -> bool:
        """Whether its cells are numbers."""
        return _share(_NUMBER.fullmatch(cell) is not None for cell in self.cells) >= LEAST_SHARE

    @property
    def words(self) -> list[str]:
        """The different cells, the most frequent first."""
        return [word for word, _ in Counter(self.cells).most_common()]


@dataclass
class Layout:
    """What a file looks like. `totals` are patterns of lines at the end that are no rows; a workbook has a `sheet`."""

    skip_lines: int
    columns: list[Column]
    decimal: str
    thousands: str
    parentheses: bool
    totals: list[str]
    encoding: str = "utf-8"
    delimiter: str = ","
    line_end: str = "\n"
    record_lines: int = 1
    sheet: str | None = None


@dataclass
class _Rows:
    """The first rows that are not empty, each with the number of lines before it, and the lines that may be totals."""

    numbered: list[tuple[int, list[str]]]
    lines: list[str]
    delimiter: str


def look_at(path: str) -> Layout:
    """The layout of a file. Raises `UsageError` if it has none, `EnvironmentFailure` if it cannot be read."""
    if not Path(path).is_file():
        raise UsageError(f"{path}: there is no such file")
    if format_of_suffix(path) == "xlsx":
        return _look_at_workbook(path)
    head, tail = _ends_of(path)
    encoding = _encoding(head, path)
    text = head.decode(encoding, "replace")
    line_end = "\r" if "\r" in text and "\n" not in text else "\n"
    lines = [line.removesuffix("\r") for line in text.split(line_end)]
    written = [line for line in lines[:MAX_LINES] if line.strip() and not _DRAWN.fullmatch(line)]
    delimiter = max(DELIMITERS, key=lambda each: _fit(written, each))
    records = _records(lines[:MAX_LINES], delimiter)
    last = tail.decode(encoding, "replace").replace("\r\n", "\n").split(line_end)[-20:]
    drawn = [line for line in lines[:MAX_LINES] if _DRAWN.fullmatch(line)]
    rows = _Rows(
        [(number, _cells(record, delimiter)) for number, record in records], [*written, *drawn, *last], delimiter
    )
    found = _layout(path, rows)
    found.encoding, found.delimiter, found.line_end = encoding, delimiter, line_end
    found.record_lines = 1 + max((record.count("\n") for _, record in records), default=0)
    return found


def _look_at_workbook(path: str) -> Layout:
    with open_input(path) as source:
        try:
            sheet, rows = first_rows(source, MAX_LINES)
        except BadFile as error:
            raise UsageError(f"{path}: {error}") from None
    width = max(map(len, rows), default=0)
    filled = [(number, row + [""] * (width - len(row))) for number, row in enumerate(rows) if row]
    found = _layout(path, _Rows(filled, [",".join(row) for _, row in filled], ","))
    found.sheet = sheet
    return found


def _layout(path: str, found: _Rows) -> Layout:
    rows = [row for _, row in found.numbered]
    if not rows:
        raise UsageError(f"{path}: it is empty")
    width = Counter(map(len, rows)).most_common(1)[0][0]
    if width < 2:
        raise UsageError(f"{path}: no heading with several columns is found; a profile for it is written by hand")
    start = _heading(rows, width)
    body = [row for row in rows[start + 1 :] if len(row) == width and not _is_total(row)]
    if not body:
        raise UsageError(f"{path}: there are no rows below the heading, so what its columns hold is not known")
    columns = [
        Column(name, [cell for row in body if (cell := row[place].strip())])
        for place, name in enumerate(distinct(rows[start]))
    ]
    for column in columns:
        column.formats = _formats(column)
    dotted = any("%d.%m." in form for column in columns for form in column.formats)
    decimal, thousands = _marks([cell for column in columns if column.numeric for cell in column.cells], dotted)
    parentheses = any(cell.startswith("(") for column in columns if column.numeric for cell in column.cells)
    totals = _totals(found.lines, found.delimiter, start)
    return Layout(found.numbered[start][0], columns, decimal, thousands, parentheses, totals)


def _records(lines: Sequence[str], delimiter: str) -> list[tuple[int, str]]:
    """The records that are not empty, each with the number of lines before it: a cell in quotes may hold line ends."""
    found: list[tuple[int, str]] = []
    at = 0
    while at < len(lines):
        end = next(
            (end for end in range(at, at + MOST_LINES_OF_A_RECORD) if not _is_open(lines[at : end + 1], delimiter)), at
        )
        record = "\n".join(lines[at : end + 1])
        if record.strip() and not _DRAWN.fullmatch(record):
            found.append((at, record))
        at = end + 1
    return found


def _is_open(lines: Sequence[str], delimiter: str) -> bool:
    """Whether a quote is not closed at the end of these lines."""
    if not any('"' in line for line in lines):
        return False
    try:
        list(csv.reader(["\n".join(lines)], delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _heading(rows: Sequence[Sequence[str]], width: int) -> int:
    """Where the heading is: a title above it may be filled up with empty cells to the same width."""
    wide = [place for place, row in enumerate(rows) if len(row) == width]
    return next((place for place in wide if 2 * sum(bool(cell.strip()) for cell in rows[place]) > width), wide[0])


def _is_total(row: Sequence[str]) -> bool:
    """Whether a row sums up others: its first cell begins with such a word, or another one is such a word."""
    return any(_TOTAL.match(row[0].strip()) or _TOTAL.fullmatch(cell.strip(" :")) for cell in row)


def _cells(record: str, delimiter: str) -> list[str]:
    """The cells of a record; none where it is no row."""
    try:
        return next(csv.reader([record], delimiter=delimiter), [])
    except csv.Error:
        return []


def _ends_of(path: str) -> tuple[bytes, bytes]:
    with open_input(path) as source:
        head = source.read(HEAD_BYTES)
        if path.endswith((".gz", ".xz")) or len(head) < HEAD_BYTES:
            return head, head
        source.seek(max(len(head), Path(path).stat().st_size - TAIL_BYTES))
        return head, source.read(TAIL_BYTES)


def _encoding(head: bytes, path: str) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head[:4096]:
        raise UsageError(f"{path}: it is written in UTF-16 or is no text: save it as CSV in UTF-8")
    try:
        # The last letter may be cut in the middle.
        head[: len(head) - 4 if len(head) == HEAD_BYTES else None].decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) - error.start > 4:
            return "cp1252"
    return "utf-8-sig"


def _fit(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    """How well a delimiter divides lines: the share of lines with the usual number of cells, and that number."""
    widths = Counter(line.count(delimiter) for line in lines[:200])
    if not widths:
        return 0.0, 0
    width, count = widths.most_common(1)[0]
    return (count / widths.total() if width else 0.0), width


def _formats(column: Column) -> list[str]:
    """The formats of dates or times that fit nearly all cells; days of a spreadsheet only where the heading says so."""
    cells = column.cells
    if not cells:
        return []
    if _share(map(_is_iso, cells)) >= LEAST_SHARE and not all(_parses(cell, "%Y-%m-%d") for cell in cells):
        return [ISO]
    if _DAY.search(column.name) and _share(_SERIAL.fullmatch(cell) is not None for cell in cells) >= LEAST_SHARE:
        return [SERIAL]
    candidates = [day + clock for day in DAYS for clock in CLOCKS] + list(TIMES)
    sample = cells[:300]
    shares = {each: _share(_parses(cell, each) for cell in sample) for each in candidates}
    # A slip among a few rows costs no format; one that reads fewer cells than another has days for months.
    best = max(LEAST_SHARE, *shares.values())
    return [each for each in candidates if shares[each] >= best]


def _is_iso(cell: str) -> bool:
    """Whether a cell is a date in ISO 8601, with a time of the day or without."""
    try:
        return "-" in cell[:5] and datetime.fromisoformat(cell) is not None
    except ValueError:
        return False


def _parses(cell: str, pattern: str) -> bool:
    if cell.isdecimal() and (pattern != "%Y%m%d" or len(cell) != 8 or not "19" <= cell[:2] <= "20"):
        return False
    try:
        # Only whether it fits is asked.
        datetime.strptime(cell.replace("24:00", "00:00"), pattern)  # noqa: DTZ007
    except ValueError:
        return False
    return True


def _marks(cells: Sequence[str], dotted: bool) -> tuple[str, str]:
    """The decimal mark, and what separates thousands; 1.000 is a thousand where dates are `dotted` as 31.12.2026 is."""
    comma = any(map(_COMMA.search, cells)) or (dotted and any(map(_THREE.search, cells)))
    decimal = "," if comma and not any(map(_POINT.search, cells)) else "."
    for mark in ("," if decimal == "." else ".", "'", " "):
        pattern = re.compile(r"\d" + (r"[ \u00a0\u202f]" if mark == " " else re.escape(mark)) + r"\d{3}(?!\d)")
        if any(map(pattern.search, cells)):
            return decimal, mark
    return decimal, ""


def _totals(lines: Sequence[str], delimiter: str, start: int) -> list[str]:
    """Patterns of lines that sum up others: how they begin, or a cell of theirs."""
    edge = re.escape(delimiter)
    found: set[str] = set()
    for line in lines[start + 1 :]:
        first, *others = (cell.strip(' "') for cell in line.split(delimiter))
        if _DRAWN.fullmatch(line):
            found.add(r"^\|?-{3}")
            continue
        if begin := _TOTAL.match(first):
            found.add(f"^{re.escape(begin[0])}")
        found |= {f"{edge}{re.escape(cell)}({edge}|$)" for cell in others if _TOTAL.fullmatch(cell.strip(" :"))}
    return sorted(found)


def _share(holds: Iterable[bool]) -> float:
    found = list(holds)
    return sum(found) / len(found) if found else 0.0
