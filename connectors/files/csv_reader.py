"""CSV by a declared profile: rows become CloudEvents, a row that cannot costs only itself."""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any, BinaryIO, NamedTuple
from zoneinfo import ZoneInfo

from connectors.files.lines import MAX_LINE_BYTES, Line, Mark, read_lines, skip_to
from connectors.files.profile import Cell, Condition, Profile, Rule, Value, template_fields
from connectors.files.readers import Item
from engine.core.errors import StocklineError, UsageError

Row = Mapping[str, str]


class Unreadable(StocklineError):
    """A row cannot be read; the message says why."""


class CsvReader:
    """Rows of a CSV file, by the first rule of the profile that fits."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._translate = Translator(profile)
        self.name = profile.name
        self.digest = profile.digest()

    def read(self, source: BinaryIO, start: Mark) -> Iterator[Item]:
        """The rows behind `start`; the heading is read again when a file is resumed. Raises `UsageError`."""
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
    """Records of one or, where the profile allows it, several lines; an open quote spoils one line only."""

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
        """The record that the lines make; None while a quote is open."""
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
        dialect = {"delimiter": self._profile.delimiter, "quotechar": self._profile.quote, "strict": True}
        try:
            rows = list(csv.reader([text], **dialect))  # type: ignore[arg-type]
        except csv.Error as error:
            if "unexpected end" in str(error):
                return None
            return _Record(number, mark, None, str(error))
        return _Record(number, mark, rows[0] if rows else [])


class Translator:
    """A row to one event as a JSON line, or to the reason why it is skipped; raises `Unreadable`."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._zone = ZoneInfo(profile.time_zone)
        self._cases = [(rule, _tests(rule, self._number)) for rule in profile.rules]
        self._id_fields = template_fields(profile.id)

    def __call__(self, row: Row, line: int) -> bytes | str:
        """Translate one row; `line` is its number in the file."""
        rule = self._rule(row)
        if rule.type is None:
            return rule.skip or "skipped"
        event = {
            "specversion": "1.0",
            "id": self._id(row, line),
            "source": self._profile.source,
            "type": rule.type,
            "time": self._moment(
                " ".join(row[name].strip() for name in self._profile.time.columns).strip(), self._profile.time.formats
            ),
            "data": self._data(rule, row),
        }
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()

    def _rule(self, row: Row) -> Rule:
        for rule, tests in self._cases:
            if all(test(row[column].strip()) for column, test in tests):
                return rule
        raise Unreadable("no rule fits")

    def _id(self, row: Row, line: int) -> str:
        event_id = self._profile.id
        for name in self._id_fields:
            event_id = event_id.replace("{" + name + "}", str(line) if name == "row" else row[name].strip())
        return event_id

    def _data(self, rule: Rule, row: Row) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for path, value in rule.data.items():
            found = self._value(path, value, row)
            if found is not None:
                _put(data, path, found)
            if isinstance(value, Cell) and value.unit_column is not None:
                self._add_unit(data, path, row[value.unit_column].strip())
        return data

    def _value(self, path: str, value: Value, row: Row) -> Any:
        if not isinstance(value, Cell):
            return value
        text = row[value.column].strip()
        if text in self._profile.empty:
            if value.optional:
                return None
            raise Unreadable(f"{path}: the column {value.column} is empty")
        if value.map is not None:
            if text not in value.map:
                raise Unreadable(f"{path}: {text!r} in the column {value.column} is not mapped")
            return value.map[text]
        try:
            return self._read(value, text.upper() if value.upper else text)
        except Unreadable as error:
            raise Unreadable(f"{path}: {error}") from None

    def _read(self, cell: Cell, text: str) -> Any:
        if cell.read_as == "integer":
            return _signed(self._integer(text), cell.sign)
        if cell.read_as == "number":
            return str(_signed(self._number(text), cell.sign))
        if cell.read_as == "moment":
            return self._moment(text, cell.formats)
        if cell.read_as == "date":
            return self._local(text, cell.formats).date().isoformat()
        if cell.read_as == "boolean":
            return _boolean(text)
        return text

    def _add_unit(self, data: dict[str, Any], path: str, word: str) -> None:
        if word in self._profile.empty:
            return
        unit = self._profile.units.get(word)
        if unit is None:
            raise Unreadable(f"{path}: the unit {word!r} is not declared")
        if isinstance(unit, int):
            data[path] *= unit
        elif data.setdefault("uom", unit) != unit:
            raise Unreadable(f"{path}: two units in one row")

    def _number(self, text: str) -> Decimal:
        plain = text.replace(self._profile.thousands, "") if self._profile.thousands else text
        try:
            number = Decimal(plain.replace(self._profile.decimal, "."))
        except InvalidOperation:
            raise Unreadable(f"{text!r} is not a number") from None
        if not number.is_finite():
            raise Unreadable(f"{text!r} is not a number")
        return number

    def _integer(self, text: str) -> int:
        number = self._number(text)
        if number.adjusted() > 30 or number != number.to_integral_value():
            raise Unreadable(f"{text!r} is not a whole number")
        return int(number)

    def _moment(self, text: str, formats: tuple[str, ...]) -> str:
        moment = self._local(text, formats)
        if moment.tzinfo is None:
            zoned = moment.replace(tzinfo=self._zone)
            # A time that the change to summer time leaves out does not survive the way to UTC and back.
            if datetime.fromtimestamp(zoned.timestamp(), self._zone).replace(tzinfo=None) != moment:
                raise Unreadable(f"{text!r} does not exist in {self._profile.time_zone}")
            moment = zoned
        return moment.isoformat()

    def _local(self, text: str, formats: tuple[str, ...]) -> datetime:
        if not formats:
            try:
                return datetime.fromisoformat(text)
            except ValueError:
                raise Unreadable(f"{text!r} is not a time") from None
        for pattern in formats:
            try:
                return datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is the profile's
            except ValueError:
                continue
        raise Unreadable(f"{text!r} has none of the forms {', '.join(formats)}")


def _tests(rule: Rule, number: Callable[[str], Decimal]) -> list[tuple[str, Callable[[str], bool]]]:
    return [(column, _test(condition, number)) for column, condition in rule.when.items()]


def _test(condition: Condition, number: Callable[[str], Decimal]) -> Callable[[str], bool]:
    pattern = None if condition.matches is None else re.compile(condition.matches)

    def holds(text: str) -> bool:
        if condition.empty is not None and (text == "") != condition.empty:
            return False
        if condition.equals is not None and text != condition.equals:
            return False
        if condition.one_of is not None and text not in condition.one_of:
            return False
        if pattern is not None and not pattern.search(text):
            return False
        if condition.below is not None and not number(text) < Decimal(str(condition.below)):
            return False
        return condition.above is None or number(text) > Decimal(str(condition.above))

    return holds


def _signed(number: Any, sign: str) -> Any:
    return abs(number) if sign == "absolute" else -number if sign == "negate" else number


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered in ("1", "true", "yes", "y"):
        return True
    if lowered in ("0", "false", "no", "n"):
        return False
    raise Unreadable(f"{text!r} is neither yes nor no")


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    """Set `a.b` as an object within an object, and `a.0.b` as an object within a list."""
    names = path.split(".")
    last = names[-1]
    place: Any = data
    for name, following in pairwise(names):
        place = _child(place, name, [] if following.isdigit() else {})
    if isinstance(place, list):
        _child(place, last, value)
    else:
        place[last] = value


def _child(place: Any, name: str, fresh: Any) -> Any:
    if not isinstance(place, list):
        return place.setdefault(name, fresh)
    if int(name) == len(place):
        place.append(fresh)
    return place[int(name)]
