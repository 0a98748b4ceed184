"""What connectors report of themselves: kept in memory, shown at `/v1/connectors` and as metrics."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import asdict

from engine.telemetry import ConnectorFigures, PartFigures

MAX_CONNECTORS = 1000
MAX_PARTS = 100
SILENT_AFTER = 3
"""So many intervals without a report make a connector silent."""

ConnectorName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Words = Annotated[str, Meta(max_length=2000)]
Label = Annotated[str, Meta(min_length=1, max_length=128)]
Whole = Annotated[int, Meta(ge=0, le=2**53)]
Moment = Annotated[datetime, Meta(tz=True)]
Seconds = Annotated[float, Meta(ge=-1e12, le=1e12)]


class PartReport(Struct, kw_only=True):
    """A source or sink of a connector since its process began, or the connection itself.

    `failures` counts those in a row; `lag_seconds` is by how much the other system is ahead, where the source knows.
    """

    events: Whole = 0
    duplicates: Whole = 0
    rejected: Whole = 0
    untranslated: Whole = 0
    skipped: Whole = 0
    rounds: Whole = 0
    failures: Whole = 0
    last_round: Moment | None = None
    last_success: Moment | None = None
    next_attempt: Moment | None = None
    lag_seconds: Seconds | None = None
    error: Words | None = None


class _Connector(Struct, kw_only=True):
    name: ConnectorName
    kind: Label
    source: Annotated[str, Meta(min_length=1, max_length=256)]
    every_seconds: Annotated[float, Meta(gt=0, le=86400)]
    parts: Annotated[dict[Label, PartReport], Meta(max_length=MAX_PARTS)]
    detail: Words | None = None


class ConnectorReport(_Connector, kw_only=True):
    """What a connector says of itself every `every_seconds`; `detail` is why it waits or was stopped."""

    status: Literal["running", "waiting", "failing", "stopped"]


class ConnectorHealth(_Connector, kw_only=True):
    """The last report of a connector, and when it came; `silent` is one whose reports have ceased."""

    status: Literal["running", "waiting", "failing", "stopped", "silent"]
    reported: datetime


class ConnectorBoard:
    """The last report of each connector; beyond `MAX_CONNECTORS` the one that has been quiet longest is dropped."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._reports: dict[str, tuple[float, ConnectorReport]] = {}

    def put(self, report: ConnectorReport) -> None:
        """Keep a report in the place of the one before."""
        self._reports.pop(report.name, None)
        self._reports[report.name] = (self._clock(), report)
        if len(self._reports) > MAX_CONNECTORS:
            del self._reports[next(iter(self._reports))]

    def get(self, name: str) -> ConnectorHealth | None:
        """How the connector is; None if it has never reported."""
        found = self._reports.get(name)
        return None if found is None else self._health(*found)

    def all(self) -> list[ConnectorHealth]:
        """How all connectors are, by name."""
        return [self._health(*self._reports[name]) for name in sorted(self._reports)]

    def figures(self) -> Iterator[ConnectorFigures]:
        """The figures for the metrics."""
        for each in self.all():
            parts = [_figures(name, part) for name, part in each.parts.items()]
            yield ConnectorFigures(each.name, each.kind, each.status, parts)

    def _health(self, at: float, report: ConnectorReport) -> ConnectorHealth:
        quiet = self._clock() - at > SILENT_AFTER * report.every_seconds
        status = "silent" if quiet and report.status != "stopped" else report.status
        told = {**asdict(report), "status": status, "reported": datetime.fromtimestamp(at, UTC)}
        return ConnectorHealth(**told)


def _figures(name: str, part: PartReport) -> PartFigures:
    outcomes = {
        "accepted": part.events - min(part.duplicates, part.events),
        "duplicate": part.duplicates,
        "rejected": part.rejected,
        "untranslated": part.untranslated,
    }
    success = None if part.last_success is None else part.last_success.timestamp()
    return PartFigures(name, outcomes, part.failures, part.lag_seconds, success)
