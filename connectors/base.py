"""What connectors and the engine's client share: JSON, the port that takes a batch of events, and its answer.

What a connector must do, and which delivery guarantee follows, is told in `connectors.ports`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeAlias

Json: TypeAlias = Any
"""A decoded JSON value; `json.loads` types it so."""
JsonObject: TypeAlias = dict[str, Json]


@dataclass(frozen=True)
class RejectedEvent:
    """An event that the engine rejected: its index in the batch, its id where it has one, the reason."""

    index: int
    id: str | None
    reason: str


@dataclass(frozen=True)
class Submission:
    """The engine's answer to a batch: the number of events that are durable, and the rejected ones.

    `duplicates` counts accepted events that the log held before; None where the engine does not count them.
    """

    accepted: int
    refused: tuple[RejectedEvent, ...]
    duplicates: int | None = None

    def followed_by(self, other: Self) -> Self:
        """The answers to two halves of a batch as one; the indices of `other` are those of the whole batch."""
        known = [each.duplicates for each in (self, other) if each.duplicates is not None]
        return type(self)(self.accepted + other.accepted, self.refused + other.refused, sum(known) if known else None)


class EventSink(Protocol):
    """Takes events on behalf of the engine. Safe to call again with the same events after any error."""

    async def log_id(self) -> str | None:
        """The id of the log behind the sink, None where it has none: a position is only valid for one log."""
        ...

    async def post_events(self, events: Sequence[bytes]) -> Submission:
        """Append events, each one line of JSON. Those accepted are durable on return.

        Raises `EnvironmentFailure` if the outcome is unknown: the source sends the same batch again.
        """
        ...
