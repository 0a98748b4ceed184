"""What a connector is: a profile, and the sources and sinks that it opens. `connectors.host` runs all of them.

A source reads another system, a sink keeps another system true to the engine. Both give batches: events for the log,
records that no event could be made of, and the position after them. Whatever a source reads, four things are its duty:

1. identity   the event's `source` and `id` come from the record alone, so that a record that is read twice gives the
              same event; they are the idempotency key, by which the engine's log recognises it
2. isolation  a record that cannot be translated is an `UntranslatedRecord`, and costs only itself
3. order      records are delivered in the order in which they are read
4. position   it stands behind what its batch holds; the host keeps it once that is durable, never before

So a crash at any moment repeats work and loses none: delivery is at least once, and exactly once in the log. A sink
gets each state of a signal or an alert at least once, and takes its id as the key of what it writes.
"""

import re
from ast import literal_eval
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self, cast

from connectors.base import EventSink, JsonObject, Submission
from connectors.client import EngineClient
from connectors.mapping.values import Unreadable
from connectors.profiles import IdentifierKind as IdentifierKind

UntranslatedReason = Literal["untranslatable", "unmapped_identifier", "undelivered"]


@dataclass(frozen=True)
class UntranslatedRecord:
    """A record of another system that no event could be made of: the host sends it as `record.refused`, a dead letter.

    With the reason `undelivered` it is a notification to another system that was given up, by which a sink replays it.
    `id` follows from the record alone. `place` says where it was read ("orders.edi, interchange 3, segment 14"),
    `detail` what is wrong and what to do. All four follow from the record and the profile: a record that is read again
    with another detail or at another place ("page 7") would be another dead letter.
    """

    id: str
    reason: UntranslatedReason
    detail: str
    record: bytes
    place: str

    @classmethod
    def of(cls, error: Unreadable, record_id: str, record: bytes, place: str) -> Self:
        """The record that this error was about; the error says whether a mapping is missing."""
        reason: UntranslatedReason = "unmapped_identifier" if isinstance(error, Unmapped) else "untranslatable"
        return cls(record_id, reason, str(error), record, place)


@dataclass(frozen=True)
class Batch:
    """What was read since the last position: `events` as JSON lines in their order, and what is none of them.

    `position` is given to the next call once everything is durable; None keeps the former one. `skipped` counts records
    that mean no event, by the reason. `lag_seconds` is by how much the other system is ahead of this batch, or the
    engine of what a sink has written, where it knows. `answered` is called with the engine's answer to `events` once
    they are durable; the position is kept after it, which it may complete.
    """

    events: Sequence[bytes] = ()
    untranslated: Sequence[UntranslatedRecord] = ()
    position: JsonObject | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)
    lag_seconds: float | None = None
    answered: Callable[[Submission], None] | None = None


class Source(Protocol):
    """Reads one kind of record of another system."""

    def pull(self, position: JsonObject | None, /) -> AsyncIterator[Batch]:
        """Everything after `position` (None: from the beginning), in batches of at most some thousand events.

        It ends when there is no more for now; the host calls again after the profile's interval. It continues behind a
        `yield` only once the host has that batch durably, and is closed there where it could not be posted, so a source
        that owes an answer gives it behind the `yield`. Raises `Unreachable` for what may pass (the host waits and
        calls again) and `UsageError` for what a person must mend.
        """
        ...

    async def replay(self, record: bytes) -> Sequence[bytes]:
        """The events of a record that was an `UntranslatedRecord`, by today's profile and identifiers.

        Raises `Unreadable`, or `Unmapped`, if it still cannot be translated.
        """
        ...


class Sink(Protocol):
    """Keeps another system true to what the engine publishes."""

    def pass_on(self, engine: EngineClient, position: JsonObject | None, /) -> AsyncIterator[Batch]:
        """Compare what the engine says with what the other system has, and write the difference.

        A round is safe to repeat after a crash at any moment. Its batches hold the events that follow, such as
        `signal.drafted`. Raises as `Source.pull` does.
        """
        ...


@dataclass(frozen=True)
class Finding:
    """A line of `stockline connectors check`: what was tried, whether it worked, and the figures or what to do."""

    what: str
    works: bool
    detail: str


class Connector(Protocol):
    """An open connection to another system; an asynchronous context manager."""

    async def __aenter__(self) -> Self:
        """Open what is needed. Raises `Unreachable` or `UsageError`.

        It stays open while the other system is away, so its calls connect again by themselves.
        """
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        ...

    @property
    def sources(self) -> Mapping[str, Source]:
        """The sources by name, in the order in which they are pulled: master data before movements."""
        ...

    @property
    def sinks(self) -> Mapping[str, Sink]:
        """The sinks by name."""
        ...

    async def check(self) -> Sequence[Finding]:
        """Try credentials, reachability and rights, and count what a pull would read; writes nothing anywhere."""
        ...


class Identifiers(Protocol):
    """What a partner calls our items, locations, suppliers and units (`connectors.identifiers`)."""

    def ours(self, kind: IdentifierKind, partner: str, theirs: str, /) -> str:
        """Our name for what the partner calls `theirs`. Raises `Unmapped` where nothing maps it."""
        ...

    def theirs(self, kind: IdentifierKind, partner: str, ours: str, /) -> str:
        """What the partner calls it; raises `Unmapped`."""
        ...


class SameNames:
    """`Identifiers` of a partner who uses our names: nothing is mapped."""

    def ours(self, _kind: IdentifierKind, _partner: str, theirs: str, /) -> str:
        """The name itself."""
        return theirs

    def theirs(self, _kind: IdentifierKind, _partner: str, ours: str, /) -> str:
        """The name itself."""
        return ours


class Unmapped(Unreadable):
    """A partner's identifier that nothing maps: its record waits as a dead letter until the mapping exists."""

    def __init__(self, kind: IdentifierKind, partner: str, name: str) -> None:
        super().__init__(f"the {kind} {name!r} of the partner {partner!r} is not in the identifiers")
        self.kind, self.partner, self.name = kind, partner, name


_QUOTED = r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_UNMAPPED = re.compile(
    rf"the (item|location|supplier|unit) {_QUOTED} of the partner {_QUOTED} is not in the identifiers"
)


def unmapped_in(detail: str) -> list[Unmapped]:
    """The identifiers that the detail of an untranslated record misses, as `Unmapped` says so."""
    found = _UNMAPPED.findall(detail)
    return [
        Unmapped(cast(IdentifierKind, kind), literal_eval(partner), literal_eval(name)) for kind, name, partner in found
    ]


@dataclass(frozen=True)
class Tools:
    """What the host gives a connector beside its profile.

    `folder` is a directory that is the connector's alone, for what it keeps besides its positions; whatever lies in it
    may be deleted at any moment and is found again. `log` takes events that cannot wait for the end of a round: it is
    durable on return.
    """

    identifiers: Identifiers
    folder: Path
    log: EventSink
