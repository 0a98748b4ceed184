"""What the engine on one machine has published before: histories as they were, and the rows that have changed since.

A position bears in its id the partition and the offset of the last event that has changed it, so that one walk over the
rows finds those that have changed since a point, and no commit has to write an index for it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from itertools import islice, pairwise
from typing import NamedTuple

import msgspec

from engine.bus.point import Point, StreamGone
from engine.bus.single import Output, ReadModel
from engine.core.topics import HISTORIES, Topic
from engine.core.values import row_key

PIECE = 500
"""So many outputs are read and told at once."""
WALKED = 2_000
"""So many rows are looked at in one go: some milliseconds in a thread."""


class _Data(msgspec.Struct):
    id: str
    sku: str | None = None
    location: str | None = None
    event_source: str | None = None


class _Told(msgspec.Struct):
    type: str
    data: _Data


class _Named(msgspec.Struct):
    id: str


class _Walk(NamedTuple):
    """Some rows of a walk: those that have changed within the bounds, and the name of the last; None at the end."""

    found: list[Output]
    last: str | None


_told = msgspec.json.Decoder(_Told)
_named = msgspec.json.Decoder(_Named)


class EarlierHere:
    """What was published before, from the read model."""

    def __init__(self, published: ReadModel, point: Callable[[], Point]) -> None:
        """Read from `published`; `point` tells how far the engine has come."""
        self._published = published
        self._point = point
        self._walking = asyncio.Semaphore(1)
        """Walks take turns: each takes some of the time in which the engine folds."""

    async def check(self, since: Point, topics: frozenset[Topic]) -> None:
        """Raise StreamGone where something of what follows `since` is not kept any more."""
        if not self._point().covers(since, topics):
            raise StreamGone("it is of a time that this log does not reach any more")
        for topic in topics.intersection(HISTORIES):
            for partition, sequence in enumerate(since.reached[topic]):
                self._refuse_loss(topic, partition, sequence)

    def _refuse_loss(self, topic: Topic, partition: int, sequence: int) -> None:
        if sequence < self._published.first(topic, partition):
            raise StreamGone(f"what followed it among the {topic} was deleted, being older than what is kept")

    async def between(self, since: Point, until: Point, topics: frozenset[Topic]) -> AsyncGenerator[list[Output], None]:
        """What follows `since` and lies before `until`; of positions the rows that have not changed again since."""
        for topic in topics:
            bounds = list(zip(since.reached[topic], until.reached[topic], strict=True))
            pieces = self._histories(topic, bounds) if topic in HISTORIES else self._rows(bounds)
            async for piece in pieces:
                yield piece

    async def _histories(self, topic: Topic, bounds: list[tuple[int, int]]) -> AsyncGenerator[list[Output], None]:
        for partition, (start, stop) in enumerate(bounds):
            for first, after in pairwise([*range(start, stop, PIECE), stop]):
                values = await asyncio.to_thread(self._values, topic, partition, (first, after))
                # Retention may have come in between: then the values are of later outputs.
                self._refuse_loss(topic, partition, first)
                yield [_output(topic, value) for value in values]

    def _values(self, topic: Topic, partition: int, bounds: tuple[int, int]) -> list[bytes]:
        first, after = bounds
        return list(islice(self._published.history(topic, partition, first), after - first))

    async def _rows(self, bounds: list[tuple[int, int]]) -> AsyncGenerator[list[Output], None]:
        if all(start == stop for start, stop in bounds):
            return
        last: str | None = ""
        while last is not None:
            async with self._walking:
                found, last = await asyncio.to_thread(self._walk, last, bounds)
            if found:
                yield found

    def _walk(self, after: str, bounds: list[tuple[int, int]]) -> _Walk:
        found: list[Output] = []
        key, count = after, 0
        for key, value in islice(self._published.things("positions", after), WALKED):
            count += 1
            partition, _, offset = _named.decode(value).id.rpartition("/")[2].partition("-")
            start, stop = bounds[int(partition)]
            if start <= int(offset) < stop:
                found.append(Output("positions", key, key, value, "position.changed"))
        return _Walk(found, key if count == WALKED else None)


def _output(topic: Topic, value: bytes) -> Output:
    told = _told.decode(value)
    data = told.data
    is_of_row = data.sku is not None and data.location is not None
    key = row_key(data.sku or "", data.location or "") if is_of_row else data.event_source or ""
    return Output(topic, key, data.id, value, told.type)
