"""What a service answers about submitted events, and about its progress."""

from msgspec import Struct


class RejectedEvent(Struct):
    """Why one event of a submission was rejected; `index` counts the events of the submission from 0."""

    index: int
    id: str | None
    reason: str
    detail: str


class Submission(Struct):
    """What became of the events of one submission.

    Attributes:
        accepted: how many events are durable and not rejected, duplicates among them.
        refused: the rejected events.
        duplicates: how many of the accepted events were known before; None where only a later fold can tell.
    """

    accepted: int
    refused: list[RejectedEvent]
    duplicates: int | None = None


class Progress(Struct):
    """How many records the log holds, and how many of them the rows hold."""

    accepted: int
    applied: int

    @property
    def lag(self) -> int:
        """How many records wait to be folded."""
        return self.accepted - self.applied
