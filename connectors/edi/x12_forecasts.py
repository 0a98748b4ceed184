"""830, a customer's planning schedule."""

from collections.abc import Iterator

from connectors.edi import codes, x12
from connectors.edi.forecasts import Bucket, Expected, forecasts
from connectors.edi.message import Loop, Message, Nothing, Outcome, every, gather
from connectors.edi.problems import Misread


def planning_schedule(message: Message) -> Iterator[Outcome]:
    """Each item from a location is a `forecast.revised` of the FSTs of its LIN loops."""
    begin = message.first("BFR")
    message.read_purpose(begin, begin[1], codes.X12_PURPOSES)
    if begin[5] == "C":
        raise Misread("BFR05 says that the quantities are cumulative: ask for a schedule of discrete ones (A)")
    message.number = begin[2] or begin[3] or begin[9] or message.transaction.control
    message.day = message.values.x12_when(begin[8]) if begin[8] else None
    header = message.header(("LIN",))
    loops = x12.lines(message, ("LIN",))
    if not loops:
        yield Nothing(begin, "a schedule of no items")
    lines, refused = gather(loops, lambda _, loop: _expected(message, header, loop))
    yield from (*refused, *forecasts(message, lines))


def _expected(message: Message, header: Loop, loop: Loop) -> Expected:
    unit = x12.unit_of(loop)
    buckets = []
    for segment in every(loop, "FST"):
        end = message.values.x12_when(segment[5]) if segment[5] else None
        start = message.values.x12_when(segment[4])
        buckets.append(Bucket(message.values.quantity(segment[1] or "0", unit), start, segment[3], end))
    return Expected(
        loop[0],
        message.values.item(x12.pairs(loop[0], 2)),
        message.values.location(x12.parties(header, loop), ("SF", "WH")),
        buckets,
    )
