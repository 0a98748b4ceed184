"""CSV by a declared profile: each row becomes a CloudEvent; a row that cannot be read is reported, the rest is sent."""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from connectors.files.lines import MAX_LINE_BYTES, Line, Mark, read_lines, skip_to
from connectors.files.profile import Profile
from connectors.files.readers import Item
from connectors.files.rejects import RejectForm
from connectors.files.table import Row, Table
from connectors.mapping.translator import Translator
from connectors.ports import Identifiers
from engine.core.errors import UsageError


class CsvReader:
    """The `Reader` of CSV files: each row becomes an event by the first rule of the profile that fits."""

    def __init__(self, profile: Profile, identifiers: Identifiers | None = None) -> None:
        self._profile = profile
        self._translate = Translator(profile, identifiers)
        self._heading = b""
        self.name = profile.name
        self.digest = profile.digest()

    @property
    def reject_form(self) -> RejectForm:
        """How rows are set aside: below the heading of the file that is read."""
        profile = self._profile
        return RejectForm(
            self._heading, profile.line_end.encode(), profile.encoding, profile.delimiter + profile.quote + "\r\n"
        )

    def read(self, source: BinaryIO, start: Mark) -> Iterator[Item]:
        """The rows after `start`. The heading is read also when a file is resumed.

        Raises `UsageError` for a file without a heading, or without a column that the profile uses.
        """
        profile = self._profile
        lines = read_lines(source, line_end=profile.line_end.encode())
        table = Table(profile, self._columns(lines), self._translate)
        if start.offset and source.seekable():
            source.seek(0)
            skip_to(source, start)
            lines = read_lines(source, start, profile.line_end.encode())
        for row in _Rows(lines, profile):
            if row.mark.offset > start.offset and (item := table.item(row)) is not None:
                yield item

    def _columns(self, lines: Iterator[Line]) -> tuple[str, ...]:
        profile = self._profile
        passed = [line.text or b"" for _ in range(profile.skip_lines) if (line := next(lines, None)) is not None]
        columns = profile.columns
        if columns is None:
            first = next(_Rows(lines, profile), None)
            if first is None or first.cells is None:
                raise UsageError("the file has no heading" if first is None else f"the heading: {first.problem}")
            columns, passed = tuple(first.cells), [*passed, first.raw]
        self._heading = profile.line_end.encode().join(passed)
        return columns


class _Rows:
    """Joins lines to rows: a quoted cell may span lines, up to the profile's `record_lines`.

    A quote that stays open makes its first line a broken row; the lines after it are parsed again by themselves.
    """

    def __init__(self, lines: Iterator[Line], profile: Profile) -> None:
        self._lines = lines
        self._profile = profile
        self._waiting: list[Line] = []

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
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
        return Row(first.number, first.mark, None, first.text or b"", "a quote that is not closed", may_close)

    def _next_line(self) -> Line:
        return self._waiting.pop(0) if self._waiting else next(self._lines)

    def _parse(self, taken: list[Line]) -> Row | None:
        """The row that the lines form; None while a quote is open."""
        number, mark = taken[0].number, taken[-1].mark
        if any(line.text is None for line in taken):
            return Row(number, mark, None, b"", f"the line is longer than {MAX_LINE_BYTES} bytes")
        raw = b"\n".join(line.text or b"" for line in taken)
        whole = raw.removeprefix(b"\xef\xbb\xbf") if number > 1 and self._profile.encoding == "utf-8-sig" else raw
        try:
            text = whole.decode(self._profile.encoding)
        except UnicodeDecodeError as error:
            byte = f"the byte {error.start + 1} of the line, {whole[error.start]:#04x},"
            return Row(number, mark, None, raw, f"{byte} is no letter in {self._profile.encoding}")
        delimiter, quote = self._profile.delimiter, self._profile.quote
        if quote not in text and "\r" not in text:
            return Row(number, mark, text.split(delimiter) if text else [], raw)
        try:
            rows = list(csv.reader([text], delimiter=delimiter, quotechar=quote, strict=True))
        except csv.Error as error:
            if "unexpected end" in str(error):
                return None
            return Row(number, mark, None, raw, _in_words(error))
        return Row(number, mark, rows[0] if rows else [], raw)


def _in_words(error: csv.Error) -> str:
    said = str(error)
    if "field larger" in said:
        return f"a cell of more than {csv.field_size_limit():,} characters"
    if "expected after" in said:
        return "there is text behind a closing quote; a quote within a cell is written twice"
    return "a carriage return outside of quotes" if "new-line" in said else f"it is no row of cells: {said}"
