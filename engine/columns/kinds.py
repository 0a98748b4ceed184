"""Kinds of values: each is kept as an integer whose order is that of the values, so that one code sorts and filters."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from engine.columns.texts import Mask, Texts
from engine.core.values import MAX_BALANCE, SECOND, day_of, instant, moment

Numbers = NDArray[np.int64] | NDArray[np.int32]
Value = int | str | datetime | date | Decimal | float | None
Scalar = type[int] | type[str] | type[datetime] | type[date] | type[Decimal] | type[float]

MONEY_SCALE = 10**6
"""An amount of money is kept in millionths of its currency's unit."""
DAYS_SCALE = 1000
"""A number of days that may be broken is kept in thousandths."""
WIDE_MISSING = -(2**63)


Many = Callable[[Sequence[object]], Numbers]


class Kind(Protocol):
    """How the values of a column are kept.

    Attributes:
        scalar: the Python type of its values.
        wide: whether its numbers need 64 bits.
        missing: the number of a missing value; it is below all others.
    """

    scalar: Scalar
    wide: bool
    missing: int

    def number(self, value: object) -> int:
        """The number under which a value is kept; that of None is `missing`."""

    def numbers(self, values: Sequence[object]) -> Numbers:
        """The numbers of many values."""

    def value(self, number: int) -> Value:
        """The value, JSON-ready for msgspec, of a number that is not `missing`."""

    def ranked(self, numbers: Numbers) -> Numbers:
        """Numbers in the order of their values; what is missing stays `missing`."""

    def span(self, value: object) -> tuple[int, int]:
        """The least rank not below `value` and the greatest not above it; they cross where there is none such."""


class Plain:
    """A kind whose numbers are in the order of the values."""

    wide = True
    missing = WIDE_MISSING

    def __init__(
        self, scalar: Scalar, number: Callable[[object], int], value: Callable[[int], Value], many: Many | None = None
    ) -> None:
        """Make a kind.

        Args:
            scalar: the Python type of its values.
            number: the number of a value.
            value: the value of a number.
            many: the numbers of many values of which none is missing, for kinds where that is worth a way of its own;
                it may raise TypeError, OverflowError or AttributeError, and then they are converted one by one.
        """
        self.scalar = scalar
        self._number, self.value, self._many = number, value, many

    def number(self, value: object) -> int:
        """The number of a value."""
        return self.missing if value is None else self._number(value)

    def numbers(self, values: Sequence[object]) -> Numbers:
        """The numbers of many values."""
        if self._many is not None:
            with suppress(TypeError, OverflowError, AttributeError):
                return self._many(values)
        number, missing = self._number, self.missing
        return np.array([missing if value is None else number(value) for value in values], np.int64)

    def ranked(self, numbers: Numbers) -> Numbers:
        """The numbers themselves."""
        return numbers

    def span(self, value: object) -> tuple[int, int]:
        """The number of the value, twice."""
        number = self._number(value)
        return number, number


class TextKind:
    """Texts, kept as their codes.

    Attributes:
        shared: whether columns of several tables have codes of these texts, so that none may be forgotten.
    """

    scalar: Scalar = str
    wide = False
    missing = -1

    def __init__(self, shared: bool = False) -> None:
        self.texts = Texts()
        self.shared = shared

    def number(self, value: object) -> int:
        """The code of a text."""
        return -1 if value is None else self.texts.code(cast(str, value))

    def numbers(self, values: Sequence[object]) -> Numbers:
        """The codes of many texts."""
        return np.array(self.texts.codes(cast("Sequence[str | None]", values)), np.int32)

    def value(self, number: int) -> str:
        """The text of a code."""
        return self.texts.known[number]

    def ranked(self, numbers: Numbers) -> Numbers:
        """The places of the codes in the order of all texts."""
        # The last entry is that of the code -1.
        return np.append(self.texts.ranks(), np.int32(-1)).take(numbers)

    def among(self, codes: Numbers, texts: Sequence[object]) -> Mask:
        """For each code whether it is that of one of some texts, which takes no order of all texts."""
        found = [code for text in texts if (code := self.texts.find(str(text))) is not None]
        if len(found) == 1:
            equal: Mask = codes == found[0]
            return equal
        wanted = np.zeros(len(self.texts) + 1, np.bool_)
        wanted[found] = True
        return wanted.take(codes)

    def span(self, value: object) -> tuple[int, int]:
        """The ranks between which the text lies."""
        return self.texts.span(str(value))


def _whole(value: object) -> int:
    return max(-MAX_BALANCE, min(MAX_BALANCE, cast(int, value)))


def _instant(value: object) -> int:
    return instant(cast(datetime, value))


def _instants(values: Sequence[object]) -> Numbers:
    """What `instant` gives for each, in a quarter of the time."""
    seconds = np.fromiter(map(datetime.timestamp, cast("Sequence[datetime]", values)), np.float64, len(values))
    return np.rint(seconds * SECOND).astype(np.int64)


def _day(value: object) -> int:
    return cast(date, value).toordinal()


def _scaled(value: object, scale: int) -> int:
    """The nearest whole number of parts; what is too great for a column is kept as the greatest."""
    most = MAX_BALANCE // scale
    if isinstance(value, float) and value.is_integer():
        # Most numbers of days are whole; decimals take ten times as long.
        return max(-most, min(most, int(value))) * scale
    amount = value if isinstance(value, Decimal) else Decimal(str(value))
    return int((max(Decimal(-most), min(Decimal(most), amount)) * scale).to_integral_value())


def money_of(number: int) -> Decimal:
    """The amount of money that a number of millionths is, without zeros at its end."""
    amount = Decimal(number) / MONEY_SCALE
    return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount.normalize()


WHOLE = Plain(int, _whole, int, lambda values: np.fromiter(cast("Sequence[int]", values), np.int64, len(values)))
INSTANT = Plain(datetime, _instant, moment, _instants)
DAY = Plain(date, _day, day_of)
MONEY = Plain(Decimal, lambda value: _scaled(value, MONEY_SCALE), money_of)
DAYS = Plain(float, lambda value: _scaled(value, DAYS_SCALE), lambda number: number / DAYS_SCALE)
