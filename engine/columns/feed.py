"""What was committed and is not in the columns yet: of each thing only the latest, so that it cannot grow long."""

import threading
from collections.abc import Iterable, Sequence

from engine.bus.single import Commit
from engine.core.topics import OUTPUT_TOPICS, POSITIONS, Topic
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
        moved: whether a position has changed, be it one that is left to a later take.
    """

    def __init__(self) -> None:
        self.outputs: dict[Topic, dict[str, bytes | None]] = {topic: {} for topic in OUTPUT_TOPICS}
        self.changes: dict[bytes, bytes | None] = {}
        self.markers: dict[int, bytes] = {}
        self.anew = False
        self.moved = False

    def __len__(self) -> int:
        return len(self.changes) + sum(map(len, self.outputs.values()))


class Feed:
    """Takes commits from the thread that makes them, which it must not hold up: it only keeps the latest bytes."""

    def __init__(self) -> None:
        self._noted = Noted()
        self._later: dict[str, bytes | None] = {}
        """The positions that are left to a later take. Whoever takes holds the lock of the columns."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._noted) + len(self._later)

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

    def take(self, positions: Iterable[str] | None = None) -> Noted:
        """What was noted since the last call.

        Args:
            positions: of positions only these, and the others with a later call, which finds only the latest of each;
                None for all.
        """
        with self._lock:
            noted, self._noted = self._noted, Noted()
        fresh = noted.outputs[POSITIONS.name]
        noted.moved = bool(fresh)
        if self._later and not noted.anew:
            self._later.update(fresh)
        else:
            self._later = fresh
        later = self._later
        if positions is None:
            noted.outputs[POSITIONS.name], self._later = later, {}
        else:
            noted.outputs[POSITIONS.name] = {name: later.pop(name) for name in positions if name in later}
        return noted
