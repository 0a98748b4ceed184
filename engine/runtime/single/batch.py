"""The records of one commit of the engine on one machine, a queue for each partition."""

from collections.abc import Sequence
from typing import NamedTuple

from engine.bus.single import Output, Record
from engine.core.events import Event
from engine.core.outcomes import Duplicate, Rejection
from engine.runtime.arrivals import Arrival
from engine.runtime.fold import Outcome
from engine.runtime.submission import RejectedEvent, Submission


class Spot(NamedTuple):
    """Where an item of a submission lies in a batch, counted from 0 in the queue of its partition; its event's id.

    A broadcast event lies in every partition; its spot is that of the first, whose outcome counts.
    """

    partition: int
    at: int
    event_id: str | None


class Batch:
    """Records that are new to the log, in the order in which each partition folds them.

    Attributes:
        queues: the records of each partition.
    """

    def __init__(self, ends: Sequence[int], arrived_at: int) -> None:
        """Begin an empty batch.

        Args:
            ends: of each partition, the offset that its next record gets.
            arrived_at: when the records arrived, in microseconds.
        """
        self.queues: list[list[Arrival]] = [[] for _ in ends]
        self._ends = ends
        self.arrived_at = arrived_at

    def append(self, partition: int, key: str, raw: bytes, event: Event | Rejection) -> int:
        """Put one record at the end of a partition's queue; returns its index there."""
        queue = self.queues[partition]
        index = len(queue)
        queue.append(Arrival(Record(partition, self._ends[partition] + index, key, raw, self.arrived_at), event))
        return index


class Committed(NamedTuple):
    """What a commit has made of a batch: the outcome of each record by partition and index, and all outputs."""

    outcomes: list[list[Outcome]]
    outputs: list[Output]

    def submission(self, spots: Sequence[Spot]) -> Submission:
        """The answer to the submission whose items lie at these spots."""
        accepted = duplicates = 0
        rejected = []
        for index, spot in enumerate(spots):
            outcome = self.outcomes[spot.partition][spot.at]
            if isinstance(outcome, Rejection):
                rejected.append(RejectedEvent(index, spot.event_id, outcome.reason, outcome.detail))
            else:
                accepted += 1
                duplicates += isinstance(outcome, Duplicate)
        return Submission(accepted, rejected, duplicates)
