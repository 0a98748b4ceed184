"""The shop's days and hours: instants are UTC microseconds, days are ordinals of the UK's local calendar."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from connectors.retail.invoices import ZONE

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@lru_cache(maxsize=4096)
def at_local(day: int, hour: int = 0, minute: int = 0) -> int:
    """The instant of a local time of day."""
    moment = datetime.combine(date.fromordinal(day), time(hour, minute), ZONE)
    return int(moment.timestamp()) * SECOND


def local_day(at: int) -> int:
    """The local day of an instant."""
    return datetime.fromtimestamp(at / SECOND, UTC).astimezone(ZONE).toordinal()


def iso(at: int) -> str:
    """An instant as RFC 3339 in UTC."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).isoformat()


def iso_day(day: int) -> str:
    """A day as an ISO date."""
    return date.fromordinal(day).isoformat()


def is_working_day(day: int) -> bool:
    """Monday to Friday."""
    return day % 7 in (1, 2, 3, 4, 5)


def next_working_day(day: int) -> int:
    """The first working day from `day` on."""
    while not is_working_day(day):
        day += 1
    return day


def in_working_hours(at: int) -> int:
    """The first instant from `at` on at which goods are taken in: working days, 8 to 16 h."""
    day = local_day(at)
    if is_working_day(day) and at_local(day, 8) <= at <= at_local(day, 16):
        return at
    if at > at_local(day, 16):
        day += 1
    # The time of day is kept within the hours, so that deliveries do not all come at eight.
    return at_local(next_working_day(day), 8) + at % (8 * HOUR)


def at_next_job(at: int) -> int:
    """The next run of the job that exchanges documents, every five minutes."""
    return -(-at // (5 * MINUTE)) * (5 * MINUTE)
