"""Numbers, times and truth values, read from the text of a column as a profile declares it."""

import re
from datetime import MAXYEAR, datetime, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from connectors.mapping.language import Cell, Reading
from engine.core.errors import StocklineError

MAX_DIGITS = 30
"""A number with a larger exponent is not written out: it would cost memory, and no quantity is as large or small."""
ONE = Decimal(1)
ISO = "iso"
SERIAL = "serial"
"""The days of a spreadsheet: 46082 is the first of March 2026, and 46082.5 its noon."""
_DAY_0 = datetime(1899, 12, 30)  # noqa: DTZ001 - the profile declares the zone
_SERIAL_DAY = re.compile(r"[1-9][0-9]{0,6}(?:[.,][0-9]{1,15})?")
"""In a list of formats: ISO 8601, which is also what an empty list means."""
MINUS = "\N{MINUS SIGN}"
MOMENTS_KEPT = 4096
_SPACES = re.compile("[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}]")
_MIDNIGHT = re.compile(r"(?<!\d)24(?=:00)(:00){1,2}(?![:\d])")
_EXACT = Context(prec=10_000, traps=[InvalidOperation, Inexact])

Scalar = str | int | float | bool
Number = TypeVar("Number", int, Decimal)


class Unreadable(StocklineError):
    """A record cannot be read by its profile; the message says why."""


class ValueReader:
    """Reads text by the decimal point, thousands separator and time zone of a profile. Raises `Unreadable`."""

    def __init__(self, reading: Reading) -> None:
        self._decimal = reading.decimal
        self._thousands = _SPACES.sub(" ", reading.thousands)
        self._parentheses = reading.parentheses
        self._zone_name = reading.time_zone
        self._zone = ZoneInfo(reading.time_zone)
        # Rows that follow each other have the same days and minutes, and reading one costs more than all else of a row.
        self._moments = lru_cache(MOMENTS_KEPT)(self._moment)

    def read(self, cell: Cell, text: str, factor: Decimal = ONE) -> Scalar:
        """The value of a column; a whole number is multiplied by `factor` before it must be whole.

        A decimal number is returned as text, so that it keeps its digits.
        """
        if cell.read_as == "integer":
            return _signed(self.integer(text, factor), cell.sign)
        if cell.read_as == "number":
            return str(_signed(self.number(text), cell.sign))
        if cell.read_as == "moment":
            return self.moment(text, cell.formats)
        if cell.read_as == "date":
            return _local(text, cell.formats).date().isoformat()
        if cell.read_as == "boolean":
            return _boolean(text)
        return text

    def number(self, text: str) -> Decimal:
        """A finite decimal number; a minus may stand behind it, and in a profile that says so `(5)` is -5."""
        try:
            # The usual form first: it is what nearly every cell of a large file has.
            return Decimal(text) if text.isdecimal() else self._written(text)
        except InvalidOperation:
            raise Unreadable(f"{text!r} is not a number") from None

    def _written(self, text: str) -> Decimal:
        plain = text.replace(MINUS, "-").removeprefix("+")
        if self._parentheses and plain.startswith("(") and plain.endswith(")"):
            plain = "-" + plain[1:-1]
        elif plain.endswith("-") and not plain.startswith("-"):
            plain = "-" + plain[:-1].rstrip()
        if self._thousands and self._thousands in (plain := _SPACES.sub(" ", plain)):
            plain = self._ungrouped(plain)
        if "_" in plain or (self._decimal != "." and "." in plain):
            raise Unreadable(f"{text!r} is not a number whose decimal mark is {self._decimal!r}")
        number = Decimal(plain.replace(self._decimal, "."))
        # To write 1E-999999999 out would take a gigabyte.
        if not number.is_finite() or number.adjusted() < -MAX_DIGITS:
            raise Unreadable(f"{text!r} is not a number")
        return number

    def _ungrouped(self, text: str) -> str:
        """The digits without separators; 5,5 where a comma separates thousands is a slip, and not 55."""
        whole, mark, fraction = text.partition(self._decimal)
        first, *groups = whole.removeprefix("-").split(self._thousands)
        if not first or any(len(group) not in (2, 3) for group in groups) or len((groups or [""])[-1]) != 3:
            raise Unreadable(f"{text!r} is not a number whose thousands are separated by {self._thousands!r}")
        return whole.replace(self._thousands, "") + mark + fraction

    def integer(self, text: str, factor: Decimal = ONE) -> int:
        """A whole number: what is written, times the factor of its unit, both taken exactly."""
        number = self.number(text)
        if number.adjusted() > MAX_DIGITS:
            raise Unreadable(f"{text!r} is not a whole number of at most {MAX_DIGITS} digits")
        if factor != ONE:
            number = _EXACT.multiply(number, factor)
        if number != number.to_integral_value():
            times = f" times {factor} is {number.normalize():f}, which" if factor != ONE else ""
            raise Unreadable(f"{text!r}{times} is not a whole number")
        return int(number)

    def moment(self, text: str, formats: tuple[str, ...]) -> str:
        """A time in ISO 8601 with its offset; the profile's zone supplies the offset where the text has none."""
        return self._moments(text, formats)

    def _moment(self, text: str, formats: tuple[str, ...]) -> str:
        moment = _local(text, formats)
        if moment.tzinfo is None:
            zoned = moment.replace(tzinfo=self._zone)
            # A time that the change to summer time leaves out does not survive the way to UTC and back.
            if (survived := _there_and_back(zoned)) is None or survived.replace(tzinfo=None) != moment:
                raise Unreadable(f"{text!r} does not exist in {self._zone_name}")
            moment = zoned
        return moment.isoformat()


def _local(text: str, formats: tuple[str, ...]) -> datetime:
    moment = _read_time(text, formats)
    if moment is None and (midnight := _MIDNIGHT.sub(_begin_of_day, text)) != text:
        # 24:00 is the end of the day that is written, which is the beginning of the next one.
        moment = _read_time(midnight, formats)
        moment = None if moment is None or moment.year == MAXYEAR else moment + timedelta(days=1)
    if moment is not None:
        return moment
    raise Unreadable(
        f"{text!r} is not a time" if not formats else f"{text!r} has none of the forms {', '.join(formats)}"
    )


def _read_time(text: str, formats: tuple[str, ...]) -> datetime | None:
    for pattern in formats or (ISO,):
        try:
            if pattern == SERIAL:
                return _serial_time(text)
            # The profile declares the zone of a time without an offset.
            return datetime.fromisoformat(text) if pattern == ISO else datetime.strptime(text, pattern)  # noqa: DTZ007
        except (ValueError, OverflowError):
            continue
    return None


def _serial_time(text: str) -> datetime:
    """The time of a spreadsheet's number of days, to the second. Raises `ValueError`."""
    if not _SERIAL_DAY.fullmatch(text):
        raise ValueError(text)
    return _DAY_0 + timedelta(seconds=round(Decimal(text.replace(",", ".")) * 86_400))


def _begin_of_day(written: re.Match[str]) -> str:
    return "00" + written[0][2:]


def _there_and_back(zoned: datetime) -> datetime | None:
    try:
        return datetime.fromtimestamp(zoned.timestamp(), zoned.tzinfo)
    except (ValueError, OverflowError):
        # At the ends of the calendar the time in UTC is beyond it.
        return None


def _signed(number: Number, sign: str) -> Number:
    return abs(number) if sign == "absolute" else -number if sign == "negate" else number


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered in ("1", "true", "yes", "y"):
        return True
    if lowered in ("0", "false", "no", "n"):
        return False
    raise Unreadable(f"{text!r} is neither yes nor no")
