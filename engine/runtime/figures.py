"""The business figures of a partition: what its events add, carried to rows with the commit of the events."""

from collections import Counter
from collections.abc import Iterable, Iterator

from engine.bus.single import Kept
from engine.core.values import DAY
from tables.figures import WHOLE_LOG, Figure, Sums, days_range, figures_key, figures_parts, first_day
from tables.table import Key
from tables.workspace import State, Workspace, decode

Place = tuple[str, str]
"""Location and supplier; the supplier is empty where none is known."""


class Figures:
    """What the events of a step add to the figures of a partition, until `carry` writes it to the rows.

    The rows follow from the events and the partition's clock alone, wherever a batch is cut: sums of days before those
    that are kept at the end of a step are left out, and rows of such days deleted.
    """

    def __init__(self, state: State, partition: int, now: int) -> None:
        self._state = state
        self._partition = partition
        self._first_day = first_day(now)
        self._added: dict[tuple[int, str, str], Counter[str]] = {}
        """What was added, by day, location and supplier."""

    def add(self, figures: Iterable[Figure]) -> None:
        """Take what an accepted event adds."""
        added = self._added
        for location, supplier, at, name, amount in figures:
            group = (at // DAY, location, supplier)
            sums = added.get(group)
            if sums is None:
                sums = added[group] = Counter()
            sums[name] += amount

    def carry(self, space: Workspace, now: int) -> None:
        """Carry what was added to the rows, as of the partition's clock at the end of the step."""
        first = first_day(now)
        changes: dict[bytes, Sums | None] = {}
        if first > self._first_day:
            old = self._state.scan(*days_range(self._partition, self._first_day, first))
            changes = dict.fromkeys((key for key, _ in old), None)
            self._first_day = first
        added = self._by_key(first) if self._added else {}
        space.prefetch(added)
        for key, sums in added.items():
            old_row = space.get(key)
            new_row = _with(old_row, sums)
            if new_row != old_row:
                changes[key] = new_row
        space.accept(changes)
        self._added = {}

    def _by_key(self, first: int) -> dict[Key[Sums], Counter[str]]:
        """What was added, by the keys of the rows: those of the days from `first` on, and those of the whole log."""
        added: dict[Key[Sums], Counter[str]] = {}
        for (day, location, supplier), sums in self._added.items():
            place = f"{location}\0{supplier}"
            whole = figures_key(self._partition, WHOLE_LOG, place)
            if whole in added:
                added[whole].update(sums)
            else:
                added[whole] = Counter(sums)
            if day >= first:
                added[figures_key(self._partition, day, place)] = sums
        return added


def _with(row: Sums | None, added: Counter[str]) -> Sums | None:
    """The sums with what was added; None where all of them are 0."""
    sums = Counter({} if row is None else row.amounts)
    sums.update(added)
    amounts = {name: sums[name] for name in sorted(sums) if sums[name]}
    return Sums(amounts) if amounts else None


def figures_of(bus: Kept, first: int, until: int) -> Iterator[tuple[int, Place, Sums]]:
    """The (day, place, sums) of every partition, of the days from `first` (included) to `until` (excluded)."""
    for partition in range(bus.partitions):
        for key, value in bus.state.scan(*days_range(partition, first, until)):
            day, location, supplier = figures_parts(key)
            yield day, (location, supplier), decode(Key(key), value)
