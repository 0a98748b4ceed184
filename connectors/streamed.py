"""The live stream of an engine, read from the lines of its answer."""

import json
from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

from connectors.base import JsonObject
from engine.core.errors import EnvironmentFailure


class Lines(Protocol):
    """An answer that comes line by line."""

    async def readline(self) -> bytes:
        """The next line; nothing at the end."""


class Told(NamedTuple):
    """What a stream tells: a CloudEvent, None where it only shows that it is there, and the id that is reached with it.

    With that id a stream goes on from here.
    """

    event: JsonObject | None
    id: str | None


async def told(lines: Lines) -> AsyncIterator[Told]:
    """Everything that a stream tells; the id of an event counts once the event is whole."""
    event: JsonObject | None = None
    reached: str | None = None
    while line := await lines.readline():
        field, _, value = line.rstrip(b"\r\n").partition(b":")
        if field == b"id":
            reached = value.strip().decode()
        elif field == b"data":
            event = _event(value)
        elif not line.strip():
            yield Told(event, reached)
            event = reached = None


def _event(data: bytes) -> JsonObject:
    event = json.loads(data)
    if not isinstance(event, dict):
        raise EnvironmentFailure("the stream has told what is no JSON object; is this a Stockline engine?")
    return event
