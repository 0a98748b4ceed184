"""The options of the demo, and the days that its data covers."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from engine.core.errors import UsageError

DEFAULT_FROM = date(2011, 3, 1)
DEFAULT_MONTHS = 3
WARM_UP_DAYS = 28
FIRST_DAY, LAST_DAY = date(2010, 12, 1), date(2011, 9, 30)
"""The first and the last day of the packaged data."""


@dataclass(frozen=True)
class DemoOptions:
    """The options of `stockline demo`. Without `last` the period is `months` long.

    `data` is a directory that is empty or does not exist; without it the engine's data is deleted at the end. The same
    `seed` gives the same suppliers and mishaps. `exit` ends the demo after its summary.
    """

    first: date = DEFAULT_FROM
    last: date | None = None
    months: int = DEFAULT_MONTHS
    seed: str = "7"
    port: int = 8080
    data: Path | None = None
    exit: bool = False
    as_json: bool = False

    @property
    def period(self) -> tuple[date, date]:
        """The first and the last day to replay, both included. Raises `UsageError` for days without data."""
        last = self.last or _months_later(self.first, self.months)
        if (self.first - FIRST_DAY).days < WARM_UP_DAYS or last > LAST_DAY or last < self.first:
            earliest = date.fromordinal(FIRST_DAY.toordinal() + WARM_UP_DAYS)
            raise UsageError(f"the demo's data allows days from {earliest} to {LAST_DAY}, not {self.first} to {last}")
        return self.first, last


def _months_later(first: date, months: int) -> date:
    """The last day of a period of `months` months that begins on `first`."""
    years, month = divmod(first.month - 1 + months, 12)
    following = date(first.year + years, month + 1, 1)
    if first.day > 1:
        following = following.replace(day=min(first.day, 28))
    return date.fromordinal(following.toordinal() - 1)
