"""The ports of a connector: what a source and a sink must do, and which delivery guarantee follows.

A source turns foreign records into events of the contract. Whatever it reads, four things are its duty:

1. identity   the event's `source` and `id` come from the record alone, so that a record that is read twice gives the
              same event; they are the idempotency key, by which the engine's log recognises it
2. isolation  a record that cannot be translated is reported with the reason and its position, and costs only itself
3. order      records are delivered in the order in which they are read
4. position   the position is written down after the sink has the events durably, never before

A sink takes events. `EventSink` is the port that sources call over HTTP; its events are durable on return. The sources
that there are, and what they guarantee:

- `connectors.files` posts to an `EventSink` and keeps its position in a state file, after each batch. It delivers at
  least once; the idempotency keys make that exactly once in the log, for as long as the log keeps them (seven days
  unless set otherwise).
- `connectors.kafka_source` writes events and its group's offsets in one Kafka transaction for each partition. It
  delivers exactly once.

A format of files implements `connectors.files.readers.Reader`, not this port: the sender keeps its position.

A sink of the engine's signals and alerts belongs to the other system. It reads `/v1/signals`, `/v1/stream` or the
topics, gets each state at least once, and takes the signal's id as the key of what it writes. It reports the order
that follows as `signal.ordered`, which the log recognises when it is sent again.
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
