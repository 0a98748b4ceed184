"""Dates of EDIFACT: a format (element 2379) says where the year, month, week, day and time stand. Raises `Misread`."""

import calendar
import re
from datetime import date, timedelta, timezone, tzinfo
from typing import Final, NamedTuple

from connectors.edi.problems import Misread

_LENGTHS: Final = {"C": 4, "y": 2, "m": 2, "d": 2, "w": 2, "e": 1, "j": 3, "H": 2, "M": 2, "S": 2}
"""Digits of each part: C is a year with its century, w a week, e a day of the week, j a day of the year."""
_FORMATS: Final = {
    "2": "dmy", "3": "mdy", "4": "dmC", "5": "dmCHM", "101": "ymd", "102": "Cmd", "103": "ywe", "105": "yj",
    "201": "ymdHM", "202": "ymdHMS", "203": "CmdHM", "204": "CmdHMS", "205": "CmdHM", "208": "CmdHMS",
    "301": "ymdHM", "302": "ymdHMS", "303": "CmdHM", "304": "CmdHMS",
    "602": "C", "609": "ym", "610": "Cm", "615": "yw", "616": "Cw",
}  # fmt: skip
_PERIODS: Final = {
    "709": "ym", "710": "Cm", "711": "Cmd", "713": "ymdHM", "715": "yw", "716": "Cw", "717": "ymd", "718": "Cmd",
    "719": "CmdHM",
}  # fmt: skip
"""Formats of two dates, a begin and an end, without anything between them."""
_BY_LENGTH: Final = {6: "ymd", 8: "Cmd", 12: "CmdHM", 14: "CmdHMS"}
"""What a date without a format is, by its digits."""
_HOURS: Final = {
    "UTC": 0, "GMT": 0, "Z": 0, "CET": 1, "EET": 2, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
    "PST": -8, "PDT": -7,
}  # fmt: skip
"""Names of time zones; any other is the profile's zone."""


class When(NamedTuple):
    """A date, and the time of the day where it is stated; `zone` where the document says it."""

    day: date
    clock: tuple[int, int, int] | None = None
    zone: tzinfo | None = None


class Period(NamedTuple):
    """From `first` to `last`, both included; `last` is None where the document names one day, or a time."""

    first: When
    last: date | None = None


def period(text: str, form: str) -> Period:
    """The date of a DTM; a week, a month and a year are periods too. Raises `Misread`."""
    what = f"the date {text!r} of the format {form or '(none)'}"
    digits, zone = _digits_and_zone(text, form)
    if form in _PERIODS:
        parts = _PERIODS[form]
        size = sum(_LENGTHS[part] for part in parts)
        first, second = _read(digits[:size], parts, what), digits[size:]
        if not second:
            return first
        end = _read(second, parts, what)
        last = end.last or end.first.day
        if last < first.first.day:
            raise Misread(f"{what} ends before it begins")
        return Period(first.first, last)
    known = _FORMATS.get(form) if form else _BY_LENGTH.get(len(digits))
    if known is None:
        raise Misread(f"{what} cannot be read")
    found = _read(digits, known, what)
    return found._replace(first=found.first._replace(zone=zone)) if found.first.clock else found


def of_digits(digits: str, what: str) -> date:
    """A date of six or eight digits, the year first. Raises `Misread`."""
    return _day({"y" if len(digits) == 6 else "C": digits[:-4], "m": digits[-4:-2], "d": digits[-2:]}, what)


def clock_of(text: str) -> tuple[int, int, int] | None:
    """Hours, minutes and seconds; None for what is no time, as it must not cost the date beside it."""
    if not text.isascii() or not text.isdigit() or len(text) < 4:
        return None
    hour, minute, second = int(text[:2]), int(text[2:4]), int(text[4:6] or 0) if len(text) >= 6 else 0
    return (hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _read(digits: str, parts: str, what: str) -> Period:
    """Digits by the parts of a format; the time of the day may be missing."""
    days = parts.rstrip("HMS")
    size, whole = (sum(_LENGTHS[part] for part in some) for some in (days, parts))
    # More digits behind a year without its century belong to another format: the date would be another one.
    if len(digits) < size or ("C" not in parts and len(digits) not in (size, whole)):
        raise Misread(f"{what} cannot be read")
    values, at = {}, 0
    for part in days:
        values[part] = digits[at : at + _LENGTHS[part]]
        at += _LENGTHS[part]
    day = _day(values, what)
    clock = clock_of(digits[size:whole]) if whole > size else None
    return Period(When(day, clock), _end(day, days))


def _day(values: dict[str, str], what: str) -> date:
    """The date, or the first day of the week, month or year."""
    year = values.get("C", "")
    if "y" in values:
        # Two digits of a year: EDI began in the seventies.
        year = ("19" if values["y"] >= "70" else "20") + values["y"]
    try:
        if "w" in values:
            return date.fromisocalendar(int(year), int(values["w"]), int(values.get("e", 1)))
        if "j" in values:
            day = date(int(year), 1, 1) + timedelta(days=int(values["j"]) - 1)
            if day.year != int(year):
                raise ValueError
            return day
        return date(int(year), int(values.get("m", 1)), int(values.get("d", 1)))
    except (ValueError, OverflowError):
        kind = "week" if "w" in values and "e" not in values else "date"
        raise Misread(f"{what} is no {kind} of the calendar") from None


def _end(day: date, parts: str) -> date | None:
    """The last day of a week, a month or a year; None for a day."""
    if parts[-1] == "w":
        return day + timedelta(days=6)
    if parts in ("ym", "Cm"):
        return day.replace(day=calendar.monthrange(day.year, day.month)[1])
    return day.replace(month=12, day=31) if parts == "C" else None


def _digits_and_zone(text: str, form: str) -> tuple[str, tzinfo | None]:
    """The digits of a date, without the offset (205, 208) or the time zone (301 to 304) behind them."""
    if not text.isascii():
        return "", None
    zone = None
    if form in ("205", "208", "301", "302", "303", "304"):
        found = re.fullmatch(r"([0-9]{10,14})\s*([+PM-]?)([0-9]{2})?:?([0-9]{2})?([A-Z]{0,4})", text)
        if found is not None:
            text, sign, hours, minutes, name = (group or "" for group in found.groups())
            if sign and hours:
                ahead = timedelta(hours=int(hours), minutes=int(minutes or 0))
                zone = timezone(-ahead if sign in "-M" else ahead) if ahead < timedelta(hours=24) else None
            elif name in _HOURS:
                zone = timezone(timedelta(hours=_HOURS[name]))
    return re.sub(r"[^0-9]", "", text), zone
