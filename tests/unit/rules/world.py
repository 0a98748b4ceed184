"""The rows of one partition in a dictionary, and what one event makes of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import fields

from agents.calendar import Calendar
from agents.pipeline import handle
from agents.reader import Context
from agents.turn import Effect, Turn
from engine.core.events import EVENT_TYPES, decode, identity
from engine.core.outcomes import Rejection
from engine.core.rules import Rules
from engine.core.values import DAY, HOUR, MINUTE, instant
from tables.feeds import Feeds
from tables.workspace import Workspace, encode

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
"""The moment 0 of every case, on its day 0."""
AT = instant(NOON)
TODAY = NOON.toordinal()
RULES = Rules(clock="log")


def hours(count: float) -> int:
    return int(count * HOUR)


def minutes(count: float) -> int:
    return int(count * MINUTE)


def days(count: float) -> int:
    return int(count * DAY)


def day(offset: int) -> date:
    """The date so many days after day 0."""
    return date.fromordinal(TODAY + offset)


def moment(offset: int) -> datetime:
    return NOON + timedelta(microseconds=offset)


class Happening(NamedTuple):
    """An event of a case: its type, when it happened (microseconds after moment 0; None is now), and its data."""

    kind: str
    at: int | None
    data: dict[str, Any]
    id: str | None
    source: str


def event(kind: str, /, at: int | None = None, id: str | None = None, source: str = "test", **data: Any) -> Happening:
    """An event; sku S and location L are meant where it names none."""
    defaults = {"sku": "S", "location": "L"}
    payload = next(field.type for field in fields(EVENT_TYPES[kind]) if field.name == "data")
    known = {field.name for field in fields(payload)}
    data = {**{name: value for name, value in defaults.items() if name in known}, **data}
    if "origin" in data:
        data["from"] = data.pop("origin")
    return Happening(kind, at, data, id, source)


def tick(at: int, **feeds: datetime) -> Happening:
    return event("clock.ticked", at, feeds=feeds)


class Outcome(NamedTuple):
    """What became of an event; where it was rejected the rows are as they were."""

    before: dict[bytes, bytes]
    after: dict[bytes, bytes]
    effects: list[Effect]
    rejection: Rejection | None


class Pairs(dict[bytes, bytes]):
    """Committed state: a dictionary that can be read in order."""

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        return [self.get(key) for key in keys]

    def scan(self, start: bytes, stop: bytes, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        ordered = sorted(self)
        chosen = ordered[bisect_left(ordered, start) : bisect_left(ordered, stop)]
        return iter([(key, self[key]) for key in (reversed(chosen) if reverse else chosen)])


class World:
    """A partition: its rows and its clock, which follows ticks and the latest event."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.pairs = Pairs()
        self.now = AT
        self._rules = rules
        self._calendar = Calendar()
        self._count = 0

    def put(self, key: bytes, row: object) -> None:
        value = encode(row)
        if value is None:
            self.pairs.pop(key, None)
        else:
            self.pairs[key] = value

    def context(self) -> Context:
        feeds = Feeds.load(self.pairs, 0, 1, self.now)
        return Context(Workspace(self.pairs, 1 << 20), self._rules, self._calendar, feeds, 0)

    def fold(self, happening: Happening) -> Outcome:
        """Let the agents see an event, on rows that were decoded anew."""
        turn = self.turn(happening)
        rejection = turn if isinstance(turn, Rejection) else handle(turn)
        if isinstance(turn, Rejection) or rejection is not None:
            return Outcome(self.pairs, self.pairs, [], rejection)
        turn.set_wakes()
        before = dict(self.pairs)
        for key, row in turn.writes.items():
            self.put(key, row)
        return Outcome(before, self.pairs, turn.effects, None)

    def turn(self, happening: Happening) -> Turn | Rejection:
        """The turn of an event that no agent has seen yet; the clock has reached it."""
        self._count += 1
        at = self.now if happening.at is None else AT + happening.at
        said = decode(self._raw(happening, at))
        if isinstance(said, Rejection):
            return said
        self.now = max(self.now, at)
        return Turn(self.context(), said, at, self.now, identity(said))

    def _raw(self, happening: Happening, at: int) -> bytes:
        name = happening.id or str(self._count)
        envelope = {"specversion": "1.0", "id": name, "source": happening.source, "type": happening.kind}
        return msgspec.json.encode({**envelope, "time": moment(at - AT), "data": happening.data})
