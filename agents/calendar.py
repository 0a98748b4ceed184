"""Local days: which day an instant falls on at a location, and when that day begins."""

from zoneinfo import ZoneInfo

from engine.core.values import DAY, day_of, instant, moment

EPOCH_DAY = 719_163
"""The ordinal of 1970-01-01."""
LAST_DAY = 3_652_058
"""The ordinal of 9999-12-30: later days begin when it does."""
MOST_SPANS = 1_000
"""How many local days a calendar remembers."""


class Calendar:
    """Local days by time zone. The calendar remembers the beginning and end of the days that were asked for."""

    def __init__(self) -> None:
        self._spans: dict[tuple[str, int], tuple[int, int, int]] = {}

    def day(self, zone: str, at: int) -> int:
        """The local day (ordinal) of an instant."""
        key = (zone, at // DAY)
        span = self._spans.get(key)
        if span is None or not span[0] <= at < span[1]:
            if len(self._spans) == MOST_SPANS:
                self._spans.clear()
            span = self._spans[key] = self._span(zone, at)
        return span[2]

    @staticmethod
    def _span(zone: str, at: int) -> tuple[int, int, int]:
        if zone == "UTC":
            start = at - at % DAY
            return start, start + DAY, EPOCH_DAY + start // DAY
        ordinal = moment(at).astimezone(ZoneInfo(zone)).toordinal()
        return midnight(zone, ordinal), midnight(zone, ordinal + 1), ordinal


def midnight(zone: str, ordinal: int) -> int:
    """The instant at which a local day begins."""
    if zone == "UTC":
        return (ordinal - EPOCH_DAY) * DAY
    day = day_of(min(ordinal, LAST_DAY))
    return instant(moment(0).replace(year=day.year, month=day.month, day=day.day, tzinfo=ZoneInfo(zone)))
