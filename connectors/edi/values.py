"""Quantities, dates and names of a document, read as a partner's profile says. Raises `Misread` and `Unmapped`."""

import calendar
import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from connectors.edi import codes
from connectors.edi.dates import When, clock_of, of_digits
from connectors.edi.problems import Misread
from connectors.edi.profile import PartnerProfile
from connectors.ports import Identifiers
from connectors.profiles import IdentifierKind

MAX_QUANTITY: Final = 10**12
FIRST_YEAR, LAST_YEAR = 1970, 2200
_NAME_CHARACTERS: Final = 64
_REFERENCE_CHARACTERS: Final = 128
_X12_ZONES: Final[dict[str, tzinfo | str]] = {
    "UT": "UTC", "GM": "UTC", "Z": "UTC", "ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver",
    "PT": "America/Los_Angeles", "ES": timezone(timedelta(hours=-5)), "ED": timezone(timedelta(hours=-4)),
    "CS": timezone(timedelta(hours=-6)), "CD": timezone(timedelta(hours=-5)), "MS": timezone(timedelta(hours=-7)),
    "MD": timezone(timedelta(hours=-6)), "PS": timezone(timedelta(hours=-8)), "PD": timezone(timedelta(hours=-7)),
}  # fmt: skip
"""Element 623; a code that is not here, such as `LT`, is the profile's zone."""


class Quantity(NamedTuple):
    """A whole quantity of an item's unit; of its base unit where `uom` is None."""

    qty: int
    uom: str | None = None


class Values:
    """Reads the values of a partner's documents."""

    def __init__(self, profile: PartnerProfile, identifiers: Identifiers) -> None:
        self.profile = profile
        self._identifiers = identifiers
        self._zone = ZoneInfo(profile.time_zone)

    def item(self, numbers: Iterable[tuple[str, str]]) -> str:
        """Our item, by the best of the (qualifier, number) pairs."""
        known = {qualifier: number for qualifier, number in reversed([*numbers]) if number}
        for qualifier in self.profile.item_qualifiers:
            if qualifier in known:
                return self._ours("item", known[qualifier])
        found = ", ".join(sorted(known)) or "none"
        raise Misread(f"no item number with a qualifier of the profile's `items`; there are: {found}")

    def location(self, parties: Iterable[tuple[str, str]], usual: tuple[str, ...]) -> str:
        """Our location, by the best of the (qualifier, identification) pairs, or the profile's."""
        known = {qualifier: number for qualifier, number in reversed([*parties]) if number}
        wanted = self.profile.locations if self.profile.locations is not None else usual
        for qualifier in wanted:
            if qualifier in known:
                return self._ours("location", known[qualifier])
        if self.profile.location is None:
            asked = ", ".join(wanted) or "none is looked for"
            raise Misread(f"no party says where ({asked}): set `location` in the profile")
        return self.profile.location

    def quantity(self, text: str, unit: str, decimal: str = "") -> Quantity:
        """A quantity in base units, or in a unit of the item; exact, so a part of a piece is refused."""
        number = self.number(text, decimal)
        factor = self.profile.units.get(unit, codes.UNITS.get(unit))
        if factor is None:
            factor = self._ours("unit", unit)
        uom = factor if isinstance(factor, str) else None
        exact = number if isinstance(factor, str) else number * factor
        if exact != exact.to_integral_value() or abs(exact) > MAX_QUANTITY:
            size = "is no whole number" if abs(exact) <= MAX_QUANTITY else "is more than 10^12"
            raise Misread(f"the quantity {text} {unit}".rstrip() + f" {size} of {uom or 'base units'}")
        return Quantity(int(exact), uom)

    def number(self, text: str, decimal: str = "") -> Decimal:
        """A decimal number of at most 30 digits; a comma is a decimal mark too, wherever it stands alone.

        `decimal` is the mark that the interchange declares. In X12, which declares none, three digits behind a comma
        may be thousands as well, so such a number is refused.
        """
        if not decimal and re.fullmatch(r"[+-]?[0-9]{1,3},[0-9]{3}-?", text):
            raise Misread(f"{text!r} is either a decimal number or one of thousands: X12 writes numbers without commas")
        plain = text.replace(decimal, ".") if decimal not in ("", ".") else text
        if "," in plain and "." not in plain and plain.count(",") == 1:
            plain = plain.replace(",", ".")
        if not re.fullmatch(r"[+-]?[0-9]*\.?[0-9]*-?", plain) or len(plain) > 30:
            raise Misread(f"{text!r} is not a number")
        sign = "-" if plain.endswith("-") else ""
        try:
            return Decimal(sign + plain.removesuffix("-"))
        except InvalidOperation:
            raise Misread(f"{text!r} is not a number") from None

    def x12_when(self, day: str, clock: str = "", zone: str = "") -> When:
        """A date of six or eight digits, and a time of four to eight, of X12."""
        known = _X12_ZONES.get(zone)
        return When(
            of_digits(day if day.isascii() and day.isdigit() and len(day) in (6, 8) else "", f"the date {day!r}"),
            clock_of(clock) if clock else None,
            ZoneInfo(known) if isinstance(known, str) else known,
        )

    def moment(self, when: When) -> str:
        """A time in ISO 8601 with its offset; a day without a time begins."""
        if not FIRST_YEAR <= when.day.year <= LAST_YEAR:
            raise Misread(f"the date {when.day} is not between {FIRST_YEAR} and {LAST_YEAR}")
        hour, minute, second = when.clock or (0, 0, 0)
        local = datetime(when.day.year, when.day.month, when.day.day, hour, minute, second)  # noqa: DTZ001 - set below
        zoned = local.replace(tzinfo=when.zone or self._zone)
        # A time that the change to summer time leaves out is moved on by as much as the clocks are.
        return datetime.fromtimestamp(zoned.timestamp(), when.zone or self._zone).isoformat()

    def _ours(self, kind: IdentifierKind, name: str) -> str:
        found = self._identifiers.ours(kind, self.profile.partner, name)
        if not 0 < len(found) <= _NAME_CHARACTERS or not found.isprintable() or found != found.strip():
            raise Misread(f"the {kind} {found!r} is no name: 1 to {_NAME_CHARACTERS} printable characters")
        return found


def reference(text: str, what: str) -> str:
    """A reference of the contract: 1 to 128 printable characters."""
    if not text:
        raise Misread(f"{what} is missing")
    if len(text) > _REFERENCE_CHARACTERS or not text.isprintable():
        raise Misread(f"{what} {text[:40]!r} is longer than {_REFERENCE_CHARACTERS} characters, or is not printable")
    return text


def month_days(day: date, months: int = 1) -> int:
    """The days from `day` to the end of its month, and of the `months` - 1 after it."""
    total = calendar.monthrange(day.year, day.month)[1] - day.day + 1
    year, month = day.year, day.month
    for _ in range(months - 1):
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        total += calendar.monthrange(year, month)[1]
    return total
