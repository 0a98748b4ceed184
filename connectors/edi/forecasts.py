"""What customers expect to take: the buckets of a forecast, by item and the place that they are shipped from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connectors.base import JsonObject
from connectors.edi import codes
from connectors.edi.message import Message, Nothing, Statement, days_between
from connectors.edi.problems import Fault, Misread
from connectors.edi.schedules import one_unit
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity, When, month_days, reference

MOST_BUCKETS = 1000
"""The buckets that the contract allows in a forecast."""


@dataclass(frozen=True)
class Bucket:
    """A quantity that is expected from `start` on; `end`, where it is stated, is the last day."""

    quantity: Quantity
    start: When
    timing: str = "D"
    end: When | None = None


@dataclass(frozen=True)
class Expected:
    """The forecast of an item from a location, as one part of the message says it."""

    segment: Segment
    sku: str
    location: str
    buckets: list[Bucket]


def forecasts(message: Message, lines: Iterable[Expected]) -> Iterator[Statement | Nothing | Fault]:
    """A `forecast.revised` for each item and location: what several plants of a customer expect is summed."""
    if message.purpose in ("change", "cancel"):
        raise Misread(f"a {message.transaction.code} that {message.purpose}s another one: ask for a whole schedule")
    found: dict[tuple[str, str], list[Expected]] = {}
    for line in lines:
        found.setdefault((line.sku, line.location), []).append(line)
    for key, parts in found.items():
        try:
            yield _statement(message, key, parts)
        except Misread as error:
            yield Fault.of(parts[0].segment, error)


def _statement(message: Message, key: tuple[str, str], parts: list[Expected]) -> Statement | Nothing:
    buckets = [bucket for part in parts for bucket in part.buckets]
    if not buckets:
        return Nothing(parts[0].segment, "an item without quantities of a schedule")
    totals: dict[tuple[str, int], int] = {}
    for bucket in buckets:
        place = (bucket.start.day.isoformat(), _days(message, bucket))
        totals[place] = totals.get(place, 0) + bucket.quantity.qty
    if len(totals) > MOST_BUCKETS or min(totals.values()) < 0:
        raise Misread(f"a forecast has at most {MOST_BUCKETS} buckets, and none below 0")
    uom = one_unit(bucket.quantity for bucket in buckets)
    data: JsonObject = {
        "sku": key[0],
        "location": key[1],
        "version": reference(message.number, "the number of the schedule"),
        "mode": "replace",
        "buckets": [{"start": start, "days": days, "qty": qty} for (start, days), qty in sorted(totals.items())],
        **({"uom": uom} if uom else {}),
    }
    return Statement(parts[0].segment, "forecast.revised", data, key)


def _days(message: Message, bucket: Bucket) -> int:
    """How many days a bucket spans: by its end, else by its timing."""
    if bucket.end is not None:
        return days_between(bucket.start.day, bucket.end.day)
    days = message.values.profile.codes.bucket_days.get(bucket.timing)
    if days is None and bucket.timing in codes.BUCKET_MONTHS:
        return month_days(bucket.start.day, codes.BUCKET_MONTHS[bucket.timing])
    days = days or codes.BUCKET_DAYS.get(bucket.timing)
    if days is None:
        raise Misread(
            f"a quantity of the timing {bucket.timing!r} from {bucket.start.day} on has no last day: say in "
            "`codes.bucket_days` of the profile how many days it spans"
        )
    return days
