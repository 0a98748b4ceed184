"""CSV by a declared profile: each row becomes a CloudEvent; a row that cannot be read is reported, the rest is sent."""

import csv
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from connectors.files.lines import MAX_LINE_BYTES, Line, Mark, read_lines, skip_to
from connectors.files.profile import Profile
from connectors.files.readers import Item
from connectors.mapping.translator import Translator
from connectors.mapping.values import Unreadable
from engine.core.errors import UsageError


class CsvReader:
    """The `Reader` of CSV files: each row becomes an event by the first rule of the profile that fits."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._translate = Translator(profile)
        self.name = profile.name
        self.digest = profile.digest()

    def read(self, source: BinaryIO, start: Mark) -> Iterator[Item]:
        """The rows after `start`. The heading is read also when a file is resumed.

        Raises `UsageError` for a file without a heading, or without a column that the profile uses.
        """
        profile = self._profile
        lines = read_lines(source, line_end=profile.line_end.encode())
        columns = self._heading(lines)
        if start.offset and source.seekable():
            source.seek(0)
            skip_to(source, start)
            lines = read_lines(source, start, profile.line_end.encode())
        records = _Records(lines, profile)
        for record in records:
            if record.mark.offset > start.offset:
                yield self._item(record, columns)

    def _heading(self, lines: Iterator[Line]) -> tuple[str, ...]:
        profile = self._profile
        for _ in range(profile.skip_lines):
            next(lines, None)
        columns = profile.columns
        if columns is None:
            first = next(_Records(lines, profile), None)
            if first is None or first.cells is None:
                raise UsageError("the file has no heading" if first is None else f"the heading: {first.problem}")
            columns = tuple(name.strip() for name in first.cells)
        missing = sorted(profile.columns_used() - set(columns))
        if missing:
            raise UsageError(f"the file has no column {', '.join(missing)}; it has {', '.join(columns)}")
        return columns

    def _item(self, record: "_Record", columns: tuple[str, ...]) -> Item:
        line, mark = record.line, record.mark
        if record.cells is None:
            return Item(line, mark, problem=record.problem, open_quote=record.open_quote)
        if not any(cell.strip() for cell in record.cells):
            return Item(line, mark)
        if len(record.cells) != len(columns):
            return Item(line, mark, problem=f"{len(record.cells)} cells where the heading has {len(columns)}")
        try:
            outcome = self._translate(dict(zip(columns, record.cells, strict=True)), line)
        except Unreadable as error:
            return Item(line, mark, problem=str(error))
        return Item(line, mark, skipped=outcome) if isinstance(outcome, str) else Item(line, mark, (outcome,))


class _Record(NamedTuple):
    line: int
    mark: Mark
    cells: list[str] | None
    problem: str | None = None
    open_quote: bool = False


class _Records:
    """Joins lines to records: a quoted cell may span lines, up to the profile's `record_lines`.

    A quote that stays open makes its first line a broken record; the lines after it are parsed again by themselves.
    """

    def __init__(self, lines: Iterator[Line], profile: Profile) -> None:
        self._lines = lines
        self._profile = profile
        self._waiting: list[Line] = []

    def __iter__(self) -> Iterator[_Record]:
        return self

    def __next__(self) -> _Record:
        first = self._next_line()
        taken, record = [first], self._parse([first])
        while record is None and len(taken) < self._profile.record_lines:
            try:
                taken.append(self._next_line())
            except StopIteration:
                break
            record = self._parse(taken)
        if record is not None:
            return record
        self._waiting = taken[1:] + self._waiting
        may_close = len(taken) < self._profile.record_lines
        return _Record(first.number, first.mark, None, "a quote that is not closed", may_close)

    def _next_line(self) -> Line:
        return self._waiting.pop(0) if self._waiting else next(self._lines)

    def _parse(self, taken: list[Line]) -> _Record | None:
        """The record that the lines form; None while a quote is open."""
        number, mark = taken[0].number, taken[-1].mark
        if any(line.text is None for line in taken):
            return _Record(number, mark, None, f"the line is longer than {MAX_LINE_BYTES} bytes")
        whole = b"\n".join(line.text or b"" for line in taken)
        if number > 1 and self._profile.encoding == "utf-8-sig":
            whole = whole.removeprefix(b"\xef\xbb\xbf")
        try:
            text = whole.decode(self._profile.encoding)
        except UnicodeDecodeError as error:
            return _Record(number, mark, None, f"not {self._profile.encoding}: {error.reason} at byte {error.start}")
        delimiter, quote = self._profile.delimiter, self._profile.quote
        try:
            rows = list(csv.reader([text], delimiter=delimiter, quotechar=quote, strict=True))
        except csv.Error as error:
            if "unexpected end" in str(error):
                return None
            return _Record(number, mark, None, str(error))
        return _Record(number, mark, rows[0] if rows else [])
