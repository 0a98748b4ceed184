"""What was committed and is not in the columns yet: of each thing only the latest, so that it cannot grow long."""

import threading
from collections.abc import Sequence

from engine.bus.single import Commit
from engine.core.topics import OUTPUT_TOPICS, Topic
from tables.directory import ITEM, SUPPLIER
from tables.planning import PLAN
from tables.purchasing import LINE

FOLLOWED = frozenset(table[0] for table in (ITEM, SUPPLIER, PLAN, LINE))
"""The tags of the rows of state that the columns take something from."""


class Noted:
    """The latest values of what has changed.

    Attributes:
        outputs: by topic, the latest output of each thing; None where it was deleted.
        changes: the latest value of each row of state; None where it was deleted.
        markers: the latest marker of each partition.
        anew: whether everything from before was discarded.
    """

    def __init__(self) -> None:
        self.outputs: dict[Topic, dict[str, bytes | None]] = {topic: {} for topic in OUTPUT_TOPICS}
        self.changes: dict[bytes, bytes | None] = {}
        self.markers: dict[int, bytes] = {}
        self.anew = False

    def __len__(self) -> int:
        return len(self.changes) + sum(len(outputs) for outputs in self.outputs.values())


class Feed:
    """Takes commits from the thread that makes them, which it must not hold up: it only keeps the latest bytes."""

    def __init__(self) -> None:
        self._noted = Noted()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._noted)

    def committed(self, commits: Sequence[Commit]) -> None:
        """Note what was committed."""
        with self._lock:
            noted = self._noted
            outputs, changes = noted.outputs, noted.changes
            for commit in commits:
                if commit.marker:
                    noted.markers[commit.partition] = commit.marker
                for output in commit.outputs:
                    outputs[output.topic][output.id] = output.value
                changes.update([change for change in commit.changes if change[0][0] in FOLLOWED])

    def discarded(self) -> None:
        """Note that the bus begins empty, and is filled anew by the commits that follow."""
        with self._lock:
            self._noted = Noted()
            self._noted.anew = True

    def deleted(self, topic: Topic, names: Sequence[str]) -> None:
        """Note that things were deleted because they are old."""
        with self._lock:
            self._noted.outputs[topic].update(dict.fromkeys(names))

    def take(self) -> Noted:
        """What was noted since the last call."""
        with self._lock:
            noted, self._noted = self._noted, Noted()
        return noted
