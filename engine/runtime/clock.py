"""Time as an event: what the engine itself writes to every partition."""

from collections.abc import Mapping

from engine.core.events import ClockTicked
from engine.core.payloads import ClockTickedData
from engine.core.values import iso, moment

CLOCK_SOURCE = "stockline/clock"
TICK_SECONDS = 5


def tick_of(at: int, arrivals: Mapping[str, int]) -> ClockTicked:
    """`clock.ticked` at the instant `at`, with the last arrivals of the declared feeds as far as they are known."""
    feeds = {name: moment(last) for name, last in arrivals.items() if last}
    return ClockTicked(
        specversion="1.0", id=iso(at), source=CLOCK_SOURCE, time=moment(at), data=ClockTickedData(feeds=feeds)
    )
