"""What would become of events if they arrived now: they are folded on copies, and nothing is written."""

from collections.abc import Sequence

from engine.bus.single import Kept, Record
from engine.core.events import Broadcast, decode, key_of
from engine.core.identify import identify
from engine.core.outcomes import Duplicate, Rejection
from engine.core.rules import Rules
from engine.core.values import partition_of
from engine.runtime.arrivals import Arrival
from engine.runtime.fold import Fold, Outcome
from engine.runtime.marker import resume
from engine.runtime.submission import RejectedEvent, Submission

TRIAL_MEMORY_BYTES = 4 << 20


def trial(bus: Kept, rules: Rules, now: int, items: Sequence[bytes]) -> Submission:
    """What submitting `items` at the instant `now` would answer; each is tried after those before it."""
    folds: dict[int, Fold] = {}
    refused: list[RejectedEvent] = []
    duplicates = 0
    for index, raw in enumerate(items):
        outcome = _try(bus, rules, folds, raw, now)
        if isinstance(outcome, Rejection):
            refused.append(RejectedEvent(index, identify(raw).id, outcome.reason, outcome.detail))
        duplicates += isinstance(outcome, Duplicate)
    return Submission(len(items) - len(refused), refused, duplicates)


def _try(bus: Kept, rules: Rules, folds: dict[int, Fold], raw: bytes, now: int) -> Outcome:
    event = decode(raw)
    if isinstance(event, Rejection):
        return event
    # What goes to every partition is judged by the first.
    key = "" if isinstance(event, Broadcast) else key_of(event)
    partition = partition_of(key, bus.partitions) if key else 0
    fold = folds.get(partition)
    if fold is None:
        marker = resume(bus.marker(partition), rules)
        fold = folds[partition] = Fold(bus.state, partition, bus.partitions, marker, TRIAL_MEMORY_BYTES)
    record = Record(partition, fold.marker.next_offset, key, raw, now)
    [outcome] = fold.step([Arrival(record, event)], append=False).outcomes
    return outcome
