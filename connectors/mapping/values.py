"""Numbers, times and truth values, read from the text of a column as a profile declares it."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TypeVar
from zoneinfo import ZoneInfo

from connectors.mapping.language import Cell, Reading
from engine.core.errors import StocklineError

MAX_DIGITS = 30
"""A whole number with a larger exponent is not written out: it would cost memory, and no quantity is as large."""

Scalar = str | int | float | bool
Number = TypeVar("Number", int, Decimal)


class Unreadable(StocklineError):
    """A record cannot be read by its profile; the message says why."""


class ValueReader:
    """Reads text by the decimal point, thousands separator and time zone of a profile. Raises `Unreadable`."""

    def __init__(self, reading: Reading) -> None:
        self._decimal = reading.decimal
        self._thousands = reading.thousands
        self._zone_name = reading.time_zone
        self._zone = ZoneInfo(reading.time_zone)

    def read(self, cell: Cell, text: str) -> Scalar:
        """The value of a column; a decimal number is returned as text, so that it keeps its digits."""
        if cell.read_as == "integer":
            return _signed(self.integer(text), cell.sign)
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
        """A finite decimal number."""
        plain = text.replace(self._thousands, "") if self._thousands else text
        try:
            number = Decimal(plain.replace(self._decimal, "."))
        except InvalidOperation:
            raise Unreadable(f"{text!r} is not a number") from None
        if not number.is_finite():
            raise Unreadable(f"{text!r} is not a number")
        return number

    def integer(self, text: str) -> int:
        """A whole number, which may be written with a fraction of zeros."""
        number = self.number(text)
        if number.adjusted() > MAX_DIGITS or number != number.to_integral_value():
            raise Unreadable(f"{text!r} is not a whole number")
        return int(number)

    def moment(self, text: str, formats: tuple[str, ...]) -> str:
        """A time in ISO 8601 with its offset; the profile's zone supplies the offset where the text has none."""
        moment = _local(text, formats)
        if moment.tzinfo is None:
            zoned = moment.replace(tzinfo=self._zone)
            # A time that the change to summer time leaves out does not survive the way to UTC and back.
            if datetime.fromtimestamp(zoned.timestamp(), self._zone).replace(tzinfo=None) != moment:
                raise Unreadable(f"{text!r} does not exist in {self._zone_name}")
            moment = zoned
        return moment.isoformat()


def _local(text: str, formats: tuple[str, ...]) -> datetime:
    if not formats:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise Unreadable(f"{text!r} is not a time") from None
    for pattern in formats:
        try:
            return datetime.strptime(text, pattern)  # noqa: DTZ007 - the profile declares the zone
        except ValueError:
            continue
    raise Unreadable(f"{text!r} has none of the forms {', '.join(formats)}")


def _signed(number: Number, sign: str) -> Number:
    return abs(number) if sign == "absolute" else -number if sign == "negate" else number


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered in ("1", "true", "yes", "y"):
        return True
    if lowered in ("0", "false", "no", "n"):
        return False
    raise Unreadable(f"{text!r} is neither yes nor no")
