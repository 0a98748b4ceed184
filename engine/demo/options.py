"""What the demo may be told, and the days that its data allows."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from engine.core.errors import UsageError

DEFAULT_FROM = date(2011, 3, 1)
DEFAULT_MONTHS = 3
WARM_UP_DAYS = 28
FIRST_DAY, LAST_DAY = date(2010, 12, 1), date(2011, 9, 30)
"""What the packaged data covers."""


@dataclass(frozen=True)
class DemoOptions:
    """What the demo may be told; `data` must not exist or be empty, without it the data is thrown away in the end."""

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
        """The first and the last day to replay. Raises `UsageError`."""
        last = self.last or _months_later(self.first, self.months)
        if (self.first - FIRST_DAY).days < WARM_UP_DAYS or last > LAST_DAY or last < self.first:
            earliest = date.fromordinal(FIRST_DAY.toordinal() + WARM_UP_DAYS)
            raise UsageError(f"the demo's data allows days from {earliest} to {LAST_DAY}, not {self.first} to {last}")
        return self.first, last


def _months_later(first: date, months: int) -> date:
    """The last day of so many months from `first`."""
    years, month = divmod(first.month - 1 + months, 12)
    following = date(first.year + years, month + 1, 1)
    if first.day > 1:
        following = following.replace(day=min(first.day, 28))
    return date.fromordinal(following.toordinal() - 1)
